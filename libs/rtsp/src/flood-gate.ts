// Bounds what one connection may send, so that a flooding camera does not take the others' time.

import type { Clock } from '#base';
import { streamError } from './stream-error.js';

/**
 * Bits a second, averaged over `WINDOW_MS`. The largest cameras (8K, 4K at 60 frames) are configured
 * up to about 100 Mbit/s; what a network pause held back comes in a burst that the window takes.
 */
const MAX_BITS_PER_SECOND = 200_000_000;
const WINDOW_MS = 2000;
const WINDOW_BYTES = ((MAX_BITS_PER_SECOND / 8) * WINDOW_MS) / 1000;

export class FloodGate {
  readonly #clock: Clock;
  #bytes = 0;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Throws `protocol` when the window's bytes came faster than the window lasts. */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < WINDOW_BYTES) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sinceMs < WINDOW_MS) {
      throw streamError(
        'protocol',
        `the camera floods: it sent more than ${MAX_BITS_PER_SECOND / 1e6} Mbit/s for ${WINDOW_MS / 1000} s`,
      );
    }
    this.#bytes = 0;
    this.#sinceMs = nowMs;
  }
}
