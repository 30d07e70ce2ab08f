// One process writes to a store: a second one is refused, until the first has ended, however.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore } from './index.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let directory: string;

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'nightjar-lock-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (exclusive = true, path = directory) =>
  ChunkStore.open({ directories: [path], exclusive, clock: new FakeClock(), log: silentLog() });

/** Another process that holds the lock until it is killed. */
async function holder() {
  const script = `const { ClassicLevel } = require('classic-level');
    new ClassicLevel(${JSON.stringify(join(directory, 'nightjar-lock'))}).open().then(() => {
      console.log('held'); setInterval(() => {}, 1000); });`;
  const child = spawn(process.execPath, ['-e', script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

test('a store that another process has open is refused by name, and free when that one is killed', async () => {
  await (await open()).close();
  const other = await holder();
  await expect(open()).rejects.toMatchObject({
    code: 'failed-precondition',
    message: expect.stringMatching(/nightjar-lock-.*another process has it open/) as string,
  });
  // A tool that only reads is let in.
  await (await open(false)).close();
  other.kill('SIGKILL');
  await new Promise((resolve) => other.once('exit', resolve));
  const store = await open();
  expect(store.directories).toMatchObject([{ state: 'ok' }]);
  await expect(open()).rejects.toMatchObject({ code: 'failed-precondition' });
  await store.close();
  await (await open()).close();
});

test('recorders that share a disk each make their own directory, whoever is first', async () => {
  await mkdir(join(directory, 'recorder-2'));
  const second = await open(true, join(directory, 'recorder-2'));
  const first = await open();
  expect(first.directories[0]?.id).not.toBe(second.directories[0]?.id);
  expect(await readdir(directory)).toEqual(
    expect.arrayContaining(['nightjar-store.json', 'recorder-2']),
  );
  await first.close();
  await second.close();
});
