// The unit tests that break the disk below the store, as lines of the table: a round is a test, and
// many a test goes through every byte or every step.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../apps/launcher/prepare.mjs';

const FILES = ['libs/store/src/faulty-disk.test.ts', 'test/store-timeline.test.ts'];
/** The first that a test's name fits is its line. */
const LINES = [
  ['writes cut at every byte of a record (tests)', /cut at (each|every|any) byte|torn/],
  ['fdatasync that fails (tests)', /failed sync|seal that fails/],
  ['a stop at every step of store and index (tests)', /at any step/],
  ['disks full, gone, foreign, read-only (tests)', /./],
];

export async function run({ directory, say }) {
  const report = join(mkdtempSync(join(directory, 'tests-')), 'report.json');
  const child = spawn(
    process.execPath,
    // prettier-ignore
    ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--json', '--outputFile', report, ...FILES],
    { cwd: ROOT, stdio: 'ignore' },
  );
  await new Promise((resolve) => child.once('exit', resolve));
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const results = LINES.map(([fault]) => ({ fault, rounds: 0, recoveryMs: [], failures: [] }));
  for (const { assertionResults, message } of testResults) {
    if (assertionResults.length === 0) throw new Error(message);
    for (const { fullName, status } of assertionResults) {
      const result = results[LINES.findIndex(([, pattern]) => pattern.test(fullName))];
      result.rounds += 1;
      if (status !== 'passed') result.failures.push(`${fullName}: ${status}`);
    }
  }
  say(`${results.reduce((sum, { rounds }) => sum + rounds, 0)} tests`);
  return results;
}
