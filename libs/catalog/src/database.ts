// The connection to PostgreSQL: pooled, with deadlines, and with its errors in the house's words.

import { DataSource, type EntityManager, type EntitySchema, type Repository } from 'typeorm';
import type { ObjectLiteral } from 'typeorm';
import { migrations } from '#migrations';
import { Backoff, delay, messageOf, NightjarError, type Clock, type Log } from '#base';
import { ENTITIES } from './schema.js';

const CONNECT_DEADLINE_MS = 5000;
const QUERY_DEADLINE_MS = 15_000;
const POOL_SIZE = 20;
/** Any number that no other program takes for its own lock in this database. */
const MIGRATION_LOCK = 0x6e_69_67_68;

/** How the catalog connects; exported so that tests look at the same database in the same way. */
export function dataSourceOf(databaseUrl: string, log: Log): DataSource {
  return new DataSource({
    type: 'postgres',
    entities: ENTITIES,
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    // The driver reads the URL itself: TypeORM's reader knows no socket directories.
    extra: {
      connectionString: databaseUrl,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      query_timeout: QUERY_DEADLINE_MS,
      max: POOL_SIZE,
      application_name: 'nightjar',
    },
    poolErrorHandler: (error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'an idle connection to PostgreSQL broke'),
  });
}

export class Database {
  readonly #source: DataSource;

  private constructor(source: DataSource) {
    this.#source = source;
  }

  /**
   * Connects and migrates. Waits up to `patienceMs` for a PostgreSQL that is still starting, then
   * throws `unavailable`.
   */
  static async open(o: {
    databaseUrl: string;
    clock: Clock;
    log: Log;
    patienceMs?: number;
    signal?: AbortSignal;
  }): Promise<Database> {
    const endMs = o.clock.monotonicMs() + (o.patienceMs ?? 60_000);
    const backoff = new Backoff({ firstMs: 100, capMs: 2000 });
    for (;;) {
      const source = dataSourceOf(o.databaseUrl, o.log);
      try {
        await source.initialize();
        await migrate(source);
        return new Database(source);
      } catch (thrown) {
        if (source.isInitialized) await source.destroy().catch(() => undefined);
        const error = databaseError(thrown);
        if (error.code !== 'unavailable' || o.clock.monotonicMs() > endMs) throw error;
        o.log.warn({ reason: error.message }, 'waiting for PostgreSQL');
        await delay(o.clock, backoff.nextMs(), o.signal);
      }
    }
  }

  /** Runs `work` with the house's errors: `unavailable` while PostgreSQL cannot be reached. */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(this.#source.manager);
    } catch (error) {
      throw databaseError(error);
    }
  }

  /** The same in one transaction; `work` may run again only when its caller does so. */
  async transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.#source.transaction(work);
    } catch (error) {
      throw databaseError(error);
    }
  }

  /** What `work` gives, read in one transaction: all of it as it is at one moment. */
  async *snapshot<T>(work: (manager: EntityManager) => AsyncGenerator<T>): AsyncGenerator<T> {
    const runner = this.#source.createQueryRunner();
    try {
      await runner.startTransaction('REPEATABLE READ');
      yield* work(runner.manager);
    } catch (error) {
      throw databaseError(error);
    } finally {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      await runner.release();
    }
  }

  /** Runs `work` on one table. */
  table<Row extends ObjectLiteral, T>(
    entity: EntitySchema<Row>,
    work: (repository: Repository<Row>) => Promise<T>,
  ): Promise<T> {
    return this.run((manager) => work(manager.getRepository(entity)));
  }

  async close(): Promise<void> {
    if (this.#source.isInitialized) await this.#source.destroy();
  }
}

/** Two processes that start at once migrate one after the other. */
async function migrate(source: DataSource): Promise<void> {
  const holder = source.createQueryRunner();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await holder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await holder.release();
  }
}

/** SQLSTATE classes and driver codes after which trying again later makes sense. */
const UNAVAILABLE_CODES =
  /^(08...|57P0[1-3]|53300|ECONN(REFUSED|RESET|ABORTED)|EPIPE|ENOENT|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
const UNAVAILABLE_MESSAGES =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|connection error|client has encountered|not queryable/i;
const UNIQUE_VIOLATION = '23505';
/** Data exceptions: a zero byte in a text, a number out of range. Trying again would not help. */
const UNFIT_DATA = /^22...$/;

function databaseError(thrown: unknown): NightjarError {
  if (thrown instanceof NightjarError) return thrown;
  const code = codeOf(thrown);
  const message = messageOf(thrown);
  if (UNAVAILABLE_CODES.test(code) || UNAVAILABLE_MESSAGES.test(message)) {
    return new NightjarError('unavailable', 'PostgreSQL does not answer', { code }, thrown);
  }
  if (code === UNIQUE_VIOLATION) {
    return new NightjarError('conflict', 'expected a new name, found one in use', {}, thrown);
  }
  if (UNFIT_DATA.test(code)) {
    return new NightjarError(
      'invalid-argument',
      `expected what can be kept: ${message}`,
      {},
      thrown,
    );
  }
  return new NightjarError('internal', `the database refused: ${message}`, { code }, thrown);
}

/** The first code on the way down to the cause: TypeORM wraps, and Node gathers failed addresses. */
function codeOf(thrown: unknown): string {
  let error = thrown;
  while (typeof error === 'object' && error !== null) {
    const { code, driverError, errors, cause } = error as {
      readonly code?: unknown;
      readonly driverError?: unknown;
      readonly errors?: readonly unknown[];
      readonly cause?: unknown;
    };
    if (typeof code === 'string') return code;
    error = driverError ?? errors?.[0] ?? cause;
  }
  return '';
}
