// What operators want to know now and later: events, kept within a bound of age and of number.

import { LessThan } from 'typeorm';
import type { Clock } from '#base';
import type { NightjarEvent } from '#contract';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { newestFirst, type Page, type PageQuery } from './page.js';
import { eventEntity, type EventRow } from './schema.js';

export type EventInput = Omit<NightjarEvent, 'id'>;

export class Events {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  async add(inputs: readonly EventInput[]): Promise<NightjarEvent[]> {
    const rows = inputs.map((input) => ({
      id: this.#ids.next(),
      at: new Date(input.at),
      kind: input.kind,
      camera: input.camera ?? null,
      message: input.message,
    }));
    if (rows.length > 0) await this.#database.table(eventEntity, (table) => table.insert(rows));
    return rows.map(eventOf);
  }

  list(query: PageQuery): Promise<Page<NightjarEvent>> {
    return newestFirst(this.#database, eventEntity, query, eventOf);
  }

  /** Deletes what is older than `maxAgeMs` or beyond the newest `maxCount`. */
  async trim(o: { maxAgeMs: number; maxCount: number }): Promise<void> {
    const before = new Date(this.#clock.nowUnixMs() - o.maxAgeMs);
    await this.#database.table(eventEntity, async (table) => {
      await table.delete({ at: LessThan(before) });
      const [oldestKept] = await table.find({
        select: { id: true },
        order: { id: 'DESC' },
        skip: o.maxCount - 1,
        take: 1,
      });
      if (oldestKept !== undefined) await table.delete({ id: LessThan(oldestKept.id) });
    });
  }
}

function eventOf(row: EventRow): NightjarEvent {
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind as NightjarEvent['kind'],
    ...(row.camera === null ? {} : { camera: row.camera }),
    message: row.message,
  };
}
