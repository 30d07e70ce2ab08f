// The hash chain over the chunks of one track, and the sealing of chunks that a crash left open.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { messageOf, NightjarError, toNightjarError, type Log } from '#base';
import type { ChunkFile } from './chunk-files.js';
import type { ChunkInfo } from './chunk-info.js';
import type { HangWatch } from './hang-watch.js';
import { absoluteChunkPath } from './layout.js';
import type { TrackIdentity } from './record-header.js';
import { findSealAtEnd, MAX_SEAL_BYTES, sealOf, writeSeal, type SealFacts } from './seal.js';
import type { ChunkDirectory } from './store-directory.js';

const READ_BYTES = 1 << 20;
/** So many chunks wait, without their seals, for an older one whose disk hangs. */
const MOST_HELD_BACK = 16;

interface Leftover {
  readonly chunk: ChunkInfo;
  readonly directory: ChunkDirectory;
}

interface Newest {
  readonly id: number;
  readonly seal: string | undefined;
}

export class SealChain {
  readonly #identity: TrackIdentity;
  readonly #directories: readonly ChunkDirectory[];
  readonly #log: Log;
  readonly #watch: HangWatch;
  #leftovers: Leftover[] = [];
  /** Chunks whose disk hangs: what is younger is sealed when they are. */
  readonly #awaited = new Set<number>();
  /** Sealed when nobody waited for it any more; nobody was told. */
  #sealedLate: ChunkInfo[] = [];
  /** The newest that is sealed. Looked up on the disks when it is first needed. */
  #last: Newest | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(
    identity: TrackIdentity,
    options: {
      readonly directories: readonly ChunkDirectory[];
      readonly log: Log;
      readonly watch: HangWatch;
    },
  ) {
    this.#identity = identity;
    this.#directories = options.directories;
    this.#log = options.log;
    this.#watch = options.watch;
  }

  /** Notes a chunk that is to be sealed before the next one of its track. */
  leave(chunk: ChunkInfo, directory: ChunkDirectory): void {
    this.#leftovers.push({ chunk, directory });
    this.#leftovers.sort((a, b) => a.chunk.id - b.chunk.id);
    // A disk that stays away does not keep all that follows from being sealed.
    if (this.#leftovers.length > MOST_HELD_BACK) this.#awaited.clear();
  }

  /** Of a recovered chunk: `chunk` is what is left of it; undefined for nothing. */
  cut(id: number, chunk: ChunkInfo | undefined): void {
    this.#leftovers = this.#leftovers.flatMap((leftover) => {
      if (leftover.chunk.id !== id) return [leftover];
      return chunk === undefined ? [] : [{ ...leftover, chunk }];
    });
  }

  /** The seal of this chunk is waited for, and with it those of the younger ones. */
  await(id: number): void {
    this.#awaited.add(id);
  }

  /** It is `leave`d now, or gone. */
  stopAwaiting(id: number): void {
    this.#awaited.delete(id);
  }

  /** A chunk that is full now is to be left unsealed, for `sealLeftovers`. */
  get isHeldBack(): boolean {
    return this.#awaited.size > 0 || this.#leftovers.length > 0;
  }

  /** Seals what was left open, oldest first; gives the rows to put, none when none is left. */
  sealLeftovers(most = Infinity): Promise<ChunkInfo[]> {
    return this.#inTurn(async () => {
      const sealed = this.#sealedLate.splice(0);
      for (let next = this.#leftovers[0]; next !== undefined; next = this.#leftovers[0]) {
        if (sealed.length >= most || Math.min(...this.#awaited) < next.chunk.id) break;
        this.#leftovers.shift();
        try {
          sealed.push(await this.#sealOne(next));
        } catch (error) {
          // It stays as it is, playable.
          const { path } = next.chunk;
          this.#log.warn({ path, why: messageOf(error) }, 'could not seal a chunk');
          if (toNightjarError(error).code !== 'timeout') continue;
          // Where it is not its own disk that hangs, it is that of the seal before.
          const isWaiting = this.#awaited.has(next.chunk.id);
          if (!isWaiting && this.#leftovers.length < MOST_HELD_BACK) this.#leftovers.unshift(next);
          break;
        }
      }
      return sealed;
    });
  }

  async #sealOne(leftover: Leftover): Promise<ChunkInfo> {
    const { chunk, directory } = leftover;
    const last = await this.#newest();
    if (last.id > chunk.id) {
      throw new NightjarError('failed-precondition', 'expected a chunk that is younger than all sealed ones'); // prettier-ignore
    }
    const sealing = sealLeftover(leftover, last.seal);
    try {
      const sealed = await this.#watch.bound(directory, sealing);
      this.#last = { id: chunk.id, seal: sealOf(sealed) };
      return sealed;
    } catch (error) {
      if (toNightjarError(error).code === 'timeout') {
        this.await(chunk.id);
        void this.#takeLate(leftover, sealing, last);
      }
      throw error;
    }
  }

  /** A seal that took long counts, unless another one was made meanwhile. */
  async #takeLate(
    { chunk, directory }: Leftover,
    sealing: Promise<ChunkInfo>,
    before: Newest,
  ): Promise<void> {
    const sealed = await sealing.catch(() => undefined);
    await this.#inTurn(async () => {
      this.stopAwaiting(chunk.id);
      // What it wrote then is cut off and written again.
      if (sealed === undefined || this.#last !== before) return this.leave(chunk, directory);
      this.#last = { id: chunk.id, seal: sealOf(sealed) };
      this.#sealedLate.push(sealed);
    });
  }

  /** Runs `seal` for chunk `id` with the seal that it must repeat. */
  extend(
    id: number,
    seal: (previousSeal: string | undefined) => Promise<SealFacts>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const { seal: previousSeal } = await this.#newest();
      this.#last = { id, seal: sealOf(await seal(previousSeal)) };
    });
  }

  /** Takes back the newest seal, which did not become safe. */
  takeBack(chunk: SealFacts): void {
    if (this.#last === undefined || this.#last.seal !== sealOf(chunk)) return;
    // It may be sealed again.
    this.#last = { id: this.#last.id - 1, seal: chunk.previousSeal };
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(action);
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  async #newest(): Promise<Newest> {
    this.#last ??= await this.#lookUp();
    return this.#last;
  }

  /** The newest sealed chunk over all directories. */
  async #lookUp(): Promise<Newest> {
    let newest: Newest = { id: -1, seal: undefined };
    for (const directory of this.#directories.filter(({ usable }) => usable)) {
      const found = await this.#watch.bound(directory, this.#lookUpIn(directory, newest.id));
      newest = found ?? newest;
    }
    return newest;
  }

  async #lookUpIn(directory: ChunkDirectory, aboveId: number): Promise<Newest | undefined> {
    for await (const listed of directory.chunks(this.#identity, 'newest-first')) {
      if (listed.id < aboveId) return undefined;
      const path = join(directory.path, listed.path);
      const seal = await readSealValue(directory, path).catch(() => undefined);
      if (seal !== undefined) return { id: listed.id, seal };
    }
    return undefined;
  }
}

async function readSealValue(directory: ChunkDirectory, path: string): Promise<string | undefined> {
  const file = await directory.files.open(path, 'read');
  try {
    const sizeBytes = await file.sizeBytes();
    const tail = Buffer.alloc(Math.min(MAX_SEAL_BYTES, sizeBytes));
    await file.read(tail, sizeBytes - tail.length);
    const found = findSealAtEnd(tail);
    return found === undefined ? undefined : sealOf(found.seal);
  } finally {
    await file.close();
  }
}

/** Reads the chunk back, since its running hash went with the process, and appends its seal. */
async function sealLeftover(
  { chunk, directory }: Leftover,
  previousSeal: string | undefined,
): Promise<ChunkInfo> {
  const file = await directory.files.open(absoluteChunkPath(directory.path, chunk.path), 'append');
  try {
    const seal = {
      sha256: await hashOf(file, chunk.sizeBytes),
      ...(previousSeal === undefined ? {} : { previousSeal }),
    };
    const { camera, track, codec } = chunk;
    const bytes = writeSeal(codec, { camera, track, ...seal });
    // Cuts what a failed write may have left, which nobody was told of.
    await file.truncate(chunk.sizeBytes);
    await file.write([bytes], chunk.sizeBytes);
    await file.sync();
    return { ...chunk, ...seal, sizeBytes: chunk.sizeBytes + bytes.length, sealed: true };
  } finally {
    await file.close();
  }
}

/** SHA-256 of the first `sizeBytes` bytes, in hex. */
export async function hashOf(file: ChunkFile, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, sizeBytes));
  for (let at = 0; at < sizeBytes; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, sizeBytes - at));
    const read = await file.read(piece, at);
    hash.update(piece.subarray(0, read));
    if (read < piece.length) break;
  }
  return hash.digest('hex');
}
