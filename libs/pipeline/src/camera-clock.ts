// The camera's 90 kHz clock on the receiver's wall clock: anchored by the quickest arrivals, then
// slewed so slowly that nobody sees it, and never set back.

import { ClockDrift } from './clock-drift.js';
import { ticksToUs } from './units.js';

/** Arrivals in this first time decide the anchor; a camera may begin with a burst of the past. */
export const CLOCK_SETTLE_US = 500_000;
const WINDOW_US = 5_000_000;
/** Drift of real crystals is far below this. */
const SLEW_US_PER_SECOND = 500;
const FAST_SLEW_US_PER_SECOND = 10_000;
const FAR_OFF_US = 250_000;
/** Beyond this the wall clock itself was set: follow it forward. */
const STEP_US = 30_000_000;

export class CameraClock {
  readonly #notBeforeUnixUs: number;
  #firstReceivedUs: number | undefined;
  #offsetUs = Infinity;
  #windowMinUs = Infinity;
  #windowStartUs = 0;
  #targetUs = 0;
  #slewedAtUs = 0;
  #settled = false;
  readonly #drift = new ClockDrift();

  /** Time of this run begins behind `notBeforeUnixUs`, where the run before it ended. */
  constructor(notBeforeUnixUs: number) {
    this.#notBeforeUnixUs = notBeforeUnixUs;
  }

  /** How much faster than ours the camera's clock goes; undefined in the first minute. */
  get driftPpm(): number | undefined {
    return this.#drift.ppm;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Every frame's arrival. */
  observe(pts90k: number, receivedAtUnixUs: number): void {
    const delayUs = receivedAtUnixUs - ticksToUs(pts90k);
    if (this.#firstReceivedUs === undefined) {
      this.#firstReceivedUs = receivedAtUnixUs;
      this.#windowStartUs = receivedAtUnixUs;
    }
    this.#windowMinUs = Math.min(this.#windowMinUs, delayUs);
    if (!this.#settled) {
      this.#offsetUs = Math.min(this.#offsetUs, delayUs);
      return;
    }
    if (receivedAtUnixUs < this.#windowStartUs) this.#windowStartUs = receivedAtUnixUs;
    if (receivedAtUnixUs - this.#windowStartUs >= WINDOW_US) {
      this.#targetUs = this.#windowMinUs;
      this.#drift.add(receivedAtUnixUs, this.#windowMinUs);
      this.#windowMinUs = Infinity;
      this.#windowStartUs = receivedAtUnixUs;
    }
  }

  /** True once the anchor can be trusted. */
  isDue(receivedAtUnixUs: number): boolean {
    return receivedAtUnixUs - (this.#firstReceivedUs ?? receivedAtUnixUs) >= CLOCK_SETTLE_US;
  }

  /** Fixes the anchor; `firstDts90k` is where the run's time begins. */
  settle(firstDts90k: number): void {
    if (this.#settled) return;
    const startUs = this.#offsetUs + ticksToUs(firstDts90k);
    this.#targetUs = this.#offsetUs;
    if (startUs < this.#notBeforeUnixUs) this.#offsetUs += this.#notBeforeUnixUs - startUs;
    this.#settled = true;
  }

  /** Moves the mapping towards what was measured; called where a group begins, nowhere else. */
  slew(pts90k: number): void {
    const nowUs = ticksToUs(pts90k);
    const elapsedSeconds = Math.max(0, nowUs - this.#slewedAtUs) / 1_000_000;
    this.#slewedAtUs = nowUs;
    if (!this.#settled) return;
    const errorUs = this.#targetUs - this.#offsetUs;
    if (errorUs > STEP_US) {
      this.#offsetUs = this.#targetUs;
      return;
    }
    const perSecond = Math.abs(errorUs) > FAR_OFF_US ? FAST_SLEW_US_PER_SECOND : SLEW_US_PER_SECOND;
    const limitUs = Math.min(elapsedSeconds, 60) * perSecond;
    this.#offsetUs += Math.max(-limitUs, Math.min(limitUs, errorUs));
  }

  /** UTC of a moment on the camera's clock; provisional until settled. */
  toUnixUs(time90k: number): number {
    return Math.round(this.#offsetUs) + ticksToUs(time90k);
  }
}
