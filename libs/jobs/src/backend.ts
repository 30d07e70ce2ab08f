// Where jobs are kept: PostgreSQL, or Redis where its URL is given. Both speak BullMQ's language.

import { NightjarError, type Log } from '#base';
import {
  createPostgresBackend,
  Queue,
  withBackend,
  Worker,
  type Job,
  type Processor,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';

export type JobsLocation = { readonly databaseUrl: string } | { readonly redisUrl: string };

/** A job as it is kept: what was given, and what was asked of it since. */
export interface StoredJob {
  readonly payload: unknown;
  /** `remove` goes on to forget the job once its worker has let go of it. */
  readonly stop?: 'cancel' | 'remove';
}

export type BackendJob = Job<StoredJob, unknown, string>;
export type StoredQueue = Pick<Queue<StoredJob, unknown, string>, 'add' | 'getJob' | 'close'> & {
  waitUntilReady(): Promise<unknown>;
};
export type StoredWorker = Pick<Worker<StoredJob, unknown, string>, 'waitUntilReady' | 'close'>;

export interface WorkerParts {
  readonly process: Processor<StoredJob, unknown, string>;
  /** A job has been done, or has failed and may or may not be tried again. */
  readonly onEnded: (job: BackendJob) => void;
  readonly options: Pick<
    WorkerOptions,
    'concurrency' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount'
  >;
}

const OnPostgres = withBackend(createPostgresBackend);

/** Keys of ours in a shared Redis, and the schema in a shared PostgreSQL. */
const REDIS_PREFIX = 'nightjar';
const POSTGRES_SCHEMA = 'nightjar_jobs';
/** Of each queue and of each worker; one more listens. */
const POSTGRES_CONNECTIONS = 3;

/** Makes queues and workers over one place; closes what it opened itself. */
export class JobsBackend {
  readonly #location: JobsLocation;
  readonly #log: Log;
  #redis: Redis | undefined;

  constructor(location: JobsLocation, log: Log) {
    this.#location = location;
    this.#log = log;
  }

  queue(name: string): StoredQueue {
    const queue =
      'redisUrl' in this.#location
        ? new Queue<StoredJob, unknown, string>(name, {
            connection: this.#redisConnection(),
            prefix: REDIS_PREFIX,
          })
        : new OnPostgres.Queue<StoredJob, unknown, string>(name, {
            connection: postgresConnection(this.#location.databaseUrl),
          });
    queue.on('error', (error: Error) => this.#complain(name, error));
    return queue;
  }

  worker(name: string, { process, onEnded, options }: WorkerParts): StoredWorker {
    const worker =
      'redisUrl' in this.#location
        ? new Worker<StoredJob, unknown, string>(name, process, {
            ...options,
            connection: this.#redisConnection(),
            prefix: REDIS_PREFIX,
          })
        : new OnPostgres.Worker<StoredJob, unknown, string>(name, process, {
            ...options,
            connection: postgresConnection(this.#location.databaseUrl),
          });
    worker.on('error', (error: Error) => this.#complain(name, error));
    worker.on('completed', (job: BackendJob) => onEnded(job));
    worker.on('failed', (job: BackendJob | undefined) => {
      if (job !== undefined) onEnded(job);
    });
    return worker;
  }

  close(): void {
    this.#redis?.disconnect();
    this.#redis = undefined;
  }

  #redisConnection(): Redis {
    if (!('redisUrl' in this.#location)) throw new NightjarError('internal', 'expected Redis');
    if (this.#redis === undefined) {
      this.#redis = new Redis(this.#location.redisUrl, {
        // A worker waits for a Redis that is away, however long.
        maxRetriesPerRequest: null,
        enableReadyCheck: true,
      });
      this.#redis.on('error', (error: Error) => this.#complain('redis', error));
    }
    return this.#redis;
  }

  #complain(queue: string, error: Error): void {
    this.#log.warn({ queue, reason: error.message }, 'the job queue is in trouble');
  }
}

function postgresConnection(databaseUrl: string) {
  return {
    connectionString: databaseUrl,
    schema: POSTGRES_SCHEMA,
    migrate: true,
    max: POSTGRES_CONNECTIONS,
  };
}
