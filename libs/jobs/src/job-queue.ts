// The side that wants work done: adds a job, looks how it stands, calls it off.

import { NightjarError, toNightjarError } from '#base';
import type { BackendJob, StoredQueue } from './backend.js';
import { readFailure, type JobFailure } from './job-failure.js';
import {
  JOB_TABLE,
  type JobData,
  type JobName,
  type JobProgress,
  type JobResult,
} from './job-table.js';

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface JobView<N extends JobName> {
  readonly id: string;
  readonly state: JobState;
  readonly data: JobData<N>;
  /** What the worker said last; absent before it said anything. */
  readonly progress?: JobProgress<N>;
  /** When done. */
  readonly result?: JobResult<N>;
  /** When failed. */
  readonly failure?: JobFailure;
  /** How often it was begun. */
  readonly attempts: number;
  readonly createdAtUnixMs: number;
}

/** Finished jobs are forgotten after this; their owners keep what came of them. */
const KEEP_SECONDS = 30 * 24 * 3600;
const KEEP_COUNT = 10_000;

/** Throws `unavailable` from every call while the database behind it is away. */
export class JobQueue {
  readonly #queues: ReadonlyMap<JobName, StoredQueue>;

  constructor(queues: ReadonlyMap<JobName, StoredQueue>) {
    this.#queues = queues;
  }

  /**
   * Durable when it returns. A job with the same id is not added twice; its data stay what they were.
   * Throws `invalid-argument` when the data are not of the job's form.
   */
  async add<N extends JobName>(
    name: N,
    data: JobData<N>,
    options: { readonly id: string },
  ): Promise<void> {
    const kind = JOB_TABLE[name];
    const parsed = kind.data.safeParse(data);
    if (!parsed.success) {
      throw new NightjarError(
        'invalid-argument',
        `a job's data are wrong: ${parsed.error.message}`,
        {
          job: name,
        },
      );
    }
    await asked(() =>
      this.#queue(name).add(
        name,
        { payload: parsed.data },
        {
          jobId: options.id,
          attempts: kind.attempts,
          backoff: { type: 'exponential', delay: kind.firstRetryMs },
          removeOnComplete: { age: KEEP_SECONDS, count: KEEP_COUNT },
          removeOnFail: { age: KEEP_SECONDS, count: KEEP_COUNT },
        },
      ),
    );
  }

  /** How a job stands, or undefined when there is none. */
  async find<N extends JobName>(name: N, id: string): Promise<JobView<N> | undefined> {
    const seen = await this.#job(name, id);
    if (seen === undefined || seen.data.stop === 'remove') return undefined;
    const kept = await asked(() => seen.getState());
    // It may have ended between the two questions: its result is only in what is read after.
    const ended = kept === 'completed' || kept === 'failed';
    const job = ended ? ((await this.#job(name, id)) ?? seen) : seen;
    const state = stateOf(kept, job);
    const progress = JOB_TABLE[name].progress.safeParse(job.progress);
    return {
      id,
      state,
      data: job.data.payload as JobData<N>,
      ...(progress.success ? { progress: progress.data as JobProgress<N> } : {}),
      ...(state === 'done' ? { result: job.returnvalue as JobResult<N> } : {}),
      ...(state === 'failed' ? { failure: readFailure(job.failedReason ?? '') } : {}),
      attempts: job.attemptsStarted,
      createdAtUnixMs: job.timestamp,
    };
  }

  /**
   * Calls a job off: one that waits is not begun, the worker of one that runs is told within its
   * poll interval. False when there is none or it has ended already.
   */
  async cancel(name: JobName, id: string): Promise<boolean> {
    const job = await this.#job(name, id);
    if (job === undefined || job.data.stop !== undefined) return job !== undefined;
    const state = stateOf(await asked(() => job.getState()), job);
    if (state !== 'waiting' && state !== 'running') return false;
    await asked(() => job.updateData({ ...job.data, stop: 'cancel' }));
    return true;
  }

  /** Forgets a job, and calls it off first if it runs. Idempotent. */
  async remove(name: JobName, id: string): Promise<void> {
    const job = await this.#job(name, id);
    if (job === undefined) return;
    if ((await asked(() => job.getState())) !== 'active') {
      const removed = await job.remove().then(
        () => true,
        () => false,
      );
      if (removed) return;
    }
    // A worker holds it: it removes the job when it lets go.
    await asked(() => job.updateData({ ...job.data, stop: 'remove' }));
  }

  #job(name: JobName, id: string): Promise<BackendJob | undefined> {
    return asked(() => this.#queue(name).getJob(id));
  }

  #queue(name: JobName): StoredQueue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new NightjarError('internal', `no queue '${name}'`);
    return queue;
  }
}

function stateOf(kept: string, job: BackendJob): JobState {
  if (kept === 'completed') return 'done';
  if (kept === 'failed') {
    return readFailure(job.failedReason ?? '').code === 'cancelled' ? 'cancelled' : 'failed';
  }
  if (job.data.stop !== undefined) return 'cancelled';
  return kept === 'active' ? 'running' : 'waiting';
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new NightjarError(
      'unavailable',
      'the job queue does not answer',
      {},
      toNightjarError(error),
    );
  }
}
