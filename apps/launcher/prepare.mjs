// Installs the packages and builds the programs when either is missing or older than its sources.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Written when the install is through: a cut-off one is done again. */
const INSTALL_STAMP = join(ROOT, 'node_modules', '.nightjar-installed');
const BUILD_STAMP = join(ROOT, 'dist', '.nightjar-built');
const BUILD_INPUTS = [
  'apps',
  'libs',
  'migrations',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** @param {(line: string) => void} log */
export async function prepare(log) {
  const lock = hashOf(['package-lock.json']);
  if (readStamp(INSTALL_STAMP) !== lock) {
    log('installing packages (a minute or two, once)');
    // Not `npm ci`: it refuses a lock file that lacks another platform's optional packages.
    await runTool('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(INSTALL_STAMP, lock);
  }
  if (readStamp(BUILD_STAMP) !== hashOf(BUILD_INPUTS)) {
    log('building');
    await build();
  }
}

/** Compiles every program, and the console beside them; the next start finds it done. */
export async function build() {
  // Of before: what is changed meanwhile is built again.
  const sources = hashOf(BUILD_INPUTS);
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  rmSync(BUILD_STAMP, { force: true });
  await Promise.all([
    runTool(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']),
    runTool(process.execPath, [
      'node_modules/vite/bin/vite.js',
      'build',
      '--config',
      'apps/console/vite.config.ts',
      '--logLevel',
      'warn',
    ]),
  ]);
  writeFileSync(BUILD_STAMP, sources);
}

/** Resolves when the program ends well; its output is shown. */
export function runTool(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: 'inherit',
      shell: process.platform === 'win32',
      ...options,
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`${program} ${args.slice(0, 2).join(' ')} ended with ${signal ?? code}`));
    });
  });
}

function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** A digest over names, sizes and times of all files below `places`: fast, and enough for a stamp. */
function hashOf(places) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const info = statSync(path, { throwIfNoEntry: false });
    if (info === undefined) return;
    if (info.isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    } else if (path.endsWith('package-lock.json')) {
      hash.update(readFileSync(path));
    } else if (!path.endsWith('.test.ts') && !path.endsWith('.md')) {
      hash.update(`${path}\0${info.size}\0${info.mtimeMs}\n`);
    }
  };
  for (const place of places) visit(join(ROOT, place));
  return hash.digest('hex');
}
