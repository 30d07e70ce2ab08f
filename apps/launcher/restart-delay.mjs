// How long to wait before what ended is started again: twice as long each time, until it lived.

const LONGEST_MS = 10_000;
/** What lived this long is well. */
const HEALTHY_MS = 30_000;

export class RestartDelay {
  #firstMs;
  #afterLifeMs;
  #nextMs;
  #startedMs = 0;
  #nowMs;

  /**
   * `afterLifeMs` is for what was well until it ended.
   * @param {{firstMs: number, afterLifeMs?: number, nowMs?: () => number}} options
   */
  constructor({ firstMs, afterLifeMs = firstMs, nowMs = () => performance.now() }) {
    this.#firstMs = firstMs;
    this.#afterLifeMs = afterLifeMs;
    this.#nextMs = firstMs;
    this.#nowMs = nowMs;
  }

  /** It starts now. */
  started() {
    this.#startedMs = this.#nowMs();
  }

  /** It has ended: so many milliseconds until the next start. */
  next() {
    const lived = this.#nowMs() - this.#startedMs > HEALTHY_MS;
    const delayMs = lived ? this.#afterLifeMs : this.#nextMs;
    this.#nextMs = Math.min(Math.max(delayMs * 2, this.#firstMs), LONGEST_MS);
    return delayMs;
  }
}
