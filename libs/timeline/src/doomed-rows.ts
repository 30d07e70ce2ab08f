// Group rows whose chunk is gone already: nobody sees them any more, and LevelDB deletes them by
// range, outside the thread of JavaScript. A note stays in the LSM until that is done.

import type { PendingBatch } from './commit-queue.js';
import { makeKey, rangeOf, u64At } from './keys.js';
import type { Entry, KeyRange, Lsm, RangeOptions } from './lsm.js';

const CHUNK_AT = 26;
const KEY_BYTES = 34;

interface Doomed {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly rows: number;
  /** Every row of the range is doomed; otherwise they go one by one. */
  isAlone: boolean;
}

export class DoomedRows {
  readonly #lsm: Lsm;
  readonly #chunks = new Map<number, Doomed>();
  #rows = 0;

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
  }

  /** Reads the notes that a process before left. */
  async load(): Promise<void> {
    this.#chunks.clear();
    this.#rows = 0;
    for (const [key, value] of await this.#lsm.entries(rangeOf('doomed'))) {
      const gte = value.subarray(0, KEY_BYTES);
      const lt = value.subarray(KEY_BYTES);
      const rows = (await this.#lsm.keys({ gte, lt })).length;
      this.#set(u64At(key, 1), { gte, lt, rows, isAlone: false });
    }
  }

  /** All rows of the range belong to this chunk, which goes in the same batch. */
  add(
    batch: PendingBatch,
    chunkId: number,
    range: { gte: Buffer; lt: Buffer; rows: number },
  ): void {
    batch.put(noteKey(chunkId), Buffer.concat([range.gte, range.lt]));
    this.#set(chunkId, { ...range, isAlone: true });
  }

  /** A row of another chunk is put. */
  spare(key: Buffer): void {
    for (const doomed of this.#chunks.values()) {
      if (key.compare(doomed.gte) >= 0 && key.compare(doomed.lt) < 0) doomed.isAlone = false;
    }
  }

  has(chunkId: number): boolean {
    return this.#chunks.has(chunkId);
  }

  get isEmpty(): boolean {
    return this.#chunks.size === 0;
  }

  /** The group rows of a range that are not doomed. */
  async entries(range: RangeOptions): Promise<readonly Entry[]> {
    if (this.isEmpty) return this.#lsm.entries(range);
    const { limit = Infinity, ...rest } = range;
    const more = limit < Infinity ? { limit: limit + this.#rows } : {};
    const entries = await this.#lsm.entries({ ...rest, ...more });
    return entries.filter(([key]) => !this.#isDoomed(key)).slice(0, limit);
  }

  /** Deletes them. Nothing was put into the batch that is not flushed. */
  async sweep(batch: PendingBatch): Promise<void> {
    for (const [id, { gte, lt, isAlone }] of [...this.#chunks]) {
      if (isAlone) await batch.clear({ gte, lt });
      else await this.#deleteEach(batch, { gte, lt });
      batch.del(noteKey(id));
    }
    await batch.flush();
    this.#chunks.clear();
    this.#rows = 0;
  }

  async #deleteEach(batch: PendingBatch, range: KeyRange): Promise<void> {
    for (const key of await this.#lsm.keys(range)) if (this.#isDoomed(key)) batch.del(key);
  }

  #isDoomed(key: Buffer): boolean {
    return this.#chunks.has(u64At(key, CHUNK_AT));
  }

  #set(chunkId: number, doomed: Doomed): void {
    this.#rows += doomed.rows - (this.#chunks.get(chunkId)?.rows ?? 0);
    this.#chunks.set(chunkId, doomed);
  }
}

function noteKey(chunkId: number): Buffer {
  return makeKey('doomed', { u64: chunkId });
}
