// Chunk rows, and the indexes over them.

import type { TrackName } from '#media';
import type { PendingBatch } from './commit-queue.js';
import { Floors } from './floors.js';
import { dayOf, makeKey, rangeOf, u64At } from './keys.js';
import type { Lsm } from './lsm.js';
import { decodeChunk, encodeChunk } from './row-codec.js';
import type { CameraUsage, ChunkRow } from './rows.js';
import type { SafePoint } from './safe-point.js';
import type { TrackKey } from './spans.js';
import { UsageSums } from './usage-sums.js';

const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
const NOTHING = Buffer.alloc(0);
const EARLIER_US = 2_000_000;

export interface ChunksQuery {
  readonly track?: TrackName;
  readonly limit?: number;
  /** Only chunks that begin at this moment or later. */
  readonly fromUnixUs?: number;
  /** Newest first. */
  readonly reverse?: boolean;
}

export class ChunkIndex {
  readonly #lsm: Lsm;
  readonly #unsealed = new Map<number, ChunkRow>();
  readonly #sums: UsageSums;
  readonly #floors = new Floors();
  /** No chunk ended on a day before this. */
  #oldestDay = 0;
  /** No chunk of the LSM has a higher id. */
  #highestId = -1;

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
    this.#sums = new UsageSums(lsm);
  }

  async load(): Promise<void> {
    this.#floors.reset();
    this.#oldestDay = 0;
    this.#unsealed.clear();
    for (const key of await this.#lsm.keys(rangeOf('unsealed'))) {
      const row = await this.find(u64At(key, 1));
      if (row !== undefined) this.#unsealed.set(row.id, row);
    }
    await this.#sums.load();
    const [last] = await this.#lsm.keys({ ...rangeOf('chunk'), reverse: true, limit: 1 });
    this.#highestId = last === undefined ? -1 : u64At(last, 1);
  }

  /** The rows as they are now. */
  get extent(): Pick<SafePoint, 'highestId' | 'unsealed'> {
    return { highestId: this.#highestId, unsealed: [...this.#unsealed.keys()] };
  }

  /**
   * Puts anew what leads to a row and is put only when that changes. The batch was flushed before,
   * and the caller holds back other writes.
   */
  async relink(batch: PendingBatch, row: ChunkRow): Promise<void> {
    const { firstUnixUs } = row;
    this.#floors.lower(row, firstUnixUs);
    this.#oldestDay = Math.min(this.#oldestDay, dayOf(row.lastUnixUs));
    // A camera clock that goes back within a chunk moves its beginning by less.
    const { gte } = this.#rangeOf(row, firstUnixUs + 1);
    const { gte: lt } = this.#rangeOf(row, firstUnixUs + EARLIER_US);
    for (const key of await this.#lsm.keys({ gte, lt })) {
      if (u64At(key, 26) === row.id) batch.del(key);
    }
    batch.put(cameraKey(row), NOTHING);
    batch.del(makeKey('expiry', { u32: Math.max(0, dayOf(row.lastUnixUs) - 1) }, { u64: row.id }));
    batch.put(expiryKey(row), NOTHING);
    if (row.sealed) {
      batch.del(unsealedKey(row.id));
      this.#unsealed.delete(row.id);
    } else {
      batch.put(unsealedKey(row.id), NOTHING);
      this.#unsealed.set(row.id, row);
    }
  }

  /** Counts what a camera takes from its rows. As `relink`. */
  async recount(batch: PendingBatch, camera: string): Promise<void> {
    this.#sums.recount(batch, camera, await this.ofCamera(camera, {}));
  }

  /** Cameras that must be counted before their usage can be told. */
  get uncounted(): readonly string[] {
    return this.#sums.uncounted;
  }

  unsealed(): ChunkRow[] {
    return [...this.#unsealed.values()].sort((a, b) => a.id - b.id);
  }

  async find(id: number): Promise<ChunkRow | undefined> {
    const known = this.#unsealed.get(id);
    if (known !== undefined) return known;
    const key = makeKey('chunk', { u64: id });
    const value = await this.#lsm.get(key);
    return value === undefined ? undefined : decodeChunk(key, value);
  }

  /** The row that `put` will replace. Reads only for chunks that are neither new nor unsealed. */
  async before(batch: PendingBatch, id: number): Promise<ChunkRow | undefined> {
    if (id > this.#highestId) return undefined;
    if (!this.#unsealed.has(id)) await batch.flush();
    return this.find(id);
  }

  put(batch: PendingBatch, row: ChunkRow, old: ChunkRow | undefined): void {
    const value = encodeChunk(row);
    this.#floors.lower(row, row.firstUnixUs);
    this.#oldestDay = Math.min(this.#oldestDay, dayOf(row.lastUnixUs));
    if (old !== undefined) this.#unlink(batch, old, row);
    batch.put(makeKey('chunk', { u64: row.id }), value);
    if (old?.firstUnixUs !== row.firstUnixUs) batch.put(cameraKey(row), NOTHING);
    if (old === undefined || dayOf(old.lastUnixUs) !== dayOf(row.lastUnixUs)) {
      batch.put(expiryKey(row), NOTHING);
    }
    if (!row.sealed && old?.sealed !== false) batch.put(unsealedKey(row.id), NOTHING);
    if (row.sealed && old?.sealed === false) batch.del(unsealedKey(row.id));
    if (row.sealed) this.#unsealed.delete(row.id);
    else this.#unsealed.set(row.id, row);
    this.#highestId = Math.max(this.#highestId, row.id);
    this.#sums.replace(batch, old, row);
  }

  /** The batch was flushed before, and the caller holds back other writes. */
  async remove(batch: PendingBatch, row: ChunkRow): Promise<void> {
    const [first, second] = await this.#lsm.keys({ ...this.#rangeOf(row), limit: 2 });
    if (first !== undefined && u64At(first, 26) === row.id) {
      this.#floors.raise(row, second === undefined ? row.firstUnixUs : u64At(second, 18));
    }
    const gte = makeKey('expiry', { u32: this.#oldestDay });
    const [oldest] = await this.#lsm.keys({ gte, lt: rangeOf('expiry').lt, limit: 1 });
    if (oldest !== undefined) this.#oldestDay = oldest.readUInt32BE(1);
    this.#unlink(batch, row, undefined);
    batch.del(makeKey('chunk', { u64: row.id }));
    if (!row.sealed) batch.del(unsealedKey(row.id));
    this.#unsealed.delete(row.id);
    this.#sums.replace(batch, row, undefined);
  }

  async ofCamera(camera: string, query: ChunksQuery): Promise<ChunkRow[]> {
    const { track, limit = Infinity, fromUnixUs = 0, reverse = false } = query;
    const tracks = track === undefined ? TRACKS : [track];
    const found: Buffer[] = [];
    const bound = limit < Infinity ? { limit } : {};
    for (const one of tracks) {
      const keys = await this.#lsm.keys({
        ...this.#rangeOf({ camera, track: one }, fromUnixUs),
        reverse,
        ...bound,
      });
      found.push(...keys);
    }
    const sign = reverse ? -1 : 1;
    found.sort((a, b) => sign * Buffer.compare(a.subarray(18), b.subarray(18)));
    return this.#findAll(found.slice(0, limit).map((key) => u64At(key, 26)));
  }

  /** By id, which is the order in which they were made. */
  async after(id: number, limit: number): Promise<ChunkRow[]> {
    const gte = makeKey('chunk', { u64: id + 1 });
    const entries = await this.#lsm.entries({ gte, lt: rangeOf('chunk').lt, limit });
    return entries.map(([key, value]) => decodeChunk(key, value));
  }

  /** Oldest day first; pages, so that the caller stops where it has enough. */
  async *byAge(beforeUnixUs: number): AsyncGenerator<ChunkRow[]> {
    const gte = makeKey('expiry', { u32: this.#oldestDay });
    const lt = makeKey('expiry', { u32: dayOf(beforeUnixUs) + 1 });
    for await (const page of this.#lsm.pages({ gte, lt })) {
      const rows = await this.#findAll(page.map(([key]) => u64At(key, 5)));
      yield rows.filter((row) => row.lastUnixUs < beforeUnixUs);
    }
  }

  /** Bytes by the identity of the store directory. */
  usageOfStores(): ReadonlyMap<string, number> {
    return this.#sums.byStore();
  }

  async usage(): Promise<CameraUsage[]> {
    const rows: CameraUsage[] = [];
    for (const [camera, { bytes, chunks }] of this.#sums.byCamera()) {
      const oldest = await this.ofCamera(camera, { limit: 1 });
      const newest = await this.ofCamera(camera, { limit: 1, reverse: true });
      const [first, last] = [oldest[0], newest[0]];
      if (first === undefined || last === undefined) continue;
      const oldestUnixUs = first.firstUnixUs;
      rows.push({ camera, bytes, chunks, oldestUnixUs, newestUnixUs: last.lastUnixUs });
    }
    return rows;
  }

  #rangeOf({ camera, track }: TrackKey, fromUnixUs = 0): { gte: Buffer; lt: Buffer } {
    const { lt } = rangeOf('chunk-of-camera', { uuid: camera }, { track });
    const first = { u64: Math.max(fromUnixUs, this.#floors.of({ camera, track })) };
    return { gte: makeKey('chunk-of-camera', { uuid: camera }, { track }, first), lt };
  }

  async #findAll(ids: readonly number[]): Promise<ChunkRow[]> {
    const keys = ids.map((id) => makeKey('chunk', { u64: id }));
    const values = await this.#lsm.getMany(keys);
    return values.flatMap((value, index) => {
      const key = keys[index];
      return value === undefined || key === undefined ? [] : [decodeChunk(key, value)];
    });
  }

  /** Removes what of `old` the row in its place does not have. */
  #unlink(batch: PendingBatch, old: ChunkRow, row: ChunkRow | undefined): void {
    if (row?.firstUnixUs !== old.firstUnixUs) batch.del(cameraKey(old));
    if (row === undefined || dayOf(row.lastUnixUs) !== dayOf(old.lastUnixUs)) {
      batch.del(expiryKey(old));
    }
  }
}

function cameraKey({ camera, track, firstUnixUs, id }: ChunkRow): Buffer {
  const first = { u64: firstUnixUs };
  return makeKey('chunk-of-camera', { uuid: camera }, { track }, first, { u64: id });
}

function expiryKey({ lastUnixUs, id }: ChunkRow): Buffer {
  return makeKey('expiry', { u32: dayOf(lastUnixUs) }, { u64: id });
}

function unsealedKey(id: number): Buffer {
  return makeKey('unsealed', { u64: id });
}
