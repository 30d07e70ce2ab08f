// Recorders on one disk hear of each other's oldest footage, and of nobody else's.

import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore } from './index.js';

let directory: string;
const clock = new FakeClock();

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'nightjar-oldest-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function open(path: string) {
  const store = await ChunkStore.open({ directories: [path], clock, log: silentLog() });
  const id = store.directories[0]?.id ?? '';
  return { tell: (oldestUnixUs: number) => store.exchangeOldest(id, oldestUnixUs) };
}

test('the first, and those below it, hear of each other', async () => {
  const first = await open(join(directory, 'store'));
  expect(await first.tell(500)).toBeUndefined();
  const second = await open(join(directory, 'store', 'recorder-2'));
  const third = await open(join(directory, 'store', 'recorder-3'));
  expect(await second.tell(300)).toBe(500);
  expect(await third.tell(400)).toBe(300);
  expect(await first.tell(600)).toBe(300);
  expect(await second.tell(700)).toBe(400);

  clock.advance(601_000);
  // Who is silent for long has nothing to delete, or is gone; what cannot be read says nothing.
  expect(await first.tell(600)).toBeUndefined();
  await writeFile(join(directory, 'store', 'recorder-3', 'nightjar-oldest.json'), 'torn {');
  expect(await second.tell(800)).toBe(600);
});

test('a directory that merely has such a name has no neighbours', async () => {
  const alone = await open(join(directory, 'disk-1'));
  const other = await open(join(directory, 'disk-2'));
  expect(await alone.tell(1)).toBeUndefined();
  expect(await other.tell(2)).toBeUndefined();
});
