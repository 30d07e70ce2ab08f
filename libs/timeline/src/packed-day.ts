// One camera's motion of one day as a single value: fixed-width columns, read as typed arrays.
//
//   u32 version  u32 count  f64[count] start  f64[count] end  u16[count] peak  u16[9 * count] cells
//
// Little-endian throughout; times in Unix microseconds; sorted by start.

import { endianness } from 'node:os';
import { NightjarError } from '#base';
import type { MotionRow } from './rows.js';

const VERSION = 1;
const HEADER_BYTES = 8;
const WORDS = 9;
const EVENT_BYTES = 8 + 8 + 2 + 2 * WORDS;
export const CELL_BYTES = 18;
const PEAK_STEPS = 65_535;

/** The peak as it is kept. */
export function quantisedPeak(peak: number): number {
  return Math.round(Math.min(1, Math.max(0, peak)) * PEAK_STEPS) / PEAK_STEPS;
}

/** What an event must have to be found. */
export interface EventFilter {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly minLevel: number;
  /** Nine words of sixteen cells; an event must have one of them, or none at all. */
  readonly words?: Uint16Array;
}

/** 18 bytes as the nine words of an `EventFilter`. */
export function wordsOf(cells: Uint8Array): Uint16Array {
  if (cells.length !== CELL_BYTES) {
    throw new NightjarError('invalid-argument', `expected ${CELL_BYTES} bytes of cells`, {
      found: cells.length,
    });
  }
  const words = new Uint16Array(WORDS);
  for (let word = 0; word < WORDS; word++) {
    words[word] = (cells[word * 2] ?? 0) | ((cells[word * 2 + 1] ?? 0) << 8);
  }
  return words;
}

export class PackedDay {
  readonly count: number;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #peaks: Uint16Array;
  readonly #cells: Uint16Array;

  /** Views of `value`, copied where it is not aligned. Throws data-loss for another form. */
  constructor(value: Uint8Array) {
    const aligned = value.byteOffset % 8 === 0 ? value : value.slice();
    const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength);
    const isLongEnough = aligned.byteLength >= HEADER_BYTES && endianness() === 'LE';
    this.count = isLongEnough ? view.getUint32(4, true) : 0;
    if (
      !isLongEnough ||
      view.getUint32(0, true) !== VERSION ||
      aligned.byteLength !== HEADER_BYTES + this.count * EVENT_BYTES
    ) {
      throw new NightjarError('data-loss', 'a packed day of motion has an unknown form', {
        bytes: aligned.byteLength,
      });
    }
    const { buffer, byteOffset } = aligned;
    let at = byteOffset + HEADER_BYTES;
    this.#starts = new Float64Array(buffer, at, this.count);
    at += this.count * 8;
    this.#ends = new Float64Array(buffer, at, this.count);
    at += this.count * 8;
    this.#peaks = new Uint16Array(buffer, at, this.count);
    at += this.count * 2;
    this.#cells = new Uint16Array(buffer, at, this.count * WORDS);
  }

  /** The value of `rows`, which are sorted by start and of one camera. */
  static encode(rows: readonly MotionRow[]): Buffer {
    const value = Buffer.alloc(HEADER_BYTES + rows.length * EVENT_BYTES);
    value.writeUInt32LE(VERSION, 0);
    value.writeUInt32LE(rows.length, 4);
    let at = HEADER_BYTES;
    for (const row of rows) at = value.writeDoubleLE(row.startUnixUs, at);
    for (const row of rows) at = value.writeDoubleLE(row.endUnixUs, at);
    for (const row of rows) at = value.writeUInt16LE(Math.round(row.peak * PEAK_STEPS), at);
    for (const row of rows) {
      value.set(row.cells, at);
      at += CELL_BYTES;
    }
    return value;
  }

  startOf(event: number): number {
    return this.#starts[event] ?? 0;
  }

  /** The events that pass, newest first, into `found`. */
  search(filter: EventFilter, found: number[]): void {
    const { fromUnixUs, toUnixUs, words } = filter;
    const least = filter.minLevel * PEAK_STEPS;
    const starts = this.#starts;
    const ends = this.#ends;
    const peaks = this.#peaks;
    for (let event = this.count - 1; event >= 0; event--) {
      if ((starts[event] as number) >= toUnixUs || (ends[event] as number) <= fromUnixUs) continue;
      if ((peaks[event] as number) < least) continue;
      if (words !== undefined && !this.#meets(event, words)) continue;
      found.push(event);
    }
  }

  row(event: number, camera: string): MotionRow {
    const cells = new Uint8Array(CELL_BYTES);
    cells.set(
      new Uint8Array(this.#cells.buffer, this.#cells.byteOffset + event * CELL_BYTES, CELL_BYTES),
    );
    return {
      camera,
      startUnixUs: this.startOf(event),
      endUnixUs: this.#ends[event] ?? 0,
      peak: (this.#peaks[event] ?? 0) / PEAK_STEPS,
      cells,
    };
  }

  rows(camera: string): MotionRow[] {
    return Array.from({ length: this.count }, (_, event) => this.row(event, camera));
  }

  #meets(event: number, words: Uint16Array): boolean {
    const at = event * WORDS;
    let known = 0;
    for (let word = 0; word < WORDS; word++) {
      const cells = this.#cells[at + word] as number;
      if ((cells & (words[word] as number)) !== 0) return true;
      known |= cells;
    }
    // Without any cell its place is not known: it may have been here.
    return known === 0;
  }
}
