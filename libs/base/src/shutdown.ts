// Ends a process in order: the last thing opened is the first closed, each within a deadline.

import type { Log } from './log.js';

interface Closer {
  readonly name: string;
  readonly close: () => unknown;
}

export class Shutdown {
  readonly #controller = new AbortController();
  readonly #closers: Closer[] = [];
  readonly #log: Log;
  readonly #deadlineMs: number;
  #ending: Promise<void> | undefined;

  constructor(log: Log, deadlineMs = 8000) {
    this.#log = log;
    this.#deadlineMs = deadlineMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Closes what was added last first. */
  add(name: string, close: () => unknown): void {
    this.#closers.push({ name, close });
  }

  /** Ends on SIGINT and SIGTERM, and when the parent's IPC channel breaks: no orphan stays. */
  listen(): void {
    const end = (why: string) => {
      void this.run(why).then(() => process.exit(0));
    };
    process.once('SIGINT', () => end('SIGINT'));
    process.once('SIGTERM', () => end('SIGTERM'));
    // False, not undefined: there was a launcher, and it went while this process was loading.
    if (process.connected === false) end('the launcher is gone');
    else if (process.connected) process.once('disconnect', () => end('the launcher is gone'));
  }

  /** Idempotent: later calls wait for the first. Never rejects. */
  run(why: string): Promise<void> {
    this.#ending ??= this.#close(why);
    return this.#ending;
  }

  async #close(why: string): Promise<void> {
    this.#log.info({ why }, 'stopping');
    this.#controller.abort();
    for (const { name, close } of this.#closers.reverse()) {
      let timer: NodeJS.Timeout | undefined;
      const expired = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`not closed after ${this.#deadlineMs} ms`)),
          this.#deadlineMs,
        );
      });
      try {
        await Promise.race([close(), expired]);
      } catch (error) {
        this.#log.error({ err: error, name }, 'could not close in order');
      } finally {
        clearTimeout(timer);
      }
    }
    this.#log.info('stopped');
  }
}
