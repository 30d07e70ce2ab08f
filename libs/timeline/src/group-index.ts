// Group rows, and their removal together with a chunk or its lost end.

import type { TrackName } from '#media';
import type { PendingBatch } from './commit-queue.js';
import { Floors } from './floors.js';
import { boundedUs, makeKey, rangeOf } from './keys.js';
import type { Lsm } from './lsm.js';
import { decodeGroup, encodeGroup, groupKey } from './row-codec.js';
import type { ChunkRow, GroupRow } from './rows.js';
import {
  coalesce,
  GROUPS_LOOKED_BACK,
  spanOf,
  type Span,
  type SpanIndex,
  type TrackKey,
} from './spans.js';

export interface GroupsQuery {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly limit?: number;
  /** Newest first. */
  readonly reverse?: boolean;
}

export class GroupIndex {
  readonly #lsm: Lsm;
  readonly #spans: SpanIndex;
  readonly #floors = new Floors();

  constructor(lsm: Lsm, spans: SpanIndex) {
    this.#lsm = lsm;
    this.#spans = spans;
  }

  /** Forgets what is kept in memory. */
  reset(): void {
    this.#floors.reset();
  }

  put(batch: PendingBatch, row: GroupRow): void {
    this.#floors.lower(row, row.startUnixUs);
    batch.put(groupKey(row), encodeGroup(row));
  }

  async overlapping(camera: string, track: TrackName, query: GroupsQuery): Promise<GroupRow[]> {
    const { limit = Infinity, reverse = false } = query;
    const fromUnixUs = boundedUs(query.fromUnixUs);
    const toUnixUs = boundedUs(query.toUnixUs);
    const floor = this.#floors.of({ camera, track });
    const from = startKey({ camera, track }, Math.min(Math.max(fromUnixUs, floor), toUnixUs));
    const to = startKey({ camera, track }, toUnixUs);
    const early = await this.#before({ camera, track }, fromUnixUs);
    const before = early.filter((row) => endOf(row) > fromUnixUs);
    const left = reverse ? limit : limit - before.length;
    const bound = left < Infinity ? { limit: Math.max(0, left) } : {};
    const entries = await this.#lsm.entries({ gte: from, lt: to, reverse, ...bound });
    const inside = entries.map(([key, value]) => decodeGroup(key, value));
    const all = reverse ? [...inside, ...before.reverse()] : [...before, ...inside];
    return all.slice(0, limit);
  }

  async at(camera: string, track: TrackName, atUnixUs: number): Promise<GroupRow | undefined> {
    const rows = await this.#before({ camera, track }, boundedUs(atUnixUs) + 1);
    return rows.reverse().find((row) => endOf(row) > atUnixUs);
  }

  /** The rows of a chunk in the order of their bytes. */
  async ofChunk(chunk: ChunkRow): Promise<GroupRow[]> {
    const entries = await this.#lsm.entries({
      gte: startKey(chunk, chunk.firstUnixUs),
      lt: startKey(chunk, chunk.lastUnixUs + 1),
    });
    return entries
      .map(([key, value]) => decodeGroup(key, value))
      .filter(({ chunkId }) => chunkId === chunk.id)
      .sort((a, b) => a.offset - b.offset);
  }

  /**
   * Removes the rows of `chunk` whose bytes end behind `keepBytes` (0: all), and cuts the spans to
   * what other rows cover. Rows of other chunks in the same time stay: each key names its chunk.
   * The batch was flushed before.
   */
  async removeChunk(batch: PendingBatch, chunk: ChunkRow, keepBytes: number): Promise<void> {
    const { camera, track } = chunk;
    const entries = await this.#lsm.entries({
      gte: startKey(chunk, chunk.firstUnixUs),
      lt: startKey(chunk, chunk.lastUnixUs + 1),
    });
    const rows = entries.map(([key, value]) => decodeGroup(key, value));
    const isGone = (row: GroupRow) =>
      row.chunkId === chunk.id && row.offset + row.length > keepBytes;
    const gone = rows.filter(isGone);
    if (gone.length === 0) return;
    for (const [index, [key]] of entries.entries()) {
      const row = rows[index];
      if (row !== undefined && isGone(row)) batch.del(key);
    }
    const fromUnixUs = Math.min(...gone.map((row) => row.startUnixUs));
    const toUnixUs = Math.max(...gone.map(endOf));
    const old = await this.#spans.overlapping({ camera, track }, fromUnixUs, toUnixUs);
    // What is left in and around the time that the removed rows covered.
    const before = (await this.#before(chunk, fromUnixUs)).filter((row) => !isGone(row));
    const endUnixUs = (old.at(-1)?.toUnixUs ?? toUnixUs) + 1;
    const read = rows.filter(
      ({ startUnixUs }) => startUnixUs >= fromUnixUs && startUnixUs < endUnixUs,
    );
    // What lies in the chunk's time was read above: the next row is enough.
    const behind =
      chunk.lastUnixUs + 1 < endUnixUs
        ? await this.#lsm.entries({
            gte: startKey(chunk, chunk.lastUnixUs + 1),
            lt: startKey(chunk, endUnixUs),
            limit: entries.length + 1 - read.length,
          })
        : [];
    const after = [...read, ...behind.map(([key, value]) => decodeGroup(key, value))].filter(
      (row) => !isGone(row),
    );
    if (before.length === 0) {
      this.#floors.raise({ camera, track }, after[0]?.startUnixUs ?? toUnixUs);
    }
    const left: Span[] = [...before, ...after].map(spanOf);
    for (const span of old) {
      const ends = before.filter((row) => row.startUnixUs >= span.fromUnixUs).map(endOf);
      if (span.fromUnixUs < fromUnixUs && ends.length > 0) {
        left.push({ fromUnixUs: span.fromUnixUs, toUnixUs: Math.max(...ends) });
      }
      const next = after.find((row) => row.startUnixUs > toUnixUs);
      if (span.toUnixUs > toUnixUs && next !== undefined && next.startUnixUs <= span.toUnixUs) {
        left.push({ fromUnixUs: next.startUnixUs, toUnixUs: span.toUnixUs });
      }
    }
    const first = old[0]?.fromUnixUs ?? fromUnixUs;
    const inside = left.filter((span) => span.fromUnixUs >= first);
    this.#spans.replace(batch, { camera, track }, { old, new: coalesce(inside) });
  }

  /** The last rows that begin before the moment, oldest first. */
  async #before(key: TrackKey, unixUs: number): Promise<GroupRow[]> {
    if (unixUs <= this.#floors.of(key)) return [];
    const { gte } = rangeOf('group', { uuid: key.camera }, { track: key.track });
    const lt = startKey(key, unixUs);
    const entries = await this.#lsm.entries({ gte, lt, reverse: true, limit: GROUPS_LOOKED_BACK });
    return entries.reverse().map(([entryKey, value]) => decodeGroup(entryKey, value));
  }
}

function endOf(row: GroupRow): number {
  return row.startUnixUs + row.durationUs;
}

function startKey({ camera, track }: TrackKey, unixUs: number): Buffer {
  return makeKey(
    'group',
    { uuid: camera },
    { track },
    { u64: Math.min(unixUs, Number.MAX_SAFE_INTEGER) },
  );
}
