// How long the writes and syncs of one disk take, and whether that is too long.

import type { Clock } from '#base';

/** No healthy disk takes longer for one write or sync. */
const SLOW_MS = 3000;
/** No disk that works does either; at 8 Mbit/s a track has 5 MB waiting by then. */
export const HANGS_MS = 5000;
/** A disk stays slow for so long behind its last slow operation: no flutter. */
const RECOVERS_MS = 10_000;

export class DiskPace {
  readonly #clock: Clock;
  /** When the operations that are under way began, oldest first. */
  readonly #running = new Set<{ readonly startMs: number }>();
  #slowest = { tookMs: 0, endMs: -Infinity };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async time<T>(action: () => Promise<T>): Promise<T> {
    const operation = { startMs: this.#clock.monotonicMs() };
    this.#running.add(operation);
    try {
      return await action();
    } finally {
      this.#running.delete(operation);
      const endMs = this.#clock.monotonicMs();
      const tookMs = endMs - operation.startMs;
      if (tookMs >= SLOW_MS) this.#slowest = { tookMs, endMs };
    }
  }

  /** For how long the oldest operation has been under way. */
  get runningMs(): number {
    const [oldest] = this.#running;
    return oldest === undefined ? 0 : this.#clock.monotonicMs() - oldest.startMs;
  }

  /** What the slowest operation of now or of the last seconds has taken; undefined in good health. */
  get slowMs(): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const lately = nowMs - this.#slowest.endMs < RECOVERS_MS ? this.#slowest.tookMs : 0;
    const slowMs = Math.max(this.runningMs, lately);
    return slowMs >= SLOW_MS ? slowMs : undefined;
  }
}
