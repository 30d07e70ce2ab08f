// Slows down guessing of passwords: by user and by address, with delays that grow, in bounded memory.

import { NightjarError, type Clock } from '#base';

export interface ThrottleOptions {
  /** Failures that cost nothing. */
  readonly freeFailures: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Attempts under way at once: parallel guesses are not free. */
  readonly mostAtOnce: number;
}

/** A short cap, since anybody can lock a user out by guessing. */
const BY_USER: ThrottleOptions = {
  freeFailures: 5,
  firstDelayMs: 1000,
  longestDelayMs: 60_000,
  mostAtOnce: 8,
};
const BY_ADDRESS: ThrottleOptions = {
  freeFailures: 20,
  firstDelayMs: 1000,
  longestDelayMs: 900_000,
  mostAtOnce: 64,
};
const FORGET_MS = 3_600_000;
const MOST_KEYS = 10_000;

interface Attempts {
  failures: number;
  underWay: number;
  blockedUntilMs: number;
  touchedMs: number;
}

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #users: Table;
  readonly #addresses: Table;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#users = new Table(BY_USER);
    this.#addresses = new Table(BY_ADDRESS);
  }

  /**
   * Lets an attempt begin, or throws `resource-exhausted` with `retryAfterSeconds`. The answer takes
   * the attempt's outcome and must be called.
   */
  enter(username: string, address: string): (outcome: 'ok' | 'failed' | 'aborted') => void {
    const nowMs = this.#clock.monotonicMs();
    const user = this.#users.open(username.trim().toLowerCase(), nowMs);
    const place = this.#addresses.open(address, nowMs);
    const waitMs = Math.max(user.waitMs(nowMs), place.waitMs(nowMs));
    if (waitMs > 0) {
      throw new NightjarError('resource-exhausted', 'too many attempts to sign in', {
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      });
    }
    user.begin();
    place.begin();
    return (outcome) => {
      const endMs = this.#clock.monotonicMs();
      user.end(outcome, endMs);
      place.end(outcome, endMs);
    };
  }

  get size(): number {
    return this.#users.size + this.#addresses.size;
  }
}

interface Entry {
  waitMs(nowMs: number): number;
  begin(): void;
  end(outcome: 'ok' | 'failed' | 'aborted', nowMs: number): void;
}

class Table {
  readonly #options: ThrottleOptions;
  readonly #records = new Map<string, Attempts>();

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#records.size;
  }

  open(key: string, nowMs: number): Entry {
    const options = this.#options;
    const record = this.#take(key, nowMs);
    return {
      waitMs: (now) => {
        if (record.underWay >= options.mostAtOnce) return options.firstDelayMs;
        return Math.max(0, record.blockedUntilMs - now);
      },
      begin: () => void (record.underWay += 1),
      end: (outcome, now) => {
        record.underWay -= 1;
        if (outcome === 'ok') record.failures = 0;
        if (outcome !== 'failed') return;
        record.failures += 1;
        const beyond = record.failures - options.freeFailures;
        if (beyond < 0) return;
        const delayMs = Math.min(
          options.longestDelayMs,
          options.firstDelayMs * 2 ** Math.min(beyond, 30),
        );
        record.blockedUntilMs = now + delayMs;
      },
    };
  }

  /** Moves the record to the young end; the oldest idle ones make room. */
  #take(key: string, nowMs: number): Attempts {
    let record = this.#records.get(key);
    if (record === undefined || (record.underWay === 0 && nowMs - record.touchedMs > FORGET_MS)) {
      record = { failures: 0, underWay: 0, blockedUntilMs: 0, touchedMs: nowMs };
    }
    record.touchedMs = nowMs;
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size > MOST_KEYS) {
      const [oldest] = this.#records.keys();
      if (oldest !== undefined) this.#records.delete(oldest);
    }
    return record;
  }
}
