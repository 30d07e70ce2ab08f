// Opens the queues and workers of a process over one database, and closes them in order.

import { NightjarError, systemClock, type Clock, type Log } from '#base';
import { JobsBackend, type JobsLocation, type StoredQueue } from './backend.js';
import { JobQueue } from './job-queue.js';
import { JOB_TABLE, type JobName } from './job-table.js';
import {
  QueueWorker,
  type JobProcessor,
  type JobWorker,
  type JobWorkerOptions,
} from './job-worker.js';

export type JobsOptions = JobsLocation & { readonly log: Log; readonly clock?: Clock };

const OPEN_DEADLINE_MS = 10_000;

/**
 * Lays the tables (PostgreSQL) when they are not there. Throws `unavailable` when the database or the
 * Redis does not answer.
 */
export async function openJobs(options: JobsOptions): Promise<Jobs> {
  const backend = new JobsBackend(options, options.log);
  const queues = new Map<JobName, StoredQueue>();
  for (const name of Object.keys(JOB_TABLE) as JobName[]) queues.set(name, backend.queue(name));
  const jobs = new Jobs({ ...options, backend, queues, clock: options.clock ?? systemClock });
  try {
    for (const queue of queues.values()) await withDeadline(queue.waitUntilReady());
    return jobs;
  } catch (error) {
    await jobs.close().catch(() => undefined);
    throw new NightjarError('unavailable', 'the job queue does not answer', {}, error);
  }
}

interface JobsParts {
  readonly backend: JobsBackend;
  readonly queues: ReadonlyMap<JobName, StoredQueue>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Jobs {
  readonly queue: JobQueue;
  readonly #parts: JobsParts;
  readonly #workers = new Set<JobWorker>();

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.queue = new JobQueue(parts.queues);
  }

  /** Begins to work on jobs of one kind. Throws `unavailable` when the database does not answer. */
  async work<N extends JobName>(
    name: N,
    processor: JobProcessor<N>,
    options: JobWorkerOptions = {},
  ): Promise<JobWorker> {
    const { backend, clock, log } = this.#parts;
    const queue = this.#parts.queues.get(name)!;
    const worker = new QueueWorker(name, processor, { backend, queue, clock, log }, options);
    this.#workers.add(worker);
    try {
      await withDeadline(worker.ready());
    } catch (error) {
      this.#workers.delete(worker);
      await worker.close().catch(() => undefined);
      throw new NightjarError('unavailable', 'the job queue does not answer', { name }, error);
    }
    return {
      close: async () => {
        this.#workers.delete(worker);
        await worker.close();
      },
    };
  }

  /** Closes the workers first; see JobWorker. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    await Promise.all([...this.#parts.queues.values()].map((queue) => queue.close()));
    this.#parts.backend.close();
  }
}

async function withDeadline<T>(ready: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new NightjarError('timeout', `no answer within ${OPEN_DEADLINE_MS} ms`)),
      OPEN_DEADLINE_MS,
    );
  });
  // Whichever comes second may fail; nobody waits for it then.
  ready.catch(() => undefined);
  try {
    return await Promise.race([ready, late]);
  } finally {
    clearTimeout(timer);
  }
}
