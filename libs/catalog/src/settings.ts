// Small facts of the installation that are not worth a table: JSON by name.

import type { Database } from './database.js';
import { settingEntity } from './schema.js';

export class Settings {
  readonly #database: Database;

  constructor(o: { database: Database }) {
    this.#database = o.database;
  }

  /** What was put last; the reader checks its form. */
  async find(key: string): Promise<unknown> {
    const row = await this.#database.table(settingEntity, (table) => table.findOneBy({ key }));
    return row?.value;
  }

  async put(key: string, value: object): Promise<void> {
    await this.#database.table(settingEntity, (table) => table.upsert({ key, value }, ['key']));
  }
}
