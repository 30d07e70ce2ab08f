// One child process: started, watched, restarted with a growing delay when it dies, ended in order.

import { spawn } from 'node:child_process';
import { RestartDelay } from './restart-delay.mjs';

const FIRST_DELAY_MS = 250;
const STOP_DEADLINE_MS = 15_000;
/** What is killed is gone at once, but for a process that hangs in the kernel. */
const LEFT_BEHIND_MS = 2000;

export class Child {
  #role;
  #name;
  #args;
  #environment;
  #cwd;
  #log;
  #process;
  /** Resolves when the process is gone. */
  #over = Promise.resolve();
  #stopping = false;
  #delay = new RestartDelay({ firstMs: FIRST_DELAY_MS });
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
    this.#delay.started();
    let child;
    try {
      // A process group of its own: Ctrl-C reaches the launcher alone, which ends the children in
      // order. The IPC channel tells a child that the launcher is gone, however it went.
      child = spawn(process.execPath, this.#args, {
        cwd: this.#cwd,
        env: this.#environment,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        detached: process.platform !== 'win32',
      });
    } catch (error) {
      this.#ended(`could not be started (${error.message})`);
      return;
    }
    this.#process = child;
    this.#over = new Promise((resolve) => {
      const end = (why) => {
        if (this.#process !== child) return;
        this.#process = undefined;
        resolve(endLeftBehind(child.pid));
        this.#ended(why);
      };
      child.once('exit', (code, signal) => end(`ended with ${signal ?? code}`));
      child.on('error', (error) => {
        // One that never was has no exit.
        if (child.pid === undefined) end(`could not be started (${error.message})`);
        else this.#log(`${this.#name}: ${error.message}`);
      });
    });
  }

  #ended(why) {
    if (this.#stopping) return;
    const delayMs = this.#delay.next();
    this.#log(`${this.#name} ${why}; starting it again in ${delayMs} ms`);
    this.#timer = setTimeout(() => this.start(), delayMs);
  }

  /** SIGTERM, and SIGKILL when that is not heeded. */
  async stop() {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#process;
    if (child === undefined) return;
    const timer = setTimeout(() => {
      this.#log(`${this.#name} did not end in ${STOP_DEADLINE_MS} ms and is killed`);
      child.kill('SIGKILL');
    }, STOP_DEADLINE_MS);
    child.kill('SIGTERM');
    await this.#over;
    clearTimeout(timer);
  }
}

/** Ends what a process that is gone has left of its group, such as one that it had just begun. */
async function endLeftBehind(pid) {
  if (pid === undefined || process.platform === 'win32') return;
  const endMs = performance.now() + LEFT_BEHIND_MS;
  try {
    while (process.kill(-pid, 'SIGKILL') && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch {
    // Nobody is left.
  }
}
