// Motion events: fresh ones as rows (and in memory), older ones packed by day and camera.

import { ByteReader, ByteWriter, NightjarError, uuidToBytes } from '#base';
import type { PendingBatch } from './commit-queue.js';
import { boundedUs, DAY_US, dayOf, makeKey, rangeOf, u64At, uuidAt } from './keys.js';
import type { Lsm } from './lsm.js';
import { CELL_BYTES, PackedDay, quantisedPeak, wordsOf, type EventFilter } from './packed-day.js';
import type { MotionPage, MotionQuery, MotionRow } from './rows.js';

/** Days looked up at once: one get each and camera. */
const DAYS_AT_ONCE = 8;
/** An event is found in the day that it begins in, or on the day behind it. */
const LONGEST_EVENT_US = DAY_US;

/** Where a page ended: the next one goes on behind it, whatever has come or gone meanwhile. */
interface Place {
  readonly startUnixUs: number;
  readonly camera: string;
}

export class MotionIndex {
  readonly #lsm: Lsm;
  /** Fresh events by camera, by start. */
  readonly #fresh = new Map<string, Map<number, MotionRow>>();

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
  }

  /** Days that have packed motion of some camera. */
  readonly #days = new Set<number>();

  /** How many events are not packed. */
  get freshCount(): number {
    let count = 0;
    for (const rows of this.#fresh.values()) count += rows.size;
    return count;
  }

  /** Reads the fresh rows and the packed days into memory. */
  async load(): Promise<void> {
    this.#fresh.clear();
    for await (const page of this.#lsm.pages(rangeOf('fresh-motion'))) {
      for (const [key, value] of page) this.#remember(decodeFresh(key, value));
    }
    this.#days.clear();
    const { lt } = rangeOf('packed-motion');
    for (let day = 0; ; day += 1) {
      const gte = makeKey('packed-motion', { u32: day });
      const [key] = await this.#lsm.keys({ gte, lt, limit: 1 });
      if (key === undefined) return;
      day = key.readUInt32BE(1);
      this.#days.add(day);
    }
  }

  /** What is put is found at once; `load` brings memory back in line when the batch failed. */
  put(batch: PendingBatch, rows: readonly MotionRow[]): void {
    const kept = rows.map((row) => {
      if (row.cells.length !== CELL_BYTES || !(row.endUnixUs >= row.startUnixUs)) {
        throw new NightjarError('invalid-argument', 'expected an event with an end and 144 cells', {
          camera: row.camera,
        });
      }
      const copy = { ...row, peak: quantisedPeak(row.peak), cells: Uint8Array.from(row.cells) };
      return { row: copy, key: freshKey(copy), value: encodeFresh(copy) };
    });
    for (const { row, key, value } of kept) {
      batch.put(key, value);
      this.#remember(row);
    }
  }

  /**
   * Moves every fresh row into its packed day, in one batch: a crash leaves all rows fresh or all
   * packed. Gives the rows; `settle` takes them once the batch is written.
   */
  async pack(batch: PendingBatch): Promise<MotionRow[]> {
    await batch.flush();
    const moved: MotionRow[] = [];
    for (const [camera, rows] of this.#fresh) {
      const days = new Map<number, MotionRow[]>();
      for (const row of rows.values()) {
        const day = dayOf(row.startUnixUs);
        const ofDay = days.get(day);
        if (ofDay === undefined) days.set(day, [row]);
        else ofDay.push(row);
        moved.push(row);
      }
      for (const [day, fresh] of days) {
        const key = packedKey(day, camera);
        const value = await this.#lsm.get(key);
        const byStart = new Map<number, MotionRow>();
        const packed = value === undefined ? [] : new PackedDay(value).rows(camera);
        for (const row of [...packed, ...fresh]) byStart.set(row.startUnixUs, row);
        const sorted = [...byStart.values()].sort((a, b) => a.startUnixUs - b.startUnixUs);
        batch.put(key, PackedDay.encode(sorted));
        this.#days.add(day);
      }
    }
    for (const row of moved) batch.del(freshKey(row));
    return moved;
  }

  /** Forgets packed rows that did not grow meanwhile. Until then a search meets both and takes one. */
  settle(moved: readonly MotionRow[]): void {
    for (const row of moved) {
      const rows = this.#fresh.get(row.camera);
      if (rows?.get(row.startUnixUs) === row) rows.delete(row.startUnixUs);
    }
  }

  /** Removes events of a camera that ended before the moment; of its packed days only whole ones. */
  async forget(batch: PendingBatch, camera: string, beforeUnixUs: number): Promise<void> {
    await batch.flush();
    const fresh = this.#fresh.get(camera);
    for (const row of [...(fresh?.values() ?? [])]) {
      if (row.endUnixUs >= beforeUnixUs) continue;
      batch.del(freshKey(row));
      fresh?.delete(row.startUnixUs);
    }
    const lastDay = dayOf(beforeUnixUs - LONGEST_EVENT_US);
    const keys = [...this.#days]
      .filter((day) => day < lastDay)
      .map((day) => packedKey(day, camera));
    const values = await this.#lsm.getMany(keys);
    for (const [index, key] of keys.entries()) {
      if (values[index] !== undefined) batch.del(key);
    }
  }

  async search(query: MotionQuery): Promise<MotionPage> {
    const { limit, cells, minLevel = 0 } = query;
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    const cameras = [...new Set(query.cameras)];
    const filter: EventFilter = {
      fromUnixUs: boundedUs(query.fromUnixUs),
      // Nothing that begins behind the place of the cursor is of interest.
      toUnixUs: Math.min(boundedUs(query.toUnixUs), (after?.startUnixUs ?? Infinity) + 1),
      minLevel,
      ...(cells === undefined ? {} : { words: wordsOf(cells) }),
    };
    const days = this.#daysFrom(filter.fromUnixUs - LONGEST_EVENT_US, filter.toUnixUs);
    const items: MotionRow[] = [];
    for (let at = 0; at < days.length && items.length <= limit; at += DAYS_AT_ONCE) {
      const some = days.slice(at, at + DAYS_AT_ONCE);
      const found = await this.#searchDays(some, cameras, filter);
      items.push(...found.filter((row) => after === undefined || isBehind(row, after)));
    }
    if (items.length <= limit) return { items };
    const page = items.slice(0, limit);
    const last = page.at(-1);
    return last === undefined ? { items: page } : { items: page, cursor: encodeCursor(last) };
  }

  async #searchDays(
    days: readonly number[],
    cameras: readonly string[],
    filter: EventFilter,
  ): Promise<MotionRow[]> {
    const items: MotionRow[] = [];
    // Fresh rows are taken before the packed ones are read: rows that are packed meanwhile are then
    // met twice, never missed.
    const fresh = new Map<string, Set<number>>();
    for (const camera of cameras) {
      const starts = new Set<number>();
      for (const row of this.#fresh.get(camera)?.values() ?? []) {
        if (!days.includes(dayOf(row.startUnixUs))) continue;
        starts.add(row.startUnixUs);
        if (passes(row, filter)) items.push(row);
      }
      if (starts.size > 0) fresh.set(camera, starts);
    }
    const places = days
      .filter((day) => this.#days.has(day))
      .flatMap((day) => cameras.map((camera) => ({ camera, key: packedKey(day, camera) })));
    const values = await this.#lsm.getMany(places.map(({ key }) => key));
    const events: number[] = [];
    for (const [index, value] of values.entries()) {
      const camera = places[index]?.camera;
      if (value === undefined || camera === undefined) continue;
      const packed = new PackedDay(value);
      const starts = fresh.get(camera);
      events.length = 0;
      packed.search(filter, events);
      for (const event of events) {
        // A fresh row with the same start is that event, grown.
        if (starts?.has(packed.startOf(event)) !== true) items.push(packed.row(event, camera));
      }
    }
    return items.sort(newestFirst);
  }

  /** Days with motion that may hold an event of the period, newest first. */
  #daysFrom(fromUnixUs: number, toUnixUs: number): number[] {
    const days = new Set(this.#days);
    for (const rows of this.#fresh.values()) {
      for (const start of rows.keys()) days.add(dayOf(start));
    }
    const [first, last] = [dayOf(fromUnixUs), dayOf(toUnixUs)];
    return [...days].filter((day) => day >= first && day <= last).sort((a, b) => b - a);
  }

  #remember(row: MotionRow): void {
    let rows = this.#fresh.get(row.camera);
    if (rows === undefined) this.#fresh.set(row.camera, (rows = new Map()));
    rows.set(row.startUnixUs, row);
  }
}

function passes(row: MotionRow, filter: EventFilter): boolean {
  if (row.startUnixUs >= filter.toUnixUs || row.endUnixUs <= filter.fromUnixUs) return false;
  if (row.peak < filter.minLevel) return false;
  const { words } = filter;
  if (words === undefined) return true;
  const cells = wordsOf(row.cells);
  // Without any cell its place is not known: it may have been here.
  return (
    cells.some((word, at) => (word & (words[at] ?? 0)) > 0) || cells.every((word) => word === 0)
  );
}

function newestFirst(a: Place, b: Place): number {
  return b.startUnixUs - a.startUnixUs || (a.camera < b.camera ? -1 : a.camera > b.camera ? 1 : 0);
}

function isBehind(row: MotionRow, place: Place): boolean {
  return newestFirst(place, row) < 0;
}

function encodeCursor({ startUnixUs, camera }: Place): string {
  const writer = new ByteWriter().u64(startUnixUs).bytes(uuidToBytes(camera));
  return writer.view().toString('base64url');
}

function decodeCursor(cursor: string): Place {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== 24 || u64At(bytes, 0) > Number.MAX_SAFE_INTEGER) {
    throw new NightjarError('invalid-argument', 'expected the cursor of a motion search');
  }
  return { startUnixUs: u64At(bytes, 0), camera: uuidAt(bytes, 8) };
}

function freshKey({ camera, startUnixUs }: Place): Buffer {
  return makeKey('fresh-motion', { uuid: camera }, { u64: startUnixUs });
}

function packedKey(day: number, camera: string): Buffer {
  return makeKey('packed-motion', { u32: day }, { uuid: camera });
}

function encodeFresh(row: MotionRow): Buffer {
  const writer = new ByteWriter(48).varint(row.endUnixUs - row.startUnixUs);
  return writer
    .u32(Math.round(row.peak * 65_535))
    .bytes(row.cells)
    .copy();
}

function decodeFresh(key: Buffer, value: Buffer): MotionRow {
  const reader = new ByteReader(value);
  const startUnixUs = u64At(key, 17);
  return {
    camera: uuidAt(key, 1),
    startUnixUs,
    endUnixUs: startUnixUs + reader.varint(),
    peak: reader.u32() / 65_535,
    cells: Uint8Array.from(reader.bytes(CELL_BYTES)),
  };
}
