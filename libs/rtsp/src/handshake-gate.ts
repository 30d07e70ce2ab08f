// Bounds how many cameras are shaken hands with at once, so that a herd that comes back after a
// switch rebooted is served one after the other and none runs into its deadline meanwhile.

import type { Clock } from '#base';
import { streamError } from './stream-error.js';

const PLACES = 32;
/**
 * A handshake that takes longer waits for its camera and costs nothing: it goes on without a place,
 * so that cameras that stall hold up nobody.
 */
const LEASE_MS = 500;

export class HandshakeGate {
  static readonly #gates = new WeakMap<Clock, HandshakeGate>();

  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The gate of the process: all who share its clock. */
  static of(clock: Clock): HandshakeGate {
    let gate = HandshakeGate.#gates.get(clock);
    if (gate === undefined) HandshakeGate.#gates.set(clock, (gate = new HandshakeGate(clock)));
    return gate;
  }

  /** Resolves in order of asking with the call that gives the place back; rejects on abort. */
  enter(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        const at = this.#waiting.indexOf(begin);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(streamError('stopped', 'the stream was stopped'));
      };
      const begin = () => {
        signal.removeEventListener('abort', abort);
        this.#taken += 1;
        let held = true;
        const leave = () => {
          if (!held) return;
          held = false;
          lease.cancel();
          this.#taken -= 1;
          this.#waiting.shift()?.();
        };
        const lease = this.#clock.after(LEASE_MS, leave);
        resolve(leave);
      };
      if (signal.aborted) return abort();
      if (this.#taken < PLACES) return begin();
      this.#waiting.push(begin);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
