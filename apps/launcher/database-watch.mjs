// Keeps the embedded PostgreSQL up: started again when it ends, and again when that fails.

import { RestartDelay } from './restart-delay.mjs';

const FIRST_DELAY_MS = 500;

export class DatabaseWatch {
  #start;
  #log;
  #database;
  /** A start under way: ending in the middle of one would leave its PostgreSQL behind. */
  #starting;
  /** One that was well is started again at once. */
  #delay = new RestartDelay({ firstMs: FIRST_DELAY_MS, afterLifeMs: 0 });
  #timer;
  #stopping = false;

  /**
   * @param {{start: () => Promise<{url: string, onExit(run: () => void): void, stop(): Promise<void>}>, log: (line: string) => void}} options
   */
  constructor({ start, log }) {
    this.#start = start;
    this.#log = log;
  }

  /** Of the database that was started last. */
  get url() {
    return this.#database?.url;
  }

  /** The first start: rejects when it fails, since then nothing runs that could wait. */
  open() {
    this.#starting = this.#begin();
    return this.#starting;
  }

  /** From now on it may end: whoever leans on it is being stopped. */
  letGo() {
    this.#stopping = true;
    clearTimeout(this.#timer);
  }

  async stop() {
    this.letGo();
    await this.#starting?.catch(() => {});
    await this.#database?.stop();
  }

  async #begin() {
    this.#delay.started();
    const database = await this.#start();
    this.#database = database;
    database.onExit(() => {
      if (!this.#stopping) this.#again('PostgreSQL ended');
    });
  }

  #again(why) {
    const delayMs = this.#delay.next();
    this.#log(`${why}; starting it again in ${delayMs} ms`);
    this.#timer = setTimeout(() => {
      this.#starting = this.#begin();
      this.#starting.catch((error) => {
        if (!this.#stopping) this.#again(error.message);
      });
    }, delayMs);
  }
}
