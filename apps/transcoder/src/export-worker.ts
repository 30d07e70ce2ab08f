// Takes export jobs from the queue; keeps trying while the queue's database is away.

import { Backoff, delay, messageOf, type Clock, type Log } from '#base';
import { openJobs, type Jobs, type JobsLocation } from '#jobs';
import type { ExportMaker } from './export-maker.js';

/** Exports of one transcoder at a time: people who watch come first. */
const EXPORTS_AT_ONCE = 1;

export class ExportWorker {
  readonly #closing = new AbortController();
  readonly #calledOff = new Map<string, AbortController>();
  readonly #options: {
    readonly location: JobsLocation;
    readonly maker: ExportMaker;
    readonly clock: Clock;
    readonly log: Log;
  };
  readonly #opening: Promise<void>;
  #jobs: Jobs | undefined;

  constructor(options: { location: JobsLocation; maker: ExportMaker; clock: Clock; log: Log }) {
    this.#options = options;
    this.#opening = this.#open();
  }

  get running(): number {
    return this.#calledOff.size;
  }

  get connected(): boolean {
    return this.#jobs !== undefined;
  }

  /** Stops an export that runs here, at once. */
  stop(id: string): void {
    this.#calledOff.get(id)?.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    await this.#jobs?.close();
  }

  async #open(): Promise<void> {
    const { location, maker, clock, log } = this.#options;
    const backoff = new Backoff({ firstMs: 500, capMs: 10_000 });
    while (!this.#closing.signal.aborted) {
      let jobs: Jobs | undefined;
      try {
        jobs = await openJobs({ ...location, log, clock });
        await jobs.work(
          'exports',
          async (data, context) => {
            const calledOff = new AbortController();
            this.#calledOff.set(context.id, calledOff);
            const signal = AbortSignal.any([context.signal, calledOff.signal]);
            try {
              log.info({ id: context.id, attempt: context.attempt }, 'an export begins');
              const result = await maker.make(data, { ...context, signal });
              log.info({ id: context.id, sizeBytes: result.sizeBytes }, 'an export is made');
              return result;
            } finally {
              this.#calledOff.delete(context.id);
            }
          },
          { concurrency: EXPORTS_AT_ONCE },
        );
        this.#jobs = jobs;
        return;
      } catch (error) {
        await jobs?.close().catch(() => undefined);
        if (backoff.attempts === 0) {
          log.warn({ reason: messageOf(error) }, 'no exports yet: the job queue does not answer');
        }
        await delay(clock, backoff.nextMs(), this.#closing.signal).catch(() => undefined);
      }
    }
  }
}
