// Between a player's time and the wall's: slices follow each other in the player, gaps do not exist.

interface MediaSlice {
  /** Where the slice starts in the player, in seconds. */
  readonly startS: number;
  readonly durationS: number;
  /** When its first frame was taken (program date time). */
  readonly wallMs: number;
}

export interface MediaPlace {
  readonly mediaS: number;
  /** How much later than asked it is, because there is a gap. */
  readonly skippedMs: number;
}

/** Slices closer than this on the wall belong together; encoders' clocks jitter. */
const JITTER_MS = 250;

export class WallClock {
  readonly #slices: readonly MediaSlice[];

  /** `slices` in playing order. */
  constructor(slices: readonly MediaSlice[]) {
    this.#slices = slices;
  }

  get startMs(): number | undefined {
    return this.#slices[0]?.wallMs;
  }

  get endMs(): number | undefined {
    const last = this.#slices.at(-1);
    return last === undefined ? undefined : last.wallMs + last.durationS * 1000;
  }

  /** Undefined when there are no slices. */
  toWallMs(mediaS: number): number | undefined {
    const slice = this.#slices[this.#lastAt((row) => row.startS <= mediaS)] ?? this.#slices[0];
    if (slice === undefined) return undefined;
    const into = Math.min(Math.max(0, mediaS - slice.startS), slice.durationS);
    return slice.wallMs + into * 1000;
  }

  /** Undefined when nothing was recorded at `wallMs` or after it. */
  toMedia(wallMs: number): MediaPlace | undefined {
    const index = this.#lastAt((row) => row.wallMs <= wallMs);
    const slice = this.#slices[index];
    if (slice !== undefined) {
      const intoMs = wallMs - slice.wallMs;
      if (intoMs < slice.durationS * 1000) {
        return { mediaS: slice.startS + intoMs / 1000, skippedMs: 0 };
      }
    }
    const next = this.#slices[index + 1];
    if (next === undefined) return undefined;
    const skippedMs = next.wallMs - wallMs;
    return { mediaS: next.startS, skippedMs: skippedMs > JITTER_MS ? skippedMs : 0 };
  }

  #lastAt(holds: (slice: MediaSlice) => boolean): number {
    let low = 0;
    let high = this.#slices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const slice = this.#slices[middle];
      if (slice !== undefined && holds(slice)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
