// One child process: started, watched, restarted with a growing delay when it dies, ended in order.

import { spawn } from 'node:child_process';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** A child that lived this long starts again with the first delay. */
const HEALTHY_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;

export class Child {
  #role;
  #name;
  #args;
  #environment;
  #cwd;
  #log;
  #process;
  #stopping = false;
  #delayMs = FIRST_DELAY_MS;
  #timer;

  /** @param {{role: string, name: string, args: string[], environment: Record<string, string>, cwd: string, log: (line: string) => void}} options */
  constructor({ role, name, args, environment, cwd, log }) {
    this.#role = role;
    this.#name = name;
    this.#args = args;
    this.#environment = environment;
    this.#cwd = cwd;
    this.#log = log;
  }

  get role() {
    return this.#role;
  }

  start() {
    const startedMs = performance.now();
    // A process group of its own: Ctrl-C reaches the launcher alone, which ends the children in
    // order. The IPC channel tells a child that the launcher is gone, however it went.
    const child = spawn(process.execPath, this.#args, {
      cwd: this.#cwd,
      env: this.#environment,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: process.platform !== 'win32',
    });
    this.#process = child;
    child.on('error', (error) => this.#log(`${this.#name}: ${error.message}`));
    child.once('exit', (code, signal) => {
      this.#process = undefined;
      if (this.#stopping) return;
      if (performance.now() - startedMs > HEALTHY_MS) this.#delayMs = FIRST_DELAY_MS;
      this.#log(
        `${this.#name} ended with ${signal ?? code}; starting it again in ${this.#delayMs} ms`,
      );
      this.#timer = setTimeout(() => this.start(), this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    });
  }

  /** SIGTERM, and SIGKILL when that is not heeded. */
  stop() {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#process;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#log(`${this.#name} did not end in ${STOP_DEADLINE_MS} ms and is killed`);
        child.kill('SIGKILL');
      }, STOP_DEADLINE_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }
}
