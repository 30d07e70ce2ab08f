// Recording spans: the union of groups, where a hole below one second counts as none.

import type { TrackName } from '#media';
import type { PendingBatch } from './commit-queue.js';
import type { DoomedRows } from './doomed-rows.js';
import { makeKey, rangeOf, u64At } from './keys.js';
import type { Entry, Lsm } from './lsm.js';
import { decodeGroup } from './row-codec.js';
import type { GroupRow } from './rows.js';

export interface Span {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

export interface TrackKey {
  readonly camera: string;
  readonly track: TrackName;
}

/** Timestamps of cameras jitter by less. */
const HOLE_US = 1_000_000;
/** Groups of a track do not overlap but after a clock went back; so many rows are looked at. */
export const GROUPS_LOOKED_BACK = 8;

/** The union, in order of time. */
export function coalesce(spans: readonly Span[]): Span[] {
  const sorted = [...spans].sort((a, b) => a.fromUnixUs - b.fromUnixUs);
  const union: { fromUnixUs: number; toUnixUs: number }[] = [];
  for (const { fromUnixUs, toUnixUs } of sorted) {
    const last = union.at(-1);
    if (last !== undefined && fromUnixUs - last.toUnixUs < HOLE_US) {
      last.toUnixUs = Math.max(last.toUnixUs, toUnixUs);
    } else {
      union.push({ fromUnixUs, toUnixUs });
    }
  }
  return union;
}

/** A span that grows is written anew this often; in between its groups tell its end. */
const SAVE_EVERY_US = 60_000_000;

interface Newest {
  readonly span: Span;
  /** The end that its row has. */
  readonly savedToUnixUs: number;
}

export class SpanIndex {
  readonly #lsm: Lsm;
  /** The newest span of each track, `undefined` for none; tracks that were not met are absent. */
  readonly #newest = new Map<string, Newest | undefined>();

  readonly #doomed: DoomedRows;

  constructor(lsm: Lsm, doomed: DoomedRows) {
    this.#lsm = lsm;
    this.#doomed = doomed;
  }

  /** Forgets what is kept in memory. */
  reset(): void {
    this.#newest.clear();
  }

  /**
   * To be called before the caller puts anything into `batch`: whether `extend` needs no read (the
   * usual case: footage that goes on or comes later). Otherwise the batch is to be flushed first.
   */
  async prepare(batch: PendingBatch, key: TrackKey, spans: readonly Span[]): Promise<boolean> {
    const name = nameOf(key);
    if (!this.#newest.has(name)) {
      await batch.flush();
      this.#newest.set(name, await this.#readNewest(key));
    }
    return isFast(this.#newest.get(name)?.span, spans);
  }

  /** Adds spans (coalesced) to a track, behind `prepare`. */
  async extend(batch: PendingBatch, key: TrackKey, spans: readonly Span[]): Promise<void> {
    const name = nameOf(key);
    if (!isFast(this.#newest.get(name)?.span, spans)) {
      const [from, to] = [spans[0]?.fromUnixUs ?? 0, spans.at(-1)?.toUnixUs ?? 0];
      const near = await this.overlapping(key, from - HOLE_US, to + HOLE_US);
      this.replace(batch, key, { old: near, new: coalesce([...near, ...spans]) });
      return;
    }
    for (const span of spans) {
      const newest = this.#newest.get(name);
      const joined = coalesce(newest === undefined ? [span] : [newest.span, span]).at(-1) ?? span;
      const isNew = newest?.span.fromUnixUs !== joined.fromUnixUs;
      let savedToUnixUs = newest?.savedToUnixUs ?? 0;
      if (isNew && newest !== undefined && savedToUnixUs < newest.span.toUnixUs) {
        put(batch, key, newest.span);
      }
      if (isNew || joined.toUnixUs - savedToUnixUs >= SAVE_EVERY_US) {
        put(batch, key, joined);
        savedToUnixUs = joined.toUnixUs;
      }
      this.#newest.set(name, { span: joined, savedToUnixUs });
    }
  }

  /** Puts `new` in the place of `old`. */
  replace(
    batch: PendingBatch,
    key: TrackKey,
    spans: { readonly old: readonly Span[]; readonly new: readonly Span[] },
  ): void {
    for (const span of spans.old) batch.del(spanKey(key, span.fromUnixUs));
    for (const span of spans.new) put(batch, key, span);
    const name = nameOf(key);
    const newest = this.#newest.get(name)?.span.fromUnixUs;
    // What lies before the newest one does not change it.
    if (newest !== undefined && !spans.old.some((span) => span.fromUnixUs === newest)) return;
    const last = newest === undefined ? undefined : spans.new.at(-1);
    if (last === undefined) this.#newest.delete(name);
    else this.#newest.set(name, { span: last, savedToUnixUs: last.toUnixUs });
  }

  /** Makes the spans from the moment on anew out of the groups. The batch was flushed before. */
  async rederive(batch: PendingBatch, key: TrackKey, fromUnixUs: number): Promise<void> {
    // A row's end may lag behind its groups.
    const from = Math.max(0, fromUnixUs - 2 * SAVE_EVERY_US);
    this.#newest.delete(nameOf(key));
    const old = await this.overlapping(key, from, Number.MAX_SAFE_INTEGER);
    const kept = old
      .filter((span) => span.fromUnixUs < from)
      .map((span) => ({ ...span, toUnixUs: Math.min(span.toUnixUs, from) }));
    const groups = await groupSpansFrom(this.#doomed, key, from);
    this.replace(batch, key, { old, new: coalesce([...kept, ...groups]) });
  }

  /** Spans that touch [from, to], whole, in order of time. */
  async overlapping(key: TrackKey, fromUnixUs: number, toUnixUs: number): Promise<Span[]> {
    const range = rangeOf('span', { uuid: key.camera }, { track: key.track });
    const from = Math.max(0, fromUnixUs);
    const inside = await this.#lsm.entries({
      gte: spanKey(key, from),
      lte: spanKey(key, Math.max(from, toUnixUs)),
    });
    // Where a span begins right there, none before it reaches so far.
    const [first] = inside;
    const isStart = first !== undefined && decode(first).fromUnixUs === from;
    const last = { gte: range.gte, lt: spanKey(key, from), reverse: true, limit: 1 };
    const before = isStart ? [] : await this.#lsm.entries(last);
    const rows = [...before, ...inside].map(decode);
    if (rows.length === 0) return rows;
    const name = nameOf(key);
    const newest = this.#newest.has(name) ? this.#newest.get(name) : await this.#readNewest(key);
    return rows
      .map((span) => (span.fromUnixUs === newest?.span.fromUnixUs ? newest.span : span))
      .filter((span) => span.toUnixUs >= from);
  }

  /** The newest row, grown by the groups that came behind it. */
  async #readNewest(key: TrackKey): Promise<Newest | undefined> {
    const range = rangeOf('span', { uuid: key.camera }, { track: key.track });
    const [entry] = await this.#lsm.entries({ ...range, reverse: true, limit: 1 });
    if (entry === undefined) return undefined;
    const saved = decode(entry);
    const groups = await groupSpansFrom(this.#doomed, key, saved.toUnixUs);
    const later = groups.filter((group) => group.fromUnixUs >= saved.fromUnixUs);
    const [span = saved] = coalesce([saved, ...later]);
    return { span, savedToUnixUs: saved.toUnixUs };
  }
}

/** The spans of the groups that begin at or behind the moment, and of the last ones before it. */
async function groupSpansFrom(rows: DoomedRows, key: TrackKey, unixUs: number): Promise<Span[]> {
  const range = rangeOf('group', { uuid: key.camera }, { track: key.track });
  const at = makeKey('group', { uuid: key.camera }, { track: key.track }, { u64: unixUs });
  const before = { gte: range.gte, lt: at, reverse: true, limit: GROUPS_LOOKED_BACK };
  const entries = [...(await rows.entries(before)), ...(await rows.entries({ ...range, gte: at }))];
  return entries.map(([entryKey, value]) => spanOf(decodeGroup(entryKey, value)));
}

/** The span of a group. */
export function spanOf(row: GroupRow): Span {
  return { fromUnixUs: row.startUnixUs, toUnixUs: row.startUnixUs + row.durationUs };
}

function isFast(newest: Span | undefined, spans: readonly Span[]): boolean {
  return newest === undefined || spans.every((span) => span.fromUnixUs >= newest.fromUnixUs);
}

function nameOf({ camera, track }: TrackKey): string {
  return `${camera}/${track}`;
}

function spanKey({ camera, track }: TrackKey, fromUnixUs: number): Buffer {
  return makeKey('span', { uuid: camera }, { track }, { u64: fromUnixUs });
}

function put(batch: PendingBatch, key: TrackKey, span: Span): void {
  const value = Buffer.allocUnsafe(8);
  value.writeDoubleBE(span.toUnixUs);
  batch.put(spanKey(key, span.fromUnixUs), value);
}

function decode([key, value]: Entry): Span {
  return { fromUnixUs: u64At(key, 18), toUnixUs: value.readDoubleBE(0) };
}
