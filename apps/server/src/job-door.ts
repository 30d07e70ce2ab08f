// The job queue, opened when it is first needed and again after it could not be.

import type { Log } from '#base';
import { openJobs, type JobQueue, type Jobs } from '#jobs';

export class JobDoor {
  readonly #open: () => Promise<Jobs>;
  #jobs: Promise<Jobs> | undefined;

  constructor(o: { databaseUrl: string; redisUrl: string | undefined; log: Log }) {
    this.#open = () =>
      openJobs(
        o.redisUrl === undefined
          ? { databaseUrl: o.databaseUrl, log: o.log }
          : { redisUrl: o.redisUrl, log: o.log },
      );
  }

  /** Throws `unavailable` while the queue's database is away. */
  async queue(): Promise<JobQueue> {
    this.#jobs ??= this.#open();
    try {
      return (await this.#jobs).queue;
    } catch (error) {
      this.#jobs = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await (await this.#jobs?.catch(() => undefined))?.close();
  }
}
