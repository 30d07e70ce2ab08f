// Recording spans: the union of groups, where a hole below one second counts as none.

import type { TrackName } from '#media';
import type { PendingBatch } from './commit-queue.js';
import { makeKey, rangeOf, u64At } from './keys.js';
import type { Entry, Lsm } from './lsm.js';

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

export class SpanIndex {
  readonly #lsm: Lsm;
  /** The newest span of each track, `undefined` for none; tracks that were not met are absent. */
  readonly #newest = new Map<string, Span | undefined>();

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
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
      const range = rangeOf('span', { uuid: key.camera }, { track: key.track });
      const [entry] = await this.#lsm.entries({ ...range, reverse: true, limit: 1 });
      this.#newest.set(name, entry === undefined ? undefined : decode(entry));
    }
    return isFast(this.#newest.get(name), spans);
  }

  /** Adds spans (coalesced) to a track, behind `prepare`. */
  async extend(batch: PendingBatch, key: TrackKey, spans: readonly Span[]): Promise<void> {
    const name = nameOf(key);
    let newest = this.#newest.get(name);
    if (isFast(newest, spans)) {
      for (const span of spans) {
        newest = coalesce(newest === undefined ? [span] : [newest, span]).at(-1) ?? span;
        put(batch, key, newest);
      }
      this.#newest.set(name, newest);
      return;
    }
    const [from, to] = [spans[0]?.fromUnixUs ?? 0, spans.at(-1)?.toUnixUs ?? 0];
    const near = await this.overlapping(key, from - HOLE_US, to + HOLE_US);
    this.replace(batch, key, { old: near, new: coalesce([...near, ...spans]) });
  }

  /** Puts `new` in the place of `old`. */
  replace(
    batch: PendingBatch,
    key: TrackKey,
    spans: { readonly old: readonly Span[]; readonly new: readonly Span[] },
  ): void {
    for (const span of spans.old) batch.del(spanKey(key, span.fromUnixUs));
    for (const span of spans.new) put(batch, key, span);
    this.#newest.delete(nameOf(key));
  }

  /** Spans that touch [from, to], whole, in order of time. */
  async overlapping(key: TrackKey, fromUnixUs: number, toUnixUs: number): Promise<Span[]> {
    const range = rangeOf('span', { uuid: key.camera }, { track: key.track });
    const from = Math.max(0, fromUnixUs);
    const inside = await this.#lsm.entries({
      gte: spanKey(key, from),
      lte: spanKey(key, Math.max(from, toUnixUs)),
    });
    const before = await this.#lsm.entries({
      gte: range.gte,
      lt: spanKey(key, from),
      reverse: true,
      limit: 1,
    });
    return [...before, ...inside].map(decode).filter((span) => span.toUnixUs >= from);
  }
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
