// The LevelDB below the timeline: opening with a verdict, batches, ranges, errors of the house.

import { readdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { NightjarError } from '#base';

export interface KeyRange {
  readonly gte?: Buffer;
  readonly gt?: Buffer;
  readonly lt?: Buffer;
  readonly lte?: Buffer;
}

export interface RangeOptions extends KeyRange {
  readonly reverse?: boolean;
  readonly limit?: number;
}

export type Entry = readonly [key: Buffer, value: Buffer];
export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer };

const PAGE = 1000;

export class Lsm {
  readonly #directory: string;
  #level: ClassicLevel<Buffer, Buffer>;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#level = make(directory);
  }

  /** Throws failed-precondition when another process holds it, data-loss when it is corrupt. */
  static async open(directory: string): Promise<Lsm> {
    await assertWhole(directory);
    const lsm = new Lsm(directory);
    await lsm.#guard(() => lsm.#level.open());
    return lsm;
  }

  /**
   * Closes and opens again. After a failed write the log may end in a torn entry that would hide
   * what follows it; opening reads the log up to there and begins a new one.
   */
  async reopen(): Promise<void> {
    await this.#level.close().catch(() => undefined);
    this.#level = make(this.#directory);
    await this.#guard(() => this.#level.open());
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#guard(() => this.#level.get(key));
  }

  getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.#guard(() => this.#level.getMany(keys));
  }

  entries(range: RangeOptions): Promise<Entry[]> {
    return this.#guard(() => this.#level.iterator(range).all());
  }

  keys(range: RangeOptions): Promise<Buffer[]> {
    return this.#guard(() => this.#level.keys(range).all());
  }

  /** In pages, for ranges without a bound. */
  async *pages(range: RangeOptions): AsyncGenerator<Entry[]> {
    const iterator = this.#level.iterator(range);
    try {
      for (;;) {
        const page = await this.#guard(() => iterator.nextv(PAGE));
        if (page.length === 0) return;
        yield page;
      }
    } finally {
      await iterator.close();
    }
  }

  /** All or nothing, also over a crash; with `sync` on disk when the promise resolves. */
  batch(operations: readonly Operation[], sync: boolean): Promise<void> {
    return this.#guard(async () => {
      // Half the CPU of an array of operations, which the library clones one by one.
      const batch = this.#level.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write({ sync });
    });
  }

  /** Natively and outside this thread, in several batches: a crash may leave a part of it done. */
  clear({ gte, lt }: { readonly gte: Buffer; readonly lt: Buffer }): Promise<void> {
    return this.#guard(() => this.#level.clear({ gte, lt }));
  }

  /**
   * Whether what was written before the last synced batch is safe, too. LevelDB begins a new log
   * without a sync of the old one, which stays until its rows are in a table.
   */
  async isOneLog(): Promise<boolean> {
    const names = await readdir(this.#directory).catch((): string[] => []);
    return names.filter((name) => name.endsWith('.log')).length === 1;
  }

  close(): Promise<void> {
    return this.#guard(() => this.#level.close());
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw asIndexError(error, this.#directory);
    }
  }
}

function make(directory: string): ClassicLevel<Buffer, Buffer> {
  return new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    cacheSize: 32 << 20,
    writeBufferSize: 8 << 20,
  });
}

/** LevelDB makes a new database where `CURRENT` is gone, and deletes the tables of the old one. */
async function assertWhole(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  const hasData = names.some((name) => /\.(ldb|sst)$|^MANIFEST-/.test(name));
  if (hasData && !names.includes('CURRENT')) throw corrupt(directory, 'its file CURRENT is gone');
}

export function corrupt(directory: string, why: string, cause?: unknown): NightjarError {
  return new NightjarError(
    'data-loss',
    `the index in ${directory} is corrupt (${why}): stop the recorder and run nightjar rebuild-index`,
    { directory },
    cause,
  );
}

interface LevelError {
  readonly code?: string;
  readonly message?: string;
  readonly cause?: unknown;
}

function asIndexError(thrown: unknown, directory: string): NightjarError {
  if (thrown instanceof NightjarError) return thrown;
  // Not by instanceof: an addon's errors may come from another realm.
  const chain: LevelError[] = [];
  let at: unknown = thrown;
  while (typeof at === 'object' && at !== null && chain.length < 8) {
    chain.push(at);
    at = (at as LevelError).cause;
  }
  const has = (code: string) => chain.some((error) => error.code === code);
  const text = chain.map((error) => error.message ?? '').join(': ');
  if (has('LEVEL_CORRUPTION')) return corrupt(directory, text, thrown);
  if (has('LEVEL_LOCKED')) {
    const message = `expected an index that nobody uses, found ${directory} in use`;
    return new NightjarError('failed-precondition', message, { directory }, thrown);
  }
  if (/no space left/i.test(text)) {
    const message = `the disk of the index in ${directory} is full`;
    return new NightjarError('resource-exhausted', message, { directory }, thrown);
  }
  if (has('LEVEL_DATABASE_NOT_OPEN') && chain.length === 1) {
    return new NightjarError('failed-precondition', 'the index is closed', { directory }, thrown);
  }
  return new NightjarError('unavailable', `the index failed: ${text}`, { directory }, thrown);
}
