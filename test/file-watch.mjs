// Jest reporter that ends a test file which does not end by itself, as a failure with its name, while
// the others go on; and that tells `npm test` of each file as it begins and ends.

import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { killTree } from './process-tree.mjs';

const LOOK_MS = 1000;

export default class FileWatch {
  #rootDir;
  #limitMs;
  #marks = mkdtempSync(join(tmpdir(), 'nightjar-test-files-'));
  /** When each file began. */
  #running = new Map();
  #timer;

  /** @param {{rootDir: string}} globalConfig @param {{limitMinutes: number}} options */
  constructor(globalConfig, { limitMinutes }) {
    this.#rootDir = globalConfig.rootDir;
    this.#limitMs = limitMinutes * 60_000;
    // Workers are started with this: each says there which file it runs (file-mark.mjs).
    process.env.NIGHTJAR_TEST_MARKS = this.#marks;
  }

  onRunStart({ numTotalTestSuites }) {
    tell({ files: numTotalTestSuites });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  onTestFileStart({ path }) {
    this.#running.set(path, performance.now());
    tell({ began: relative(this.#rootDir, path) });
  }

  onTestFileResult({ path }, result) {
    this.#running.delete(path);
    tell({
      ended: relative(this.#rootDir, path),
      passed: result.numPassingTests,
      failed: result.numFailingTests + (result.testExecError ? 1 : 0),
      skipped: result.testResults
        .filter(({ status }) => status === 'pending')
        .map(({ fullName }) => fullName),
    });
  }

  onRunComplete() {
    clearInterval(this.#timer);
    rmSync(this.#marks, { recursive: true, force: true });
    tell({ complete: true });
  }

  #look() {
    for (const [path, beganMs] of this.#running) {
      if (performance.now() - beganMs < this.#limitMs) continue;
      const pid = this.#workerOf(path);
      if (pid === undefined) continue;
      this.#running.delete(path);
      const minutes = this.#limitMs / 60_000;
      console.error(`${relative(this.#rootDir, path)} did not end in ${minutes} minutes: killed`);
      killTree(pid);
      // Jest runs a single file in its own process.
      if (pid === process.pid) process.exit(1);
    }
  }

  #workerOf(path) {
    for (const name of readdirSync(this.#marks)) {
      if (readFileSync(join(this.#marks, name), 'utf8') === path) return Number(name);
    }
    return undefined;
  }
}

function tell(event) {
  const file = process.env.NIGHTJAR_TEST_EVENTS;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(event)}\n`);
}
