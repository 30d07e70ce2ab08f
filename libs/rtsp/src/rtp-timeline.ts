// Turns RTP timestamps of 32 bits into times that go on, over wraps and over jumps of the clock.

const TICKS = 90_000;
/** No pause between frames is longer; a run would have stalled. */
const JUMP_AHEAD_TICKS = 10 * TICKS;
/** No reordering goes back further. */
const JUMP_BACK_TICKS = 2 * TICKS;
const DEFAULT_STEP_TICKS = 3600;

/** In decoding order, once per access unit. */
export class RtpTimeline {
  readonly #clockRate: number;
  #lastTimestamp: number | undefined;
  #pts90k = 0;
  #highest90k = 0;
  #step90k = DEFAULT_STEP_TICKS;
  #lastAtMs = 0;
  #jumps = 0;
  #brokenOff = false;

  constructor(clockRate = TICKS) {
    this.#clockRate = clockRate;
  }

  /** How often the camera's clock jumped. */
  get jumps(): number {
    return this.#jumps;
  }

  /**
   * The time of the access unit with this timestamp. `atMs` is a monotonic clock at its arrival;
   * it measures the pause over which a camera's clock jumped.
   */
  next(timestamp: number, atMs: number): number {
    if (this.#lastTimestamp === undefined) {
      this.#pts90k = Math.round((timestamp * TICKS) / this.#clockRate);
      this.#highest90k = this.#pts90k;
    } else {
      const raw = (timestamp - this.#lastTimestamp) | 0;
      // Not rounded, so that the clocks of sound do not run ahead by what rounding adds.
      const delta = this.#clockRate === TICKS ? raw : (raw * TICKS) / this.#clockRate;
      if (this.#brokenOff || delta > JUMP_AHEAD_TICKS || delta < -JUMP_BACK_TICKS) {
        this.#brokenOff = false;
        this.#jumps += 1;
        const pause90k = Math.round((atMs - this.#lastAtMs) * (TICKS / 1000));
        this.#pts90k = this.#highest90k + Math.max(this.#step90k, pause90k);
      } else {
        this.#pts90k += delta;
        const step = this.#pts90k - this.#highest90k;
        if (step > 0) this.#step90k = Math.min(step, TICKS);
      }
      this.#highest90k = Math.max(this.#highest90k, this.#pts90k);
    }
    this.#lastTimestamp = timestamp;
    this.#lastAtMs = atMs;
    return Math.round(this.#pts90k);
  }

  /** The time of a timestamp near the last one, as a sender report names; undefined before the first. */
  at(timestamp: number): number | undefined {
    if (this.#lastTimestamp === undefined) return undefined;
    const raw = (timestamp - this.#lastTimestamp) | 0;
    return this.#pts90k + (raw * TICKS) / this.#clockRate;
  }

  /** The camera's source changed: the next timestamp has nothing to do with the last. */
  breakOff(): void {
    this.#brokenOff = this.#lastTimestamp !== undefined;
  }
}
