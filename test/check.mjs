// `npm run check`: every gate in one verb. `--fix` mends format and lint first.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const bin = (path) => `node_modules/${path}`;

const GATES = [
  [
    'format',
    [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
    ['--write'],
  ],
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

/** Runs every gate and returns the names of those that failed. */
export async function check({ fix = false } = {}) {
  const failed = [];
  for (const [name, args, fixArgs] of GATES) {
    const started = performance.now();
    const withFix =
      fix && fixArgs !== undefined
        ? [...args.filter((arg) => arg !== '--check'), ...fixArgs]
        : args;
    const code = await new Promise((resolve) => {
      const child = spawn(process.execPath, withFix, { cwd: ROOT, stdio: 'inherit' });
      child.once('exit', (exitCode) => resolve(exitCode ?? 1));
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (code !== 0) failed.push(name);
  }
  return failed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = await check({ fix: process.argv.includes('--fix') });
  if (failed.length > 0) {
    console.error(`these gates are not passed: ${failed.join(', ')}`);
    process.exit(1);
  }
}
