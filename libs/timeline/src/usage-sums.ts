// How much each camera takes in each store directory: sums that go along with the chunk rows.

import { ByteReader, ByteWriter } from '#base';
import type { PendingBatch } from './commit-queue.js';
import { makeKey, rangeOf, uuidAt } from './keys.js';
import type { Lsm } from './lsm.js';
import type { ChunkRow } from './rows.js';

const STORE_AT = 17;
const KEY_BYTES = 33;

interface Sum {
  readonly bytes: number;
  readonly chunks: number;
}

type Counted = Pick<ChunkRow, 'camera' | 'store' | 'sizeBytes'>;

const NONE: Sum = { bytes: 0, chunks: 0 };

export class UsageSums {
  readonly #lsm: Lsm;
  /** By camera, then by store. */
  readonly #sums = new Map<string, Map<string, Sum>>();
  #uncounted: string[] = [];

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
  }

  async load(): Promise<void> {
    this.#sums.clear();
    this.#uncounted = [];
    for (const [key, value] of await this.#lsm.entries(rangeOf('usage'))) {
      const camera = uuidAt(key, 1);
      const reader = new ByteReader(value);
      // Older rows counted a camera over all stores.
      if (key.length < KEY_BYTES) this.#uncounted.push(camera);
      else this.#set(camera, uuidAt(key, STORE_AT), [reader.varint(), reader.varint()]);
    }
  }

  get uncounted(): readonly string[] {
    return this.#uncounted;
  }

  byCamera(): Map<string, Sum> {
    const found = new Map<string, Sum>();
    for (const [camera, stores] of this.#sums) {
      found.set(camera, [...stores.values()].reduce(plus, NONE));
    }
    return found;
  }

  byStore(): Map<string, number> {
    const found = new Map<string, number>();
    for (const stores of this.#sums.values()) {
      for (const [store, { bytes }] of stores) found.set(store, (found.get(store) ?? 0) + bytes);
    }
    return found;
  }

  /** A chunk takes the place of another, or comes, or goes. */
  replace(batch: PendingBatch, old: Counted | undefined, row: Counted | undefined): void {
    if (old?.store === row?.store && old?.camera === row?.camera) {
      const bytes = (row?.sizeBytes ?? 0) - (old?.sizeBytes ?? 0);
      if (row !== undefined) this.#count(batch, row, { bytes, chunks: 0 });
      return;
    }
    if (old !== undefined) this.#count(batch, old, { bytes: -old.sizeBytes, chunks: -1 });
    if (row !== undefined) this.#count(batch, row, { bytes: row.sizeBytes, chunks: 1 });
  }

  /** Counts a camera anew, whose chunks are these. */
  recount(batch: PendingBatch, camera: string, rows: readonly Counted[]): void {
    for (const store of this.#sums.get(camera)?.keys() ?? []) batch.del(usageKey(camera, store));
    this.#sums.delete(camera);
    if (this.#uncounted.includes(camera)) batch.del(makeKey('usage', { uuid: camera }));
    this.#uncounted = this.#uncounted.filter((other) => other !== camera);
    const sums = new Map<string, Sum>();
    for (const { store, sizeBytes } of rows) {
      sums.set(store, plus(sums.get(store) ?? NONE, { bytes: sizeBytes, chunks: 1 }));
    }
    for (const [store, sum] of sums) this.#count(batch, { camera, store }, sum);
  }

  #count(batch: PendingBatch, at: Omit<Counted, 'sizeBytes'>, change: Sum): void {
    const { camera, store } = at;
    const stores = this.#sums.get(camera);
    const { bytes, chunks } = plus(stores?.get(store) ?? NONE, change);
    if (chunks <= 0) {
      stores?.delete(store);
      if (stores?.size === 0) this.#sums.delete(camera);
      batch.del(usageKey(camera, store));
    } else {
      const sum = this.#set(camera, store, [Math.max(0, bytes), chunks]);
      const value = new ByteWriter(16).varint(sum.bytes).varint(sum.chunks).copy();
      batch.put(usageKey(camera, store), value);
    }
  }

  #set(camera: string, store: string, [bytes, chunks]: [number, number]): Sum {
    const sum = { bytes, chunks };
    const stores = this.#sums.get(camera) ?? new Map<string, Sum>();
    stores.set(store, sum);
    this.#sums.set(camera, stores);
    return sum;
  }
}

function plus(a: Sum, b: Sum): Sum {
  return { bytes: a.bytes + b.bytes, chunks: a.chunks + b.chunks };
}

function usageKey(camera: string, store: string): Buffer {
  return makeKey('usage', { uuid: camera }, { uuid: store });
}
