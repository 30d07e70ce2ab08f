// Writes to the LSM one after the other, and as many as have come meanwhile in one batch.

import { toNightjarError } from '#base';
import type { Lsm, Operation } from './lsm.js';

interface ByteRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

interface Writes {
  write(operations: readonly Operation[]): Promise<void>;
  clear(range: ByteRange): Promise<void>;
}

/** The batch that is being put together. */
export class PendingBatch {
  readonly #lsm: Writes;
  #operations: Operation[] = [];
  #mark = 0;

  constructor(lsm: Writes) {
    this.#lsm = lsm;
  }

  put(key: Buffer, value: Buffer): void {
    this.#operations.push({ type: 'put', key, value });
  }

  del(key: Buffer): void {
    this.#operations.push({ type: 'del', key });
  }

  /** A task begins: what it puts can be rolled back. */
  mark(): void {
    this.#mark = this.#operations.length;
  }

  /** Forgets what the task has put. False when that was nothing. */
  rollBack(): boolean {
    const hasPut = this.#operations.length > this.#mark;
    this.#operations.length = this.#mark;
    return hasPut;
  }

  /**
   * Writes what tasks before have put, so that a read sees it. A task calls it before it puts
   * anything of its own, or it would not be atomic.
   */
  async flush(): Promise<void> {
    if (this.#operations.length === 0) return;
    const operations = this.#operations;
    this.#operations = [];
    this.#mark = 0;
    await this.#lsm.write(operations);
  }

  /** Deletes a range at once, not as a part of the batch. */
  clear(range: ByteRange): Promise<void> {
    return this.#lsm.clear(range);
  }
}

interface Task {
  readonly run: (batch: PendingBatch) => Promise<unknown>;
  readonly sync: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class CommitQueue {
  readonly #lsm: Lsm;
  /** Brings what is kept in memory back in line with the LSM after a failed write. */
  readonly #reload: () => Promise<void>;
  #waiting: Task[] = [];
  #pumping: Promise<void> | undefined;
  #isBroken = false;
  #hasWritten = false;

  constructor(lsm: Lsm, reload: () => Promise<void>) {
    this.#lsm = lsm;
    this.#reload = reload;
  }

  /**
   * Runs `run` alone. What it puts is written in one atomic batch, together with others', before
   * the promise resolves. When `run` throws, nothing of it is written.
   */
  run<T>(run: (batch: PendingBatch) => Promise<T>, sync = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, sync, resolve: resolve as (value: unknown) => void, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /** Anything was written since the LSM was opened. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** Resolves when nothing is waiting. */
  async settled(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping;
  }

  async #pump(): Promise<void> {
    // What is asked for in the same turn shares a batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const tasks = this.#waiting;
      this.#waiting = [];
      await this.#runTogether(tasks);
    }
    this.#pumping = undefined;
  }

  async #runTogether(tasks: readonly Task[]): Promise<void> {
    const done: { task: Task; value: unknown }[] = [];
    try {
      if (this.#isBroken) await this.#mend();
      const sync = tasks.some((task) => task.sync);
      const batch = new PendingBatch({
        write: (operations) => this.#change(() => this.#lsm.batch(operations, sync)),
        clear: (range) => this.#change(() => this.#lsm.clear(range)),
      });
      for (const task of tasks) {
        batch.mark();
        try {
          done.push({ task, value: await task.run(batch) });
        } catch (error) {
          if (this.#isBroken) throw error;
          task.reject(error);
          if (!batch.rollBack()) continue;
          // What it put is also in memory.
          await batch.flush();
          await this.#reload();
        }
      }
      await batch.flush();
      for (const { task, value } of done) task.resolve(value);
    } catch (error) {
      // Rejecting a task that was settled before changes nothing.
      for (const task of tasks) task.reject(toNightjarError(error));
      await this.#mend().catch(() => undefined);
    }
  }

  async #change(write: () => Promise<void>): Promise<void> {
    this.#hasWritten = true;
    try {
      await write();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  async #mend(): Promise<void> {
    this.#isBroken = true;
    await this.#lsm.reopen();
    await this.#reload();
    this.#isBroken = false;
  }
}
