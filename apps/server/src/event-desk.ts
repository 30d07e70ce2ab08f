// Events: kept in the catalog within bounds, and told to everybody who listens.

import { messageOf, type Clock, type Log, type Timer } from '#base';
import type { Catalog, EventInput } from '#catalog';
import type { NightjarEvent } from '#contract';

const KEPT = { maxAgeMs: 90 * 24 * 3_600_000, maxCount: 200_000 };
const TRIM_MS = 600_000;

export class EventDesk {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(event: NightjarEvent) => void>();
  readonly #trim: Timer;

  constructor(o: { catalog: Catalog; clock: Clock; log: Log }) {
    this.#catalog = o.catalog;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#trim = o.clock.every(TRIM_MS, () => {
      this.#catalog.events
        .trim(KEPT)
        .catch((error: unknown) =>
          this.#log.warn({ reason: messageOf(error) }, 'events stay long'),
        );
    });
  }

  /** Keeps and tells events; without `at` they happened now. Throws when they could not be kept. */
  async publish(inputs: readonly (Omit<EventInput, 'at'> & { at?: string })[]): Promise<void> {
    const now = new Date(this.#clock.nowUnixMs()).toISOString();
    const events = await this.#catalog.events.add(inputs.map((input) => ({ at: now, ...input })));
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  /** Keeps and tells what this process saw itself; a failure is logged and goes no further. */
  notice(input: Omit<EventInput, 'at'>): void {
    this.publish([input]).catch((error: unknown) =>
      this.#log.warn({ reason: messageOf(error), kind: input.kind }, 'an event was not kept'),
    );
  }

  /** Returns how to stop listening. */
  listen(listener: (event: NightjarEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#trim.cancel();
  }
}
