// Equal requests at the same time share one piece of work, which ends when nobody waits for it.

import { NightjarError, toNightjarError } from '#base';

/** Gives parts as they come, to all who joined; each part goes to each of them once. */
export type Work<P> = (signal: AbortSignal, emit: (part: P) => void) => Promise<void>;

interface Flight<P> {
  readonly parts: P[];
  readonly controller: AbortController;
  waiters: number;
  ended: boolean;
  error: NightjarError | undefined;
  wake: (() => void)[];
}

export class SharedWork<P> {
  readonly #flights = new Map<string, Flight<P>>();

  get running(): number {
    return this.#flights.size;
  }

  /**
   * Joins the work under `key`, or begins it. Who comes late gets the earlier parts first. Leaving
   * (by `signal`, or by ending the iteration) as the last one aborts the work.
   */
  async *join(key: string, signal: AbortSignal, work: Work<P>): AsyncGenerator<P> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiters += 1;
    const wake = () => notify(flight);
    signal.addEventListener('abort', wake);
    try {
      for (let next = 0; ;) {
        signal.throwIfAborted();
        const part = flight.parts[next];
        if (part !== undefined) {
          next += 1;
          yield part;
        } else if (flight.ended) {
          if (flight.error !== undefined) throw flight.error;
          return;
        } else {
          await new Promise<void>((resolve) => flight.wake.push(resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      flight.waiters -= 1;
      if (flight.waiters === 0 && !flight.ended) {
        // A request that comes now begins anew: this work is dying.
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.controller.abort(new NightjarError('cancelled', 'nobody waits for this any more'));
      }
    }
  }

  #begin(key: string, work: Work<P>): Flight<P> {
    const flight: Flight<P> = {
      parts: [],
      controller: new AbortController(),
      waiters: 0,
      ended: false,
      error: undefined,
      wake: [],
    };
    this.#flights.set(key, flight);
    const end = (error: NightjarError | undefined) => {
      flight.ended = true;
      flight.error = error;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      notify(flight);
    };
    work(flight.controller.signal, (part) => {
      flight.parts.push(part);
      notify(flight);
    }).then(
      () => end(undefined),
      (error: unknown) => end(toNightjarError(error)),
    );
    return flight;
  }
}

function notify(flight: { wake: (() => void)[] }): void {
  const waiting = flight.wake;
  flight.wake = [];
  for (const wake of waiting) wake();
}
