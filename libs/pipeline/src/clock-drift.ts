// How much faster or slower than ours a camera's media clock goes, from the quickest arrivals.

const POINTS = 60;
/** Below this, the unevenness of arrivals says more than the clock. */
const LEAST_MS = 60_000;
/** Between two points no clock drifts this far: one of the two was set. */
const STEP_US = 250_000;

/**
 * A line through the smallest delays of the last five minutes (one point per some seconds, so that
 * the network's delays drop out). Its error is that of the smallest delay over the time looked at:
 * 1 ms over five minutes is about 3 ppm.
 */
export class ClockDrift {
  readonly #atUs = new Float64Array(POINTS);
  readonly #delayUs = new Float64Array(POINTS);
  #next = 0;
  #count = 0;

  /** `delayUs` is our time minus the camera's, the smallest within a window that ends `atUs`. */
  add(atUs: number, delayUs: number): void {
    const last = (this.#next + POINTS - 1) % POINTS;
    if (this.#count > 0) {
      const stepUs = delayUs - (this.#delayUs[last] ?? 0);
      if (Math.abs(stepUs) > STEP_US || atUs <= (this.#atUs[last] ?? 0)) this.#count = 0;
    }
    if (this.#count === 0) this.#next = 0;
    this.#atUs[this.#next] = atUs;
    this.#delayUs[this.#next] = delayUs;
    this.#next = (this.#next + 1) % POINTS;
    this.#count = Math.min(this.#count + 1, POINTS);
  }

  /** Parts per million; positive when the camera's clock is fast. Undefined in the first minute. */
  get ppm(): number | undefined {
    const count = this.#count;
    if (count < 3) return undefined;
    const oldest = count < POINTS ? 0 : this.#next;
    const origin = this.#atUs[oldest] ?? 0;
    const base = this.#delayUs[oldest] ?? 0;
    let [sumX, sumY, sumXX, sumXY, longest] = [0, 0, 0, 0, 0];
    for (let index = 0; index < count; index++) {
      const x = (this.#atUs[index] ?? 0) - origin;
      const y = (this.#delayUs[index] ?? 0) - base;
      sumX += x;
      sumY += y;
      sumXX += x * x;
      sumXY += x * y;
      longest = Math.max(longest, x);
    }
    if (longest < LEAST_MS * 1000) return undefined;
    const slope = (count * sumXY - sumX * sumY) / (count * sumXX - sumX * sumX);
    return -slope * 1_000_000;
  }
}
