// What tests share: a clock that moves only when told, and waiting for a condition.

import type { Clock, Timer } from './time.js';

interface Pending {
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #elapsedMs = 0;
  readonly #startUnixMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startUnixMs = Date.UTC(2026, 0, 1)) {
    this.#startUnixMs = startUnixMs;
  }

  nowUnixMs(): number {
    return this.#startUnixMs + this.#elapsedMs;
  }

  nowUnixUs(): number {
    return Math.round(this.nowUnixMs() * 1000);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add({ dueMs: this.#elapsedMs + delayMs, everyMs: undefined, run });
  }

  every(intervalMs: number, run: () => void): Timer {
    return this.#add({ dueMs: this.#elapsedMs + intervalMs, everyMs: intervalMs, run });
  }

  /** Moves time forward and runs what falls due on the way, in order. */
  advance(byMs: number): void {
    const endMs = this.#elapsedMs + byMs;
    for (;;) {
      const next = [...this.#pending]
        .filter((pending) => pending.dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#elapsedMs = next.dueMs;
      if (next.everyMs === undefined) this.#pending.delete(next);
      else next.dueMs += next.everyMs;
      next.run();
    }
    this.#elapsedMs = endMs;
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }
}

/**
 * Polls until `condition` gives something truthy; fails with `what` after `deadlineMs`. What takes long
 * is asked for less often: asking costs those who are waited for.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const startMs = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    const pauseMs = Math.min(Math.max(20, elapsedMs / 20), 100);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
