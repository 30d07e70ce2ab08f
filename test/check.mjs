// `npm run check`: every gate in one verb. `--fix` mends format and lint first.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { killTree } from './process-tree.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const bin = (path) => `node_modules/${path}`;
const LIMIT_MINUTES = 6;

/** The longest first. */
const GATES = [
  [
    'lint',
    [
      bin('eslint/bin/eslint.js'),
      '--cache',
      '--cache-location',
      'node_modules/.cache/eslint/',
      '.',
    ],
    ['--fix'],
  ],
  [
    'format',
    [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
    ['--write'],
  ],
  ['types', [bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
  [
    'types of the console',
    [bin('typescript/bin/tsc'), '-p', 'apps/console/tsconfig.json', '--noEmit'],
  ],
  [
    'rooms',
    [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.mjs',
      '--output-type',
      'err',
      'apps',
      'libs',
      'migrations',
    ],
  ],
  ['unused code', [bin('knip/bin/knip.js'), '--no-progress']],
  ['documents', ['test/documents.mjs']],
];

/** Runs every gate, as many at a time as there are cores, and returns the names of those that failed. */
export async function check({ fix = false } = {}) {
  const failed = [];
  const waiting = [...GATES];
  const worker = async () => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const [name, args, fixArgs] = gate;
      const withFix =
        fix && fixArgs !== undefined
          ? [...args.filter((arg) => arg !== '--check'), ...fixArgs]
          : args;
      const { code, output, seconds } = await runGate(withFix);
      if (output.trim() !== '') console.log(output.trim());
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
      if (code !== 0) failed.push(name);
    }
  };
  // What mends files writes them: one after the other then.
  const width = fix ? 1 : availableParallelism();
  await Promise.all(Array.from({ length: width }, worker));
  return failed;
}

function runGate(args) {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const hear = (chunk) => (output += chunk);
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const limit = setTimeout(() => {
      output += `it did not end in ${LIMIT_MINUTES} minutes\n`;
      killTree(child.pid);
    }, LIMIT_MINUTES * 60_000);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output, seconds: ((performance.now() - startedMs) / 1000).toFixed(1) });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = await check({ fix: process.argv.includes('--fix') });
  if (failed.length > 0) {
    console.error(`these gates are not passed: ${failed.join(', ')}`);
    process.exit(1);
  }
}
