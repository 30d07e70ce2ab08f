// The side that does the work: at least once each, retried, rescued when a worker dies, stopped when called off.

import { delay, messageOf, NightjarError, type Clock, type Log } from '#base';
import { DelayedError, UnrecoverableError } from 'bullmq';
import type { BackendJob, JobsBackend, StoredQueue, StoredWorker } from './backend.js';
import { failureOf, mayPass, writeFailure } from './job-failure.js';
import {
  JOB_TABLE,
  type JobData,
  type JobName,
  type JobProgress,
  type JobResult,
} from './job-table.js';

export interface JobContext<N extends JobName> {
  readonly id: string;
  /** From 1. An earlier attempt may have got anywhere before it ended. */
  readonly attempt: number;
  /** Aborts when the job is called off, and when this worker closes. */
  readonly signal: AbortSignal;
  /** Tells who asks how far the work is; never throws, may be called often. */
  readonly progress: (progress: JobProgress<N>) => void;
}

/**
 * Must be idempotent. What it throws ends the job, or its attempt when the error's code says that the
 * cause may pass (`unavailable`, `timeout`, `internal`, `conflict`).
 */
export type JobProcessor<N extends JobName> = (
  data: JobData<N>,
  context: JobContext<N>,
) => Promise<JobResult<N>>;

export interface JobWorkerOptions {
  readonly concurrency?: number;
  /** A worker that is silent for so long is taken for dead; another takes its jobs over. */
  readonly lockMs?: number;
  /** How often it is looked whether a running job was called off. */
  readonly pollMs?: number;
}

export interface JobWorker {
  /** Stops what runs and puts it back for others; resolves when the processors have returned. */
  close(): Promise<void>;
}

const LOCK_MS = 30_000;
const POLL_MS = 1000;
/** Progress is stored no more often. */
const PROGRESS_EVERY_MS = 500;
/** How often a job may lose its worker before it is given up: it may be what kills them. */
const MOST_STALLS = 3;
/** A job that a closing worker puts back rests for a moment, so that it does not get it again. */
const REST_MS = 500;

export interface WorkerContext {
  readonly backend: JobsBackend;
  readonly queue: StoredQueue;
  readonly clock: Clock;
  readonly log: Log;
}

export class QueueWorker<N extends JobName> implements JobWorker {
  readonly #name: N;
  readonly #processor: JobProcessor<N>;
  readonly #context: WorkerContext;
  readonly #pollMs: number;
  readonly #closing = new AbortController();
  readonly #worker: StoredWorker;

  constructor(
    name: N,
    processor: JobProcessor<N>,
    context: WorkerContext,
    options: JobWorkerOptions = {},
  ) {
    this.#name = name;
    this.#processor = processor;
    this.#context = context;
    this.#pollMs = options.pollMs ?? POLL_MS;
    const lockDuration = options.lockMs ?? LOCK_MS;
    this.#worker = context.backend.worker(name, {
      process: (job, token) => this.#process(job, token),
      onEnded: (job) => void this.#forgetIfAsked(job),
      options: {
        concurrency: options.concurrency ?? 1,
        lockDuration,
        stalledInterval: lockDuration,
        maxStalledCount: MOST_STALLS,
      },
    });
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  async close(): Promise<void> {
    this.#closing.abort(new NightjarError('cancelled', 'the worker is closing'));
    await this.#worker.close();
  }

  async #process(job: BackendJob, token: string | undefined): Promise<unknown> {
    const id = job.id ?? '';
    const calledOff = new AbortController();
    const ended = new AbortController();
    const watching = this.#watch(id, calledOff, ended.signal);
    const progress = new ProgressReporter(this.#context.clock, (value) =>
      job.updateProgress(value),
    );
    try {
      if (job.data.stop !== undefined) {
        throw new NightjarError('cancelled', 'the job was called off');
      }
      const data = JOB_TABLE[this.#name].data.safeParse(job.data.payload);
      if (!data.success) {
        throw new NightjarError(
          'invalid-argument',
          `a job's data are wrong: ${data.error.message}`,
        );
      }
      return await this.#processor(data.data as JobData<N>, {
        id,
        attempt: job.attemptsStarted,
        signal: AbortSignal.any([calledOff.signal, this.#closing.signal]),
        progress: (value) => progress.report(value),
      });
    } catch (error) {
      if (this.#closing.signal.aborted && !calledOff.signal.aborted) {
        await job.moveToDelayed(this.#context.clock.nowUnixMs() + REST_MS, token);
        throw new DelayedError();
      }
      const failure = calledOff.signal.aborted
        ? { code: 'cancelled' as const, message: 'the job was called off' }
        : failureOf(error);
      this.#context.log.warn(
        { job: this.#name, id, attempt: job.attemptsStarted, ...failure },
        'a job failed',
      );
      const text = writeFailure(failure);
      throw mayPass(failure) ? new Error(text) : new UnrecoverableError(text);
    } finally {
      ended.abort();
      await watching;
      await progress.settle();
    }
  }

  /** The word that calls a job off may be given in another process: it is looked for. */
  async #watch(id: string, calledOff: AbortController, ended: AbortSignal): Promise<void> {
    const { clock, queue, log } = this.#context;
    while (!ended.aborted && !calledOff.signal.aborted) {
      await delay(clock, this.#pollMs, ended).catch(() => undefined);
      if (ended.aborted) return;
      try {
        const job = await queue.getJob(id);
        if (job !== undefined && job.data.stop === undefined) continue;
        calledOff.abort(new NightjarError('cancelled', 'the job was called off'));
      } catch (error) {
        // Not to know is no reason to stop: the next look may succeed.
        log.debug({ id, reason: messageOf(error) }, 'could not look whether a job was called off');
      }
    }
  }

  async #forgetIfAsked(job: BackendJob): Promise<void> {
    try {
      const kept = await this.#context.queue.getJob(job.id ?? '');
      if (kept?.data.stop === 'remove') await kept.remove();
    } catch (error) {
      this.#context.log.debug({ id: job.id, reason: messageOf(error) }, 'could not forget a job');
    }
  }
}

/** Stores the latest progress, one write at a time and no more often than is of use. */
class ProgressReporter {
  readonly #clock: Clock;
  readonly #write: (value: object) => Promise<void>;
  #latest: object | undefined;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;

  constructor(clock: Clock, write: (value: object) => Promise<void>) {
    this.#clock = clock;
    this.#write = write;
  }

  report(value: object): void {
    this.#latest = value;
    const now = this.#clock.monotonicMs();
    if (this.#writing === undefined && now - this.#writtenAtMs >= PROGRESS_EVERY_MS) this.#begin();
  }

  /** Waits for the write under way; what is newer than it goes unsaid, as the job's end says more. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  #begin(): void {
    const value = this.#latest;
    if (value === undefined) return;
    this.#latest = undefined;
    this.#writtenAtMs = this.#clock.monotonicMs();
    // Progress that could not be stored is no reason to end the work.
    this.#writing = this.#write(value)
      .catch(() => undefined)
      .finally(() => (this.#writing = undefined));
  }
}
