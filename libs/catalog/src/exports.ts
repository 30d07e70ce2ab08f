// Exports as people asked for them, and what came of them; the work itself is a job elsewhere.

import { isUuid, NightjarError, type Clock } from '#base';
import type { ExportInput, Rendition } from '#contract';
import { IsNull } from 'typeorm';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { newestFirst, type Page, type PageQuery } from './page.js';
import { exportEntity, type ExportRow } from './schema.js';

export interface ExportOutcome {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly sizeBytes?: number;
  readonly error?: string;
  /** The transcoder that has the file. */
  readonly transcoder?: string;
}

export interface StoredExport {
  readonly id: string;
  readonly cameras: string[];
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly rendition: Rendition;
  readonly watermark?: string;
  readonly note: string;
  readonly createdBy: string;
  readonly createdAt: string;
  /** Absent while the job waits or runs. */
  readonly outcome?: ExportOutcome;
}

export class Exports {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  async add(input: ExportInput, createdBy: string): Promise<StoredExport> {
    const row: ExportRow = {
      id: this.#ids.next(),
      cameras: [...new Set(input.cameras)],
      fromAt: new Date(input.from),
      toAt: new Date(input.to),
      rendition: input.rendition,
      watermark: input.watermark ?? null,
      note: input.note,
      createdBy,
      createdAt: new Date(this.#clock.nowUnixMs()),
      outcome: null,
    };
    await this.#database.table(exportEntity, (table) => table.insert(row));
    return storedOf(row);
  }

  list(query: PageQuery): Promise<Page<StoredExport>> {
    return newestFirst(this.#database, exportEntity, query, storedOf);
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<StoredExport> {
    const row = isUuid(id)
      ? await this.#database.table(exportEntity, (table) => table.findOneBy({ id }))
      : null;
    if (row === null) {
      throw new NightjarError('not-found', 'there is no such export', { export: id });
    }
    return storedOf(row);
  }

  async unfinished(): Promise<StoredExport[]> {
    const rows = await this.#database.table(exportEntity, (table) =>
      table.find({ where: { outcome: IsNull() }, order: { id: 'ASC' } }),
    );
    return rows.map(storedOf);
  }

  /** The first outcome stays; says whether this was it. */
  async finish(id: string, outcome: ExportOutcome): Promise<boolean> {
    const result = await this.#database.table(exportEntity, (table) =>
      table.update({ id, outcome: IsNull() }, { outcome }),
    );
    return (result.affected ?? 0) > 0;
  }

  async remove(id: string): Promise<void> {
    await this.#database.table(exportEntity, (table) => table.delete({ id }));
  }
}

function storedOf(row: ExportRow): StoredExport {
  return {
    id: row.id,
    cameras: row.cameras,
    fromUnixMs: row.fromAt.getTime(),
    toUnixMs: row.toAt.getTime(),
    rendition: row.rendition as Rendition,
    ...(row.watermark === null ? {} : { watermark: row.watermark }),
    note: row.note,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
  };
}
