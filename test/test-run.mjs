// One run of jest in a process of its own, and what came of it, also when it never ended.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../apps/launcher/prepare.mjs';
import { killTree } from './process-tree.mjs';

/** A jest that is through with its tests ends; one that something keeps open would stay for ever. */
const END_MS = 60_000;

export class TestRun {
  #directory = mkdtempSync(join(tmpdir(), 'nightjar-results-'));
  #events = join(this.#directory, 'events');
  #code;
  #stayed = false;

  /** Resolves when jest is gone. @param {string[]} args @param {'inherit' | 'ignore'} stdio */
  async run(args, stdio = 'inherit') {
    const child = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        ...args,
      ],
      {
        cwd: ROOT,
        stdio,
        env: { ...process.env, NIGHTJAR_TEST_EVENTS: this.#events },
      },
    );
    let throughMs;
    const watch = setInterval(() => {
      if (this.#read().some(({ complete }) => complete)) throughMs ??= performance.now();
      if (throughMs === undefined || performance.now() - throughMs < END_MS) return;
      this.#stayed = true;
      killTree(child.pid);
    }, 1000);
    await new Promise((resolve) => {
      child.once('error', resolve);
      child.once('exit', (code) => {
        this.#code = code;
        resolve();
      });
    });
    clearInterval(watch);
  }

  /**
   * What came of it, and what is to be said of it that jest itself did not say. Call it once.
   * @returns {{passed: number, failed: number, skipped: number, lines: string[]}}
   */
  sum() {
    const events = this.#read();
    rmSync(this.#directory, { recursive: true, force: true });
    const ended = events.filter((event) => event.ended !== undefined);
    const total = (key) => ended.reduce((sum, event) => sum + event[key], 0);
    const skipped = ended.flatMap((event) => event.skipped);
    const faults = events
      .flatMap(({ began }) => began ?? [])
      .filter((file) => !ended.some((event) => event.ended === file))
      .map((file) => `${file} did not end`);
    const files = events.find((event) => event.files !== undefined)?.files ?? 0;
    const missing = files - ended.length - faults.length;
    if (missing > 0) faults.push(`${missing} test files did not come to run`);
    if (this.#stayed) faults.push('jest did not end: something keeps it open');
    const failed = total('failed');
    if (faults.length === 0 && failed === 0 && this.#code !== 0) {
      faults.push(`jest ended with ${this.#code}`);
    }
    return {
      passed: total('passed'),
      failed: failed + faults.length,
      skipped: skipped.length,
      lines: [
        ...skipped.map((name) => `skipped: ${name}`),
        ...faults.map((fault) => `FAIL ${fault}`),
      ],
    };
  }

  #read() {
    let text = '';
    try {
      text = readFileSync(this.#events, 'utf8');
    } catch {
      // It has not begun.
    }
    // Behind the last line feed a line is not whole.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
}
