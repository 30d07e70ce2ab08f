// A test file that never ends is a failure with its name, and the others are run and counted.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '#base/testing';

interface TestRun {
  run(args: readonly string[], stdio: 'ignore'): Promise<void>;
  sum(): { passed: number; failed: number; skipped: number; lines: string[] };
}

const module = './test-run.mjs';
const { TestRun } = (await import(module)) as { TestRun: new () => TestRun };
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-hung-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs them as `npm test` does. */
async function runFiles(files: Readonly<Record<string, string>>, limitSeconds: number) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const config = {
    rootDir: directory,
    transform: {},
    moduleFileExtensions: ['mjs', 'js'],
    testRegex: '\\.test\\.mjs$',
    setupFilesAfterEnv: [here('file-mark.mjs')],
    reporters: [[here('file-watch.mjs'), { limitMinutes: limitSeconds / 60 }]],
  };
  const run = new TestRun();
  await run.run(['--config', JSON.stringify(config), '--maxWorkers', '2'], 'ignore');
  return run.sum();
}

test('one that never ends is killed, and what it began with it', async () => {
  const pidFile = join(directory, 'began');
  const sum = await runFiles(
    {
      'hangs.test.mjs': `
        import { spawn } from 'node:child_process';
        import { writeFileSync } from 'node:fs';
        const began = spawn('sleep', ['300'], { stdio: 'ignore', detached: true });
        writeFileSync(${JSON.stringify(pidFile)}, String(began.pid));
        await new Promise(() => {});
        test('is never reached', () => {});`,
      'ends.test.mjs': `
        test('passes', () => {});
        test.skip('is left out', () => {});
        test('fails', () => expect(1).toBe(2));`,
    },
    15,
  );
  expect(sum).toMatchObject({ passed: 1, failed: 2, skipped: 1 });
  expect(sum.lines).toEqual(['skipped: is left out']);
  const pid = readFileSync(pidFile, 'utf8');
  expect(pid).toMatch(/^\d+$/);
  await eventually('it is gone', () => commandLineOf(pid) === '', 30_000);
}, 120_000);

test('one that ends all of jest is named', async () => {
  const sum = await runFiles({ 'leaves.test.mjs': `process.kill(process.pid, 'SIGKILL');` }, 60);
  expect(sum).toEqual({
    passed: 0,
    failed: 1,
    skipped: 0,
    lines: ['FAIL leaves.test.mjs did not end'],
  });
}, 120_000);

/** Empty when it has ended, also where nobody has asked for its exit code. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
