// Folds motion samples into events: when something moved, how much, and where.

import type { MotionSample } from '#motion';
import type { MotionRow } from '#timeline';

/** Quiet for so long, and the next movement is an event of its own. */
const QUIET_US = 3_000_000;
/** A longer movement becomes several events, so that a search still finds the moment. */
const LONGEST_US = 30_000_000;

interface OpenEvent {
  readonly startUnixUs: number;
  endUnixUs: number;
  peak: number;
  readonly cells: Uint8Array;
}

export class MotionEvents {
  readonly #camera: string;
  #event: OpenEvent | undefined;
  #changed = false;
  #ended: MotionRow[] = [];
  #level = 0;

  constructor(camera: string) {
    this.#camera = camera;
  }

  get level(): number {
    return this.#level;
  }

  /** Returns true when an event begins. */
  sample(sample: MotionSample): boolean {
    this.#level = sample.level;
    const event = this.#event;
    if (event !== undefined) {
      const quiet = sample.atUnixUs - event.endUnixUs > QUIET_US;
      if (quiet || sample.atUnixUs - event.startUnixUs > LONGEST_US) {
        if (this.#changed) this.#ended.push(this.#row(event));
        this.#event = undefined;
        this.#changed = false;
        if (!quiet && sample.moving) this.#begin(sample);
        else if (sample.moving) return this.#begin(sample);
        return false;
      }
    }
    if (!sample.moving) return false;
    if (event === undefined) return this.#begin(sample);
    event.endUnixUs = Math.max(event.endUnixUs, sample.atUnixUs);
    event.peak = Math.max(event.peak, sample.level);
    sample.cells.forEach((bits, index) => (event.cells[index] = (event.cells[index] ?? 0) | bits));
    this.#changed = true;
    return false;
  }

  /** Rows that are new or grew; a row replaces the one with its start. */
  drain(): MotionRow[] {
    const rows = this.#ended;
    this.#ended = [];
    if (this.#changed && this.#event !== undefined) rows.push(this.#row(this.#event));
    this.#changed = false;
    return rows;
  }

  #begin(sample: MotionSample): true {
    this.#event = {
      startUnixUs: sample.atUnixUs,
      endUnixUs: sample.atUnixUs,
      peak: sample.level,
      cells: Uint8Array.from(sample.cells),
    };
    this.#changed = true;
    return true;
  }

  #row(event: OpenEvent): MotionRow {
    return { camera: this.#camera, ...event, cells: Uint8Array.from(event.cells) };
  }
}
