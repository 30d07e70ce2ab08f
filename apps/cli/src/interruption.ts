// Ctrl-C in the middle of a command: it ends at its next step as it would by a failure, so that
// nothing half-made stays behind; a second one ends it at once.

import { constants } from 'node:os';
import { NightjarError } from '#base';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interruption {
  readonly #onFirst: () => void;
  #signal: (typeof SIGNALS)[number] | undefined;

  /** From now on until `close`; `onFirst` hears that it is going to end. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const signal of SIGNALS) process.on(signal, this.#take);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#take);
  }

  /** Throws `cancelled` once a signal came. */
  check(): void {
    if (this.#signal === undefined) return;
    throw new NightjarError('cancelled', `ended by ${this.#signal} before it was through`);
  }

  /** What a shell expects of a process that a signal ended; undefined while none came. */
  get status(): number | undefined {
    return this.#signal === undefined ? undefined : 128 + constants.signals[this.#signal];
  }

  readonly #take = (signal: NodeJS.Signals): void => {
    const isSecond = this.#signal !== undefined;
    this.#signal ??= signal as (typeof SIGNALS)[number];
    if (isSecond) process.exit(this.status);
    this.#onFirst();
  };
}
