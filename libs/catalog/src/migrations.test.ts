// The migrations go up, down and up again, and lead to exactly the tables that the code expects.

import { silentLog } from '#base';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../test/fixtures/postgres.js';
import { dataSourceOf } from './database.js';

let postgres: TestPostgres;
let source: DataSource;

beforeAll(async () => {
  postgres = await startTestPostgres();
  source = await dataSourceOf(await postgres.createDatabase(), silentLog()).initialize();
});

afterAll(async () => {
  await source.destroy();
  await postgres.stop();
});

async function tables(): Promise<string[]> {
  const rows: { tablename: string }[] = await source.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  );
  return rows.map((row) => row.tablename).filter((name) => name !== 'migrations');
}

async function drift(): Promise<string[]> {
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

test('migrations run up, down and up again without drift', async () => {
  await source.runMigrations();
  expect(await drift()).toEqual([]);
  const made = await tables();
  expect(made).toHaveLength(source.entityMetadatas.length);

  for (let left = source.migrations.length; left > 0; left--) await source.undoLastMigration();
  expect(await tables()).toEqual([]);

  await source.runMigrations();
  expect(await tables()).toEqual(made);
  expect(await drift()).toEqual([]);
});
