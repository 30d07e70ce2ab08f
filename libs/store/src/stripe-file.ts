// A chunk of the warm tier as a file that can be read: from its data shards as they are, and from
// any ten shards where one of them is lost or damaged.

import { crc32c } from '@node-rs/crc32';
import { inTime, NightjarError, toNightjarError, type Clock } from '#base';
import type { ChunkFile } from './chunk-files.js';
import { ALL_SHARDS, codecOf, DATA_SHARDS } from './erasure.js';
import {
  readTrailer,
  storedBytesOf,
  stripeKey,
  TRAILER_BYTES,
  type ShardTrailer,
  type StripeFacts,
} from './shard.js';
import type { WarmDirectories } from './warm-directories.js';
import { shardPlace } from './warm-places.js';

/** A disk that takes longer is passed by. */
const READ_DEADLINE_MS = 5000;

export interface StripeFileOptions {
  readonly directories: WarmDirectories;
  readonly clock: Clock;
  /** Of the chunk, relative to a store directory. */
  readonly path: string;
  /** `verified`: every block is checked before it is given out; else records check themselves. */
  readonly mode: 'plain' | 'verified';
  /** So many bytes had to be computed from other shards. */
  readonly onReconstructed: (bytes: number) => void;
}

interface OpenShard {
  readonly file: ChunkFile;
  readonly trailer: ShardTrailer;
}

export class StripeFile implements ChunkFile {
  readonly #options: StripeFileOptions;
  /** Undefined for a shard that cannot be read. */
  readonly #shards = new Map<number, Promise<OpenShard | undefined>>();
  #stripe: Promise<StripeFacts> | undefined;

  constructor(options: StripeFileOptions) {
    this.#options = options;
  }

  /** What the shards say alike. Throws data-loss when none is there. */
  stripe(): Promise<StripeFacts> {
    this.#stripe ??= this.#options.mode === 'plain' ? this.#firstStripe() : this.#commonStripe();
    return this.#stripe;
  }

  /** Numbers of the shards that belong to the stripe. */
  async present(): Promise<number[]> {
    const found: number[] = [];
    for (let shard = 0; shard < ALL_SHARDS; shard++) {
      if ((await this.#member(shard)) !== undefined) found.push(shard);
    }
    return found;
  }

  async sizeBytes(): Promise<number> {
    return (await this.stripe()).chunkBytes;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    const { chunkBytes, shardBytes } = await this.stripe();
    const end = Math.min(position + buffer.length, chunkBytes);
    for (let at = position; at < end;) {
      const shard = Math.floor(at / shardBytes);
      const from = at - shard * shardBytes;
      const length = Math.min(end - at, shardBytes - from);
      await this.#readData(shard, from, buffer.subarray(at - position, at - position + length));
      at += length;
    }
    return Math.max(0, end - position);
  }

  /**
   * The blocks of a shard that cover [from, to), which are bounds of blocks; behind what is stored
   * they are zeros. Undefined when one of them is not as it was written.
   */
  async readBlocks(shard: number, from: number, to: number): Promise<Buffer | undefined> {
    const open = await this.#member(shard);
    if (open === undefined) return undefined;
    const { stripe, blockCrcs } = open.trailer;
    const stored = storedBytesOf(stripe, shard);
    const bytes = Buffer.alloc(to - from);
    const here = bytes.subarray(0, Math.max(0, Math.min(to, stored) - from));
    if (here.length > 0 && !(await this.#fill(open, here, from))) return undefined;
    for (let at = 0; at < here.length; at += stripe.blockBytes) {
      const block = here.subarray(at, at + stripe.blockBytes);
      if (crc32c(block) !== blockCrcs[(from + at) / stripe.blockBytes]) return undefined;
    }
    return bytes;
  }

  /**
   * All 14 shards between two bounds of blocks, behind each other, and which of them were not as
   * written and have been computed. Throws data-loss when fewer than ten are good.
   */
  async readAll(
    from: number,
    to: number,
    without: readonly number[] = [],
  ): Promise<{ shards: Buffer; computed: number[] }> {
    const size = to - from;
    const { codec, blockBytes } = await this.stripe();
    const shards = Buffer.alloc(ALL_SHARDS * size);
    const computed: number[] = [];
    let good = 0;
    for (let shard = 0; shard < ALL_SHARDS; shard++) {
      const isWanted = good < DATA_SHARDS && !without.includes(shard);
      const bytes = isWanted ? await this.readBlocks(shard, from, to) : undefined;
      if (bytes === undefined) computed.push(shard);
      else {
        shards.set(bytes, shard * size);
        good += 1;
      }
    }
    if (good < DATA_SHARDS) {
      throw new NightjarError(
        'data-loss',
        `expected ${DATA_SHARDS} good shards of ${ALL_SHARDS}, found ${good}`,
        { path: this.#options.path },
      );
    }
    await (await codecOf(codec)).fill(shards, computed, blockBytes);
    return { shards, computed };
  }

  async close(): Promise<void> {
    const open = await Promise.all(this.#shards.values());
    this.#shards.clear();
    for (const shard of open) await shard?.file.close().catch(() => undefined);
  }

  write(): Promise<void> {
    return Promise.reject(readOnly());
  }

  sync(): Promise<void> {
    return Promise.reject(readOnly());
  }

  truncate(): Promise<void> {
    return Promise.reject(readOnly());
  }

  async #readData(shard: number, from: number, target: Uint8Array): Promise<void> {
    const { mode, onReconstructed } = this.#options;
    if (mode === 'plain') {
      const open = await this.#open(shard);
      if (open !== undefined && (await this.#fill(open, target, from))) return;
    }
    const { blockBytes, shardBytes } = await this.stripe();
    const first = Math.floor(from / blockBytes) * blockBytes;
    const last = Math.ceil((from + target.length) / blockBytes) * blockBytes;
    const end = Math.min(last, shardBytes);
    let bytes = mode === 'plain' ? undefined : await this.readBlocks(shard, first, end);
    if (bytes === undefined) {
      const size = end - first;
      const { shards } = await this.readAll(first, end, [shard]);
      bytes = shards.subarray(shard * size, (shard + 1) * size);
      onReconstructed(target.length);
    }
    target.set(bytes.subarray(from - first, from - first + target.length));
  }

  /** False when the disk does not give all of it in time. */
  async #fill({ file }: OpenShard, target: Uint8Array, from: number): Promise<boolean> {
    // A disk that answers late must not write into what was given up.
    const bytes = Buffer.allocUnsafe(target.length);
    const read = await this.#inTime(file.read(bytes, from));
    if (read !== target.length) return false;
    target.set(bytes);
    return true;
  }

  async #firstStripe(): Promise<StripeFacts> {
    for (let shard = 0; shard < ALL_SHARDS; shard++) {
      const open = await this.#open(shard);
      if (open !== undefined) return open.trailer.stripe;
    }
    throw this.#gone();
  }

  /** What most shards say: a stripe that was written twice has two kinds. */
  async #commonStripe(): Promise<StripeFacts> {
    const kinds = new Map<string, { stripe: StripeFacts; count: number }>();
    for (let shard = 0; shard < ALL_SHARDS; shard++) {
      const stripe = (await this.#open(shard))?.trailer.stripe;
      if (stripe === undefined) continue;
      const key = stripeKey(stripe);
      kinds.set(key, { stripe, count: (kinds.get(key)?.count ?? 0) + 1 });
    }
    const [most] = [...kinds.values()].sort((a, b) => b.count - a.count);
    if (most === undefined) throw this.#gone();
    return most.stripe;
  }

  async #member(shard: number): Promise<OpenShard | undefined> {
    const open = await this.#open(shard);
    if (open === undefined) return undefined;
    return stripeKey(open.trailer.stripe) === stripeKey(await this.stripe()) ? open : undefined;
  }

  #open(shard: number): Promise<OpenShard | undefined> {
    let open = this.#shards.get(shard);
    if (open === undefined) {
      open = this.#inTime(this.#openShard(shard));
      this.#shards.set(shard, open);
    }
    return open;
  }

  async #openShard(shard: number): Promise<OpenShard | undefined> {
    const { directories, path } = this.#options;
    const place = shardPlace(directories, path, shard);
    if (place === undefined) return undefined;
    const file = await place.directory.files.open(place.path, 'read');
    try {
      const sizeBytes = await file.sizeBytes();
      const bytes = Buffer.alloc(TRAILER_BYTES);
      const read = await file.read(bytes, Math.max(0, sizeBytes - TRAILER_BYTES));
      const trailer = readTrailer(bytes.subarray(0, read));
      const expected = storedBytesOf(trailer.stripe, shard) + TRAILER_BYTES;
      if (trailer.shard === shard && sizeBytes === expected) return { file, trailer };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /** Undefined when it fails, or takes too long. Throws only what no other shard can mend. */
  async #inTime<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      const result = await inTime(this.#options.clock, READ_DEADLINE_MS, work);
      return result === 'late' ? undefined : result;
    } catch (error) {
      if (toNightjarError(error).code === 'unsupported') throw error;
      return undefined;
    }
  }

  #gone(): NightjarError {
    return new NightjarError('data-loss', 'expected a stripe that the index has, found none', {
      path: this.#options.path,
    });
  }
}

function readOnly(): NightjarError {
  return new NightjarError('failed-precondition', 'a chunk of the warm tier is not written to');
}
