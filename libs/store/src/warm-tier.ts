// The warm tier: sealed chunks as stripes of 14 shards over 14 directories, of which any four may be
// lost. See decisions/0003-warm-tier.md.

import { crc32c } from '@node-rs/crc32';
import { dirname } from 'node:path';
import { NightjarError, toNightjarError, type Clock, type Log } from '#base';
import type { ChunkFiles } from './chunk-files.js';
import { ALL_SHARDS, bestCodec, DATA_SHARDS } from './erasure.js';
import { parseChunkPath } from './layout.js';
import {
  blockCrcsOf,
  shapeOf,
  storedBytesOf,
  TRAILER_BYTES,
  writeTrailer,
  type StripeFacts,
} from './shard.js';
import type { ChunkDirectory } from './store-directory.js';
import { StripeFile } from './stripe-file.js';
import { WarmDirectories, type WarmDirectory } from './warm-directories.js';
import { listStripes, shardPlace, type ListedStripe } from './warm-places.js';

const MOST_LOST = ALL_SHARDS - DATA_SHARDS;
const PARITY_NUMBERS = [10, 11, 12, 13];

export interface WarmTierOptions {
  readonly directories: readonly string[];
  readonly expected?: ReadonlyMap<string, string> | undefined;
  /** No other process may have the directories open meanwhile. */
  readonly exclusive?: boolean | undefined;
  readonly files: ChunkFiles;
  readonly clock: Clock;
  readonly log: Log;
}

/** What `mend` found and did. */
export interface StripeHealth {
  /** Shards that were lost or damaged, those that are away among them. */
  readonly bad: readonly number[];
  /** Those of them that have been written anew. */
  readonly mended: readonly number[];
  /** Shards whose directory is away. */
  readonly away: readonly number[];
  /** Fewer than ten good shards: what is lost cannot be computed. */
  readonly isLost: boolean;
}

export interface MendOptions {
  /** Awaited in front of each read, so that the caller sets the pace. */
  readonly beforeRead?: (bytes: number) => Promise<void>;
  /** False: it only looks. */
  readonly write?: boolean;
}

export class WarmTier {
  readonly #directories: WarmDirectories;
  readonly #options: WarmTierOptions;
  readonly counters = { reconstructedReads: 0, reconstructedBytes: 0, mendedShards: 0 };

  private constructor(options: WarmTierOptions, directories: WarmDirectories) {
    this.#options = options;
    this.#directories = directories;
  }

  /** Throws failed-precondition for directories that do not belong together. */
  static async open(options: WarmTierOptions): Promise<WarmTier> {
    return new WarmTier(options, await WarmDirectories.open(options));
  }

  /** What rows of warm chunks name as their store; undefined where none was ever made. */
  get id(): string | undefined {
    return this.#directories.set;
  }

  get directories(): readonly WarmDirectory[] {
    return this.#directories.snapshot();
  }

  /** Why nothing moves here now, as a sentence; undefined when all is well. */
  get fault(): string | undefined {
    const found = this.#options.directories.length;
    if (found !== ALL_SHARDS) {
      return `the warm tier is off: expected ${ALL_SHARDS} directories, found ${found}`;
    }
    const away = this.directories.filter(({ state }) => state !== 'ok');
    if (away.length === 0) return undefined;
    const why = away.map(({ path, state, reason }) => `${path}: ${reason ?? state}`).join('; ');
    const what = away.length > MOST_LOST ? 'cannot be read whole' : 'takes nothing new';
    return `the warm tier ${what}: ${away.length} of ${ALL_SHARDS} directories are away (${why})`;
  }

  close(): Promise<void> {
    return this.#directories.close();
  }

  refresh(patienceMs?: number): Promise<void> {
    return this.#directories.refresh(patienceMs);
  }

  /** Bytes of the chunk at `path` as a file; the caller closes it. No I/O before the first read. */
  openToRead(path: string, mode: 'plain' | 'verified'): StripeFile {
    return new StripeFile({
      directories: this.#directories,
      clock: this.#options.clock,
      path,
      mode,
      onReconstructed: (bytes) => {
        this.counters.reconstructedReads += 1;
        this.counters.reconstructedBytes += bytes;
      },
    });
  }

  /**
   * Makes the stripe of a chunk; when it resolves all of it is safe. Throws unavailable unless all 14
   * directories are here, and the errors of the disks; then nothing of it is left.
   */
  async write(path: string, bytes: Buffer): Promise<void> {
    const name = parseChunkPath(path);
    const set = this.id;
    if (name === undefined || set === undefined || this.fault !== undefined) {
      throw new NightjarError('unavailable', this.fault ?? 'expected a chunk', { path });
    }
    const shape = shapeOf(bytes.length);
    const { shardBytes } = shape;
    const shards = Buffer.alloc(ALL_SHARDS * shardBytes);
    shards.set(bytes);
    const codec = await bestCodec();
    await codec.fill(shards, PARITY_NUMBERS, shape.blockBytes);
    const storedOf = (shard: number) =>
      shards.subarray(shard * shardBytes, shard * shardBytes + storedBytesOf(shape, shard));
    const shardCrcs = Array.from({ length: ALL_SHARDS }, (_, shard) => crc32c(storedOf(shard)));
    const { camera, id: chunkId } = name;
    const stripe: StripeFacts = { ...shape, codec: codec.id, set, camera, chunkId, shardCrcs };
    try {
      // What an interrupted move has left may be of another codec.
      await this.#remove(path, 'leave');
      for (let shard = 0; shard < ALL_SHARDS; shard++) {
        await this.#writeShard({ path, stripe, shard, stored: storedOf(shard) });
      }
    } catch (error) {
      await this.#remove(path, 'leave').catch(() => undefined);
      throw error;
    }
  }

  /** Whether a deletion leaves fewer than ten shards, whatever comes back later. */
  get canDelete(): boolean {
    return this.directories.filter(({ state }) => state !== 'failed').length >= DATA_SHARDS;
  }

  /** Gives the bytes freed. What is on a directory that is away goes when it is back. */
  async delete(path: string): Promise<number> {
    if (!this.canDelete) {
      throw new NightjarError('unavailable', this.fault ?? 'expected the warm directories', {
        path,
      });
    }
    return this.#remove(path, 'sync');
  }

  list(): AsyncGenerator<ListedStripe> {
    return listStripes(this.#directories);
  }

  /**
   * Reads every shard of the stripe, and writes those that are lost or damaged anew where their
   * directory is here. Throws the errors of disks that are written to.
   */
  async mend(path: string, options: MendOptions = {}): Promise<StripeHealth> {
    const { beforeRead, write = true } = options;
    const file = this.openToRead(path, 'verified');
    try {
      const places = Array.from({ length: ALL_SHARDS }, (_, shard) =>
        shardPlace(this.#directories, path, shard),
      );
      const away = [...places.keys()].filter((shard) => places[shard] === undefined);
      const present = await file.present().catch((): number[] => []);
      const absent = [...places.keys()].filter((shard) => !present.includes(shard));
      if (present.length < DATA_SHARDS) return { bad: absent, mended: [], away, isLost: true };
      const stripe = await file.stripe();
      const bad: number[] = [];
      for (let shard = 0; shard < ALL_SHARDS; shard++) {
        if (present.includes(shard)) {
          await beforeRead?.(stripe.shardBytes);
          if ((await file.readBlocks(shard, 0, stripe.shardBytes)) !== undefined) continue;
        }
        bad.push(shard);
      }
      const isLost = ALL_SHARDS - bad.length < DATA_SHARDS;
      const mended = isLost || !write ? [] : bad.filter((shard) => !away.includes(shard));
      if (mended.length > 0) await this.#rebuild(file, path, { stripe, bad, mended });
      return { bad, mended, away, isLost };
    } finally {
      await file.close();
    }
  }

  async #rebuild(
    file: StripeFile,
    path: string,
    found: { stripe: StripeFacts; bad: readonly number[]; mended: readonly number[] },
  ): Promise<void> {
    const { stripe, bad, mended } = found;
    const { shards } = await file.readAll(0, stripe.shardBytes, bad);
    for (const shard of mended) {
      const start = shard * stripe.shardBytes;
      const stored = shards.subarray(start, start + storedBytesOf(stripe, shard));
      if (crc32c(stored) !== stripe.shardCrcs[shard]) {
        throw new NightjarError('internal', 'a shard that was computed is not what was written', {
          path,
          shard,
        });
      }
      await this.#writeShard({ path, stripe, shard, stored });
      this.counters.mendedShards += 1;
    }
  }

  /** In place of what is there; safe when it resolves. */
  async #writeShard(o: {
    path: string;
    stripe: StripeFacts;
    shard: number;
    stored: Buffer;
  }): Promise<void> {
    const { path, stripe, shard, stored } = o;
    const place = shardPlace(this.#directories, path, shard);
    if (place === undefined) {
      throw new NightjarError('unavailable', 'a warm directory is away', { path, shard });
    }
    const { directory } = place;
    try {
      await directory.assertPresent();
      await directory.files.remove(place.path);
      const parent = dirname(place.path);
      const made = await directory.files.makeDirectory(parent);
      const file = await directory.files.create(place.path);
      try {
        const blockCrcs = blockCrcsOf(stored, stripe.blockBytes);
        await file.write([stored, writeTrailer({ stripe, shard, blockCrcs })], 0);
        // Takes off what a write past the page cache was filled up with: the trailer ends the file.
        await file.truncate(stored.length + TRAILER_BYTES);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncUpwards(directory, parent, made);
      directory.noteSafe(stored.length + TRAILER_BYTES);
    } catch (error) {
      const known = toNightjarError(error);
      directory.note(known);
      throw known;
    }
  }

  /** `sync`: when it resolves the shards do not come back after a power cut. */
  async #remove(path: string, mode: 'sync' | 'leave'): Promise<number> {
    let freed = 0;
    for (let shard = 0; shard < ALL_SHARDS; shard++) {
      const place = shardPlace(this.#directories, path, shard);
      if (place === undefined) continue;
      const { directory } = place;
      const bytes = await directory.files.remove(place.path);
      if (bytes === undefined) continue;
      freed += bytes;
      directory.noteFreed(bytes);
      if (mode === 'leave') continue;
      const parent = dirname(place.path);
      const isGone = await directory.files.removeEmptyDirectory(parent);
      await directory.files.syncDirectory(isGone ? dirname(parent) : parent);
    }
    return freed;
  }
}

/** The directory of a new entry, and those above it as far as they are new. */
async function syncUpwards(
  directory: ChunkDirectory,
  parent: string,
  made: string | undefined,
): Promise<void> {
  await directory.files.syncDirectory(parent);
  for (let at = parent; made !== undefined && at.length >= made.length;) {
    at = dirname(at);
    await directory.files.syncDirectory(at);
  }
}
