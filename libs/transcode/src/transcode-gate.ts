// Lets so many transcodes run at once, holds a bounded number of others, and refuses the rest.

import { NightjarError } from '#base';

export type TranscodePriority = 'viewer' | 'batch';

interface Waiting {
  readonly priority: TranscodePriority;
  readonly start: () => void;
}

export class TranscodeGate {
  readonly #slots: number;
  readonly #queueLimit: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #runningBatch = 0;

  constructor(slots: number, queueLimit: number) {
    this.#slots = slots;
    this.#queueLimit = queueLimit;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs `work` when a slot is free; people who watch go first, and batch work leaves them a slot.
   * Throws `resource-exhausted` when too many wait already, and the signal's reason when it aborts
   * before the work began.
   */
  async run<T>(
    priority: TranscodePriority,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (!this.#mayStart(priority)) await this.#wait(priority, signal);
    else this.#count(priority, 1);
    try {
      return await work();
    } finally {
      this.#count(priority, -1);
      this.#startNext();
    }
  }

  #count(priority: TranscodePriority, by: 1 | -1): void {
    this.#running += by;
    if (priority === 'batch') this.#runningBatch += by;
  }

  #mayStart(priority: TranscodePriority): boolean {
    if (this.#running >= this.#slots) return false;
    return priority === 'viewer' || this.#runningBatch < Math.max(1, this.#slots - 1);
  }

  #wait(priority: TranscodePriority, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#queueLimit) {
      throw new NightjarError('resource-exhausted', 'too many transcodes wait already', {
        running: this.#running,
        waiting: this.#waiting.length,
      });
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        priority,
        start: () => {
          signal.removeEventListener('abort', abort);
          this.#count(priority, 1);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #startNext(): void {
    for (const priority of ['viewer', 'batch'] as const) {
      while (this.#mayStart(priority)) {
        const index = this.#waiting.findIndex((waiting) => waiting.priority === priority);
        if (index < 0) break;
        this.#waiting.splice(index, 1)[0]!.start();
      }
    }
  }
}
