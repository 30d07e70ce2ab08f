// Slows down who tries keys: the more wrong ones an address has shown, the longer a refusal waits.

import type { Clock } from '#base';

const MAX_ADDRESSES = 1000;
const FREE_TRIES = 3;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
const FORGET_MS = 60_000;
const LOG_MS = 60_000;

interface Tries {
  count: number;
  lastAtMs: number;
  loggedAtMs: number;
}

export class WrongKeys {
  readonly #clock: Clock;
  /** By address; the one that tried longest ago is first. */
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get addresses(): number {
    return this.#tries.size;
  }

  /** How long the refusal waits, and whether it is worth a line in the log. */
  note(address: string): { readonly delayMs: number; readonly log: boolean } {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#tries.get(address);
    const fresh = known === undefined || nowMs - known.lastAtMs >= FORGET_MS;
    const count = fresh ? 1 : known.count + 1;
    const log = known === undefined || nowMs - known.loggedAtMs >= LOG_MS;
    this.#tries.delete(address);
    if (this.#tries.size >= MAX_ADDRESSES) {
      const [oldest] = this.#tries.keys();
      if (oldest !== undefined) this.#tries.delete(oldest);
    }
    this.#tries.set(address, {
      count,
      lastAtMs: nowMs,
      loggedAtMs: log ? nowMs : known.loggedAtMs,
    });
    if (count <= FREE_TRIES) return { delayMs: 0, log };
    const doubled = FIRST_DELAY_MS * 2 ** Math.min(count - FREE_TRIES - 1, 10);
    return { delayMs: Math.min(doubled, LONGEST_DELAY_MS), log };
  }
}
