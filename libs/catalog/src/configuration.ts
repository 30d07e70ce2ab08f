// The configuration of an installation as a whole: read out in one snapshot for a backup, and put
// back in one transaction, under the same ids, so that cameras find their footage again.

import type { EntityManager, EntityMetadata, EntitySchema, ObjectLiteral } from 'typeorm';
import { MoreThan } from 'typeorm';
import { NightjarError, type Clock, type SecretBox } from '#base';
import { cameraPurpose } from './cameras.js';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import {
  auditEntity,
  cameraEntity,
  holdEntity,
  keeperEntity,
  recorderEntity,
  settingEntity,
  userEntity,
  type CameraRow,
  type HoldRow,
  type KeeperRow,
} from './schema.js';

/** Sessions end, and exports and events tell of this machine: they stay behind. */
const DECLARED: readonly EntitySchema<ObjectLiteral>[] = [
  recorderEntity,
  cameraEntity,
  keeperEntity,
  userEntity,
  holdEntity,
  settingEntity,
] as readonly EntitySchema<ObjectLiteral>[];
const PAGE = 500;

/** By table: a row as JSON, camera credentials in the clear. */
export type ConfigurationRow = Readonly<Record<string, unknown>>;

export interface ConfigurationPage {
  readonly table: string;
  readonly rows: readonly ConfigurationRow[];
}

/** Rows by table. */
type ConfigurationCounts = Readonly<Record<string, number>>;

/** What was here, not in the rows, and stays. */
interface Kept {
  readonly cameras: number;
  readonly holds: number;
}

export interface RestoredConfiguration {
  readonly rows: ConfigurationCounts;
  readonly kept: Kept;
}

export class Configuration {
  readonly #database: Database;
  readonly #secretBox: SecretBox;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; secretBox: SecretBox; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#secretBox = o.secretBox;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  /** The migrations that made these tables: rows fit where no other is known. */
  async migrations(): Promise<string[]> {
    const query = 'SELECT name FROM migrations ORDER BY id';
    const rows = await this.#database.run<{ name: string }[]>((manager) => manager.query(query));
    return rows.map(({ name }) => name);
  }

  /** Every row, page by page, as they all are at one moment. */
  pages(): AsyncGenerator<ConfigurationPage> {
    return this.#database.snapshot((manager) => this.#read(manager));
  }

  /**
   * Puts rows in the place of what is declared here, all or none. What protects or rules footage is
   * never taken away: holds and the trail only grow, and cameras that the rows do not know stay as
   * removed ones, with whoever may have their footage. Throws failed-precondition where cameras, holds or users are
   * declared already, unless told to `replace` them.
   */
  async restore(
    pages: AsyncIterable<ConfigurationPage>,
    options: { readonly replace: boolean; readonly detail: Readonly<Record<string, unknown>> },
  ): Promise<RestoredConfiguration> {
    const counts: Record<string, number> = {};
    let kept = { cameras: 0, holds: 0 };
    await this.#database.transaction(async (manager) => {
      const metadata = new Map(
        [...DECLARED, auditEntity as EntitySchema<ObjectLiteral>].map((entity) => {
          const found = manager.connection.getMetadata(entity);
          return [found.tableName, found] as const;
        }),
      );
      // Whoever writes now waits until this is through.
      await manager.query(
        `LOCK TABLE ${[...metadata.keys(), 'sessions'].join(', ')} IN SHARE ROW EXCLUSIVE MODE`,
      );
      if (!options.replace) await assertEmpty(manager);
      const before = await footageRules(manager);
      for (const table of metadata.keys()) {
        if (table === 'users') await manager.query('DELETE FROM sessions');
        if (table !== 'audit') await manager.query(`DELETE FROM ${table}`);
      }
      for await (const { table, rows } of pages) {
        const known = metadata.get(table);
        if (known === undefined) throw tooNew(`a table ${table}`);
        for (let at = 0; at < rows.length; at += PAGE) {
          const page = rows.slice(at, at + PAGE).map((row) => this.#sealed(known, row));
          const insert = manager.createQueryBuilder().insert().into(known.target).values(page);
          await (table === 'audit' ? insert.orIgnore() : insert).execute();
        }
        counts[table] = (counts[table] ?? 0) + rows.length;
      }
      kept = await this.#keep(manager, before);
      await manager.getRepository(auditEntity).insert({
        id: this.#ids.next(),
        at: new Date(this.#clock.nowUnixMs()),
        actor: 'system',
        address: null,
        action: 'configuration.restore',
        subject: null,
        outcome: 'ok',
        detail: { ...options.detail, replaced: options.replace } as object,
        factKey: null,
      });
    });
    return { rows: counts, kept };
  }

  /** Puts back what of before is not there. */
  async #keep(manager: EntityManager, before: FootageRules): Promise<Kept> {
    const [cameras, holds] = [await idsOf(manager, cameraEntity), await idsOf(manager, holdEntity)];
    const unknown = before.cameras.filter(({ id }) => !cameras.has(id));
    const removedAt = new Date(this.#clock.nowUnixMs());
    await manager
      .getRepository(cameraEntity)
      .insert(unknown.map((row) => ({ ...row, removedAt: row.removedAt ?? removedAt })));
    const lost = before.holds.filter(({ id }) => !holds.has(id));
    await manager.getRepository(holdEntity).insert(lost);
    const insert = manager.createQueryBuilder().insert().into(keeperEntity);
    if (before.keepers.length > 0) await insert.values(before.keepers).orIgnore().execute();
    return { cameras: unknown.length, holds: lost.length };
  }

  async *#read(manager: EntityManager): AsyncGenerator<ConfigurationPage> {
    for (const entity of DECLARED) {
      const { tableName, primaryColumns } = manager.connection.getMetadata(entity);
      const order = Object.fromEntries(primaryColumns.map((key) => [key.propertyName, 'ASC']));
      const rows = await manager.getRepository(entity).find({ order });
      yield { table: tableName, rows: rows.map((row) => this.#opened(tableName, row)) };
    }
    for (let after: string | undefined, more = true; more;) {
      const rows = await manager.getRepository(auditEntity).find({
        ...(after === undefined ? {} : { where: { id: MoreThan(after) } }),
        order: { id: 'ASC' },
        take: PAGE,
      });
      yield { table: 'audit', rows: rows.map((row) => ({ ...row })) };
      after = rows.at(-1)?.id;
      more = rows.length === PAGE;
    }
  }

  #opened(table: string, row: ObjectLiteral): ConfigurationRow {
    if (table !== 'cameras') return row;
    const { sealedSecrets, ...rest } = row as { id: string; sealedSecrets: string };
    return { ...rest, secrets: this.#secretBox.open(sealedSecrets, cameraPurpose(rest.id)) };
  }

  #sealed(metadata: EntityMetadata, row: ConfigurationRow): ObjectLiteral {
    const values: Record<string, unknown> = {};
    const { secrets, ...rest } = row;
    for (const [name, value] of Object.entries(metadata.tableName === 'cameras' ? rest : row)) {
      const column = metadata.findColumnWithPropertyName(name);
      if (column === undefined) throw tooNew(`a column ${name} of ${metadata.tableName}`);
      const isTime = String(column.type).startsWith('timestamp');
      values[name] = isTime && typeof value === 'string' ? new Date(value) : value;
    }
    if (metadata.tableName !== 'cameras') return values;
    if (typeof secrets !== 'string' || typeof row.id !== 'string') {
      throw new NightjarError('data-loss', 'expected a camera with its id and credentials');
    }
    return { ...values, sealedSecrets: this.#secretBox.seal(secrets, cameraPurpose(row.id)) };
  }
}

interface FootageRules {
  readonly cameras: CameraRow[];
  readonly keepers: KeeperRow[];
  readonly holds: HoldRow[];
}

async function footageRules(manager: EntityManager): Promise<FootageRules> {
  return {
    cameras: await manager.getRepository(cameraEntity).find(),
    keepers: await manager.getRepository(keeperEntity).find(),
    holds: await manager.getRepository(holdEntity).find(),
  };
}

async function idsOf(
  manager: EntityManager,
  entity: EntitySchema<{ id: string }>,
): Promise<Set<string>> {
  const rows = await manager.getRepository(entity).find({ select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/** A server that has started once has made its first administrator: that is nothing yet. */
async function assertEmpty(manager: EntityManager): Promise<void> {
  const cameras = await manager.getRepository(cameraEntity).count();
  const holds = await manager.getRepository(holdEntity).count();
  const users = await manager.getRepository(userEntity).count();
  if (cameras === 0 && holds === 0 && users <= 1) return;
  throw new NightjarError(
    'failed-precondition',
    `expected an empty installation, found ${cameras} cameras, ${holds} holds and ${users} users`,
    { cameras, holds, users },
  );
}

function tooNew(what: string): NightjarError {
  return new NightjarError(
    'unsupported',
    `the backup has ${what}, which this version does not know: it comes from a newer Nightjar`,
  );
}
