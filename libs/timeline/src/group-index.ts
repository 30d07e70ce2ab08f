// Group rows, and their removal together with a chunk or its lost end.

import type { TrackName } from '#media';
import type { PendingBatch } from './commit-queue.js';
import type { DoomedRows } from './doomed-rows.js';
import { Floors } from './floors.js';
import { boundedUs, makeKey, rangeOf, u64At } from './keys.js';
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

const START_AT = 18;
const CHUNK_AT = 26;
/** Fewer rows go with the batch itself. */
const FEW = 8;

export class GroupIndex {
  readonly #lsm: Lsm;
  readonly #spans: SpanIndex;
  readonly #doomed: DoomedRows;
  readonly #floors = new Floors();

  constructor(o: { lsm: Lsm; spans: SpanIndex; doomed: DoomedRows }) {
    this.#lsm = o.lsm;
    this.#spans = o.spans;
    this.#doomed = o.doomed;
  }

  /** Forgets what is kept in memory. */
  reset(): void {
    this.#floors.reset();
  }

  put(batch: PendingBatch, row: GroupRow): void {
    this.#floors.lower(row, row.startUnixUs);
    const key = groupKey(row);
    if (!this.#doomed.isEmpty) this.#doomed.spare(key);
    batch.put(key, encodeGroup(row));
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
    const entries = await this.#doomed.entries({ gte: from, lt: to, reverse, ...bound });
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
    const entries = await this.#doomed.entries(timeOf(chunk));
    return entries
      .map(([key, value]) => decodeGroup(key, value))
      .filter(({ chunkId }) => chunkId === chunk.id)
      .sort((a, b) => a.offset - b.offset);
  }

  /**
   * Removes all rows of `chunk`, and cuts the spans to what other rows cover. Rows of other chunks
   * in the same time stay: each key names its chunk. The batch was flushed before.
   */
  async removeChunk(batch: PendingBatch, chunk: ChunkRow): Promise<void> {
    const time = timeOf(chunk);
    const keys = await this.#lsm.keys(time);
    const isOwn = (key: Buffer) => u64At(key, CHUNK_AT) === chunk.id;
    const [begin, end] = [keys.findIndex(isOwn), keys.findLastIndex(isOwn)];
    const [first, last] = [keys[begin], keys[end]];
    const count = end + 1;
    // Others before or among them: a clock went back.
    const isAlone = begin === 0 && keys.slice(0, end).every(isOwn);
    if (first === undefined || last === undefined || !isAlone || count < FEW) {
      return this.cutChunk(batch, chunk, 0);
    }
    const range = { gte: first, lt: Buffer.concat([last, Buffer.of(0)]) };
    const tail = { ...range, reverse: true, limit: GROUPS_LOOKED_BACK };
    const ends = (await this.#lsm.entries(tail)).map(([key, value]) =>
      endOf(decodeGroup(key, value)),
    );
    const gone = { fromUnixUs: u64At(first, START_AT), toUnixUs: Math.max(...ends) };
    const left = end + 1 < keys.length ? { gte: range.lt, lt: time.lt } : undefined;
    const entries = left === undefined ? [] : await this.#doomed.entries(left);
    const others = entries.map(([key, value]) => decodeGroup(key, value));
    await this.#cutSpans(batch, chunk, { gone, left: others });
    this.#doomed.add(batch, chunk.id, { ...range, rows: count });
  }

  /** The same, for the rows whose bytes end behind `keepBytes`, one by one. */
  async cutChunk(batch: PendingBatch, chunk: ChunkRow, keepBytes: number): Promise<void> {
    const rows: GroupRow[] = [];
    const gone: GroupRow[] = [];
    for (const [key, value] of await this.#doomed.entries(timeOf(chunk))) {
      const row = decodeGroup(key, value);
      const isGone = row.chunkId === chunk.id && row.offset + row.length > keepBytes;
      (isGone ? gone : rows).push(row);
      if (isGone) batch.del(key);
    }
    if (gone.length === 0 && keepBytes > 0) return;
    // A power cut may have kept the clearing of a dropped chunk's rows without its drop: then they
    // are gone, and what covers their time is not.
    const isEmpty = gone.length === 0;
    const fromUnixUs = isEmpty
      ? chunk.firstUnixUs
      : Math.min(...gone.map((row) => row.startUnixUs));
    const toUnixUs = isEmpty ? chunk.lastUnixUs : Math.max(...gone.map(endOf));
    const isGone = (row: GroupRow) =>
      row.chunkId === chunk.id && row.offset + row.length > keepBytes;
    await this.#cutSpans(batch, chunk, { gone: { fromUnixUs, toUnixUs }, left: rows, isGone });
  }

  /** `left` are the other rows in the time of the chunk. */
  async #cutSpans(
    batch: PendingBatch,
    chunk: ChunkRow,
    o: { gone: Span; left: readonly GroupRow[]; isGone?: (row: GroupRow) => boolean },
  ): Promise<void> {
    const { camera, track } = chunk;
    const { fromUnixUs, toUnixUs } = o.gone;
    const isGone = o.isGone ?? ((row: GroupRow) => row.chunkId === chunk.id);
    await this.#spans.prepare(batch, { camera, track }, []);
    const old = await this.#spans.overlapping({ camera, track }, fromUnixUs, toUnixUs);
    // What is left in and around the time that the removed rows covered: a span that begins with
    // them has nothing before.
    const spanUnixUs = old[0]?.fromUnixUs ?? fromUnixUs;
    const before =
      spanUnixUs < fromUnixUs
        ? (await this.#before(chunk, fromUnixUs, spanUnixUs)).filter((row) => !isGone(row))
        : [];
    const endUnixUs = (old.at(-1)?.toUnixUs ?? toUnixUs) + 1;
    const inside = o.left.filter(
      ({ startUnixUs }) => startUnixUs >= fromUnixUs && startUnixUs < endUnixUs,
    );
    // What lies in the chunk's time was read: the next rows are enough.
    const next =
      chunk.lastUnixUs + 1 < endUnixUs
        ? await this.#doomed.entries({
            gte: startKey(chunk, chunk.lastUnixUs + 1),
            lt: startKey(chunk, endUnixUs),
            limit: GROUPS_LOOKED_BACK,
          })
        : [];
    const after = [...inside, ...next.map(([key, value]) => decodeGroup(key, value))];
    const [first] = await this.#lsm.keys({ ...this.#rangeOf(chunk), limit: 1 });
    const firstUnixUs = first === undefined ? fromUnixUs : u64At(first, START_AT);
    const nextUnixUs = after[0]?.startUnixUs ?? toUnixUs;
    this.#floors.raise(chunk, firstUnixUs < fromUnixUs ? firstUnixUs : nextUnixUs);
    const left: Span[] = [...before, ...after].map(spanOf);
    for (const span of old) {
      const ends = before.filter((row) => row.startUnixUs >= span.fromUnixUs).map(endOf);
      if (span.fromUnixUs < fromUnixUs && ends.length > 0) {
        left.push({ fromUnixUs: span.fromUnixUs, toUnixUs: Math.max(...ends) });
      }
      const later = after.find((row) => row.startUnixUs > toUnixUs);
      if (span.toUnixUs > toUnixUs && later !== undefined && later.startUnixUs <= span.toUnixUs) {
        left.push({ fromUnixUs: later.startUnixUs, toUnixUs: span.toUnixUs });
      }
    }
    const kept = left.filter((span) => span.fromUnixUs >= spanUnixUs);
    this.#spans.replace(batch, { camera, track }, { old, new: coalesce(kept) });
  }

  /** The last rows that begin before the moment, but not before `fromUnixUs`, oldest first. */
  async #before(key: TrackKey, unixUs: number, fromUnixUs = 0): Promise<GroupRow[]> {
    if (unixUs <= this.#floors.of(key)) return [];
    const { gte } = this.#rangeOf(key, fromUnixUs);
    const lt = startKey(key, unixUs);
    const last = { gte, lt, reverse: true, limit: GROUPS_LOOKED_BACK };
    const entries = await this.#doomed.entries(last);
    return entries.toReversed().map(([entryKey, value]) => decodeGroup(entryKey, value));
  }

  /** From the floor on, behind which there is nothing. */
  #rangeOf({ camera, track }: TrackKey, fromUnixUs = 0): { gte: Buffer; lt: Buffer } {
    const { lt } = rangeOf('group', { uuid: camera }, { track });
    const from = Math.max(fromUnixUs, this.#floors.of({ camera, track }));
    return { gte: startKey({ camera, track }, from), lt };
  }
}

/** Where the groups of a chunk lie. */
function timeOf(chunk: ChunkRow): { gte: Buffer; lt: Buffer } {
  return {
    gte: startKey(chunk, chunk.firstUnixUs),
    lt: startKey(chunk, chunk.lastUnixUs + 1),
  };
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
