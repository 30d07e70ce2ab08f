// The 14 directories of a warm set: which shard slot each of them is, and that it is the right one.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isUuid, messageOf, NightjarError, type Clock, type Log } from '#base';
import type { StoreDirectory } from './chunk-info.js';
import type { ChunkFiles } from './chunk-files.js';
import { withLanes } from './disk-lanes.js';
import { ALL_SHARDS } from './erasure.js';
import { ChunkDirectory } from './store-directory.js';

export const WARM_IDENTITY_FILE = 'nightjar-warm.json';

export interface WarmDirectoriesOptions {
  readonly directories: readonly string[];
  readonly files: ChunkFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Identities by configured path, as `directories` gave them last time. */
  readonly expected?: ReadonlyMap<string, string> | undefined;
  readonly exclusive?: boolean | undefined;
}

export interface WarmDirectory extends StoreDirectory {
  readonly slot?: number;
}

/** The identity of a slot: that of the set, with the slot as its last byte. */
function slotId(set: string, slot: number): string {
  return `${set.slice(0, -2)}${slot.toString(16).padStart(2, '0')}`;
}

function parseSlotId(id: string): { set: string; slot: number } {
  return { set: `${id.slice(0, -2)}00`, slot: Number.parseInt(id.slice(-2), 16) };
}

export class WarmDirectories {
  /** Identity of the set: what rows of warm chunks name as their store. */
  readonly set: string | undefined;
  readonly #directories: readonly ChunkDirectory[];

  private constructor(set: string | undefined, directories: readonly ChunkDirectory[]) {
    this.set = set;
    this.#directories = directories;
  }

  /**
   * Verifies each identity. With all 14 paths, empty ones that never were anything get the slots
   * that are free; with fewer nothing is made. A directory that is refused stays as failed. Throws
   * failed-precondition for directories of different sets.
   */
  static async open(options: WarmDirectoriesOptions): Promise<WarmDirectories> {
    const { files, clock, log, expected } = options;
    const paths = [...new Set(options.directories)];
    const found = await Promise.all(paths.map((path) => identityAt(files, path)));
    // A disk of the set may be mounted where another one was: what it says of itself holds.
    const ids = paths.map((path, index) => found[index] ?? expected?.get(path));
    const known = ids.flatMap((id) => (id === undefined ? [] : [parseSlotId(id)]));
    const sets = new Set(known.map(({ set }) => set));
    if (sets.size > 1) {
      throw new NightjarError(
        'failed-precondition',
        `expected the directories of one warm set, found ${sets.size} sets in ${paths.join(', ')}`,
      );
    }
    const isWhole = paths.length === ALL_SHARDS;
    const set = known[0]?.set ?? (isWhole ? `${randomUUID().slice(0, -2)}00` : undefined);
    const taken = new Set(known.map(({ slot }) => slot));
    const free = Array.from({ length: ALL_SHARDS }, (_, slot) => slot).filter((s) => !taken.has(s));
    const directories = paths.map((path, index) => {
      const slot = ids[index] === undefined && isWhole ? free.shift() : undefined;
      return new ChunkDirectory({
        path,
        files: withLanes(files, { writes: 1, reads: 1 }),
        clock,
        log,
        expectedId: ids[index],
        exclusive: options.exclusive,
        identity: {
          file: WARM_IDENTITY_FILE,
          newId: slot === undefined || set === undefined ? undefined : slotId(set, slot),
        },
      });
    });
    for (const directory of directories) {
      await directory.open().catch((error: unknown) => {
        log.error({ path: directory.path, why: messageOf(error) }, 'a warm directory is refused');
      });
    }
    const slots = directories.flatMap(({ id }) => (id === undefined ? [] : [id]));
    if (new Set(slots).size < slots.length) {
      throw new NightjarError(
        'failed-precondition',
        'expected a different slot in each warm directory, found one twice',
      );
    }
    return new WarmDirectories(set, directories);
  }

  /** Undefined where the directory of that slot is not usable. */
  at(slot: number): ChunkDirectory | undefined {
    return this.#directories.find(
      ({ id, usable }) => usable && id !== undefined && parseSlotId(id).slot === slot,
    );
  }

  snapshot(): WarmDirectory[] {
    return this.#directories.map((directory) => ({
      ...directory.snapshot(),
      ...(directory.id === undefined ? {} : { slot: parseSlotId(directory.id).slot }),
    }));
  }

  async close(): Promise<void> {
    for (const directory of this.#directories) await directory.close();
  }

  async refresh(patienceMs?: number): Promise<void> {
    await Promise.all(this.#directories.map((directory) => directory.refresh(patienceMs)));
  }
}

async function identityAt(files: ChunkFiles, path: string): Promise<string | undefined> {
  const text = await files.readText(join(path, WARM_IDENTITY_FILE)).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { uuid } = JSON.parse(text) as { uuid?: unknown };
    if (typeof uuid === 'string' && isUuid(uuid)) return uuid;
  } catch {
    // The directory says so itself when it is opened.
  }
  return undefined;
}

/**
 * Gives an empty directory the slot of one that was lost, by the word of a person: what `open` does
 * not do for a path that had a disk before. `paths` are all directories of the set, `expected` what
 * was at paths when they were open last. Gives the slot. Throws failed-precondition where several
 * directories are away and nobody knows whose place it is: the others may come back.
 */
export async function replaceWarmDirectory(
  files: ChunkFiles,
  path: string,
  o: { readonly paths: readonly string[]; readonly expected?: ReadonlyMap<string, string> },
): Promise<number> {
  const others = [...new Set(o.paths)].filter((other) => other !== path);
  if (others.length < ALL_SHARDS - 1) {
    throw new NightjarError(
      'invalid-argument',
      `expected all ${ALL_SHARDS} directories of the warm set, found ${others.length} besides ${path}`,
    );
  }
  const ids = await Promise.all(others.map((other) => identityAt(files, other)));
  const found = ids.flatMap((id) => (id === undefined ? [] : [parseSlotId(id)]));
  const sets = new Set(found.map(({ set }) => set));
  const [set] = sets;
  if (set === undefined || sets.size > 1) {
    throw new NightjarError(
      'failed-precondition',
      'expected the other directories of one warm set',
    );
  }
  if ((await files.list(path))?.some(({ name }) => name !== 'lost+found') !== false) {
    throw new NightjarError('failed-precondition', `expected an empty directory at ${path}`);
  }
  const slotAt = (at: string): number | undefined => {
    const id = o.expected?.get(at);
    return id === undefined || parseSlotId(id).set !== set ? undefined : parseSlotId(id).slot;
  };
  const taken = new Set(found.map(({ slot }) => slot));
  const free = Array.from({ length: ALL_SHARDS }, (_, slot) => slot).filter((s) => !taken.has(s));
  const awaited = new Set(others.map(slotAt));
  const own = slotAt(path);
  const unclaimed = free.filter((slot) => !awaited.has(slot));
  const candidates =
    own !== undefined && free.includes(own) ? [own] : free.length === 1 ? free : unclaimed;
  const [slot] = candidates;
  if (slot === undefined || candidates.length > 1) {
    const away = others.filter((_, index) => ids[index] === undefined);
    throw new NightjarError(
      'failed-precondition',
      free.length === 0
        ? `expected a slot that is free, found ${ALL_SHARDS} taken`
        : `expected to know whose place it takes: ${away.join(', ')} may come back, and no index ` +
            'that can be read says what was where',
    );
  }
  const identity = { uuid: slotId(set, slot), created: new Date().toISOString() };
  await files.writeNewText(join(path, WARM_IDENTITY_FILE), `${JSON.stringify(identity)}\n`);
  await files.syncDirectory(path);
  return slot;
}
