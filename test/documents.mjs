// Every path that a document names exists, and the table of rooms in libs/README.md is the one in
// libs/rooms.mjs.

import { existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOMS } from '../libs/rooms.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOP_LEVEL = '(?:apps|libs|migrations|docker|test|\\.ci)';
const faults = [];

const documents = spawnSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .stdout.split('\n')
  .filter((path) => path !== '');

for (const document of documents) {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const named = new Set();
  for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (!/^[a-z]+:/i.test(target)) named.add(normalize(join(dirname(document), target)));
  }
  for (const [, path] of text.matchAll(new RegExp(`\`(${TOP_LEVEL}/[\\w./-]+)\``, 'g')))
    named.add(path);
  for (const path of named) {
    if (!existsSync(join(ROOT, path))) faults.push(`${document}: ${path} does not exist`);
  }
}

const shown = existsSync(join(ROOT, 'libs/README.md'))
  ? readFileSync(join(ROOT, 'libs/README.md'), 'utf8')
  : '';
for (const { path, purpose, imports } of ROOMS) {
  const row = `| \`${path}\` | ${purpose} | ${imports.join(' ') || '-'} |`;
  if (!shown.includes(row)) faults.push(`libs/README.md lacks the row: ${row}`);
}

for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
