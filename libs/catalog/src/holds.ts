// Legal holds: periods of footage that nothing may delete.

import { IsNull, type FindOptionsWhere } from 'typeorm';
import { isUuid, NightjarError, type Clock } from '#base';
import type { Hold, HoldInput, RecorderHold } from '#contract';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { holdEntity, type HoldRow } from './schema.js';

export class Holds {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  async list(): Promise<Hold[]> {
    return (await this.#rows()).map(holdOf);
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<Hold> {
    const row = isUuid(id)
      ? await this.#database.table(holdEntity, (table) => table.findOneBy({ id }))
      : null;
    if (row === null) throw holdNotFound(id);
    return holdOf(row);
  }

  async place(input: HoldInput, createdBy: string): Promise<Hold> {
    const row: HoldRow = {
      id: this.#ids.next(),
      cameras: [...new Set(input.cameras)],
      fromAt: new Date(input.from),
      toAt: new Date(input.to),
      reason: input.reason,
      createdBy,
      createdAt: new Date(this.#clock.nowUnixMs()),
      confirmedAt: null,
    };
    await this.#database.table(holdEntity, (table) => table.insert(row));
    return holdOf(row);
  }

  async lift(id: string): Promise<Hold> {
    const hold = await this.get(id);
    await this.#database.table(holdEntity, (table) => table.delete({ id }));
    return hold;
  }

  async unconfirmed(): Promise<Hold[]> {
    return (await this.#rows({ confirmedAt: IsNull() })).map(holdOf);
  }

  /** Every recorder that has such footage runs a configuration with this hold in it. */
  async confirm(ids: readonly string[]): Promise<void> {
    const confirmedAt = new Date(this.#clock.nowUnixMs());
    for (const id of ids) {
      await this.#database.table(holdEntity, (table) =>
        table.update({ id, confirmedAt: IsNull() }, { confirmedAt }),
      );
    }
  }

  /** The holds as recorders keep them, by id: those that touch one of `cameras`. */
  async forCameras(cameras: ReadonlySet<string>): Promise<RecorderHold[]> {
    const rows = await this.#rows();
    return rows
      .filter((row) => row.cameras.some((camera) => cameras.has(camera)))
      .map((row) => ({
        id: row.id,
        cameras: row.cameras.filter((camera) => cameras.has(camera)),
        fromUnixMs: row.fromAt.getTime(),
        toUnixMs: row.toAt.getTime(),
      }));
  }

  #rows(where: FindOptionsWhere<HoldRow> = {}): Promise<HoldRow[]> {
    return this.#database.table(holdEntity, (table) =>
      table.find({ where, order: { id: 'DESC' } }),
    );
  }
}

function holdNotFound(id: string): NightjarError {
  return new NightjarError('not-found', 'there is no such hold', { hold: id });
}

function holdOf(row: HoldRow): Hold {
  return {
    id: row.id,
    cameras: row.cameras,
    from: row.fromAt.toISOString(),
    to: row.toAt.toISOString(),
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    confirmed: row.confirmedAt !== null,
  };
}
