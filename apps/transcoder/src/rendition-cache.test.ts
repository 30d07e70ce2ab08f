// The cache: what is found again, what goes first, what damage does.

import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { RenditionCache } from './rendition-cache.js';

let directory: string;
const clock = new FakeClock();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-cache-'));
});
afterEach(() => rm(directory, { recursive: true }));

const open = (maxBytes = 10_000) =>
  RenditionCache.open({ directory, maxBytes, clock, log: silentLog() });
const key = (digit: string) => digit.repeat(64);
const content = (sizeBytes: number, fill = 7) => Buffer.alloc(sizeBytes, fill);

test('what was put is found, also after a restart', async () => {
  const cache = await open();
  expect(await cache.find(key('a'))).toBeUndefined();
  await cache.put(key('a'), content(100));
  expect(await cache.find(key('a'))).toEqual(content(100));
  const again = await open();
  expect(await again.find(key('a'))).toEqual(content(100));
  expect(cache.status).toMatchObject({ files: 1, hits: 1, misses: 1 });
});

test('the least used go first, in the order of use, also after a restart', async () => {
  const cache = await open(3500);
  for (const digit of ['a', 'b', 'c']) {
    clock.advance(1000);
    await cache.put(key(digit), content(1000));
    await cache.find(key(digit));
  }
  clock.advance(1000);
  await cache.find(key('a'));
  const again = await open(3500);
  await again.put(key('d'), content(1000));
  expect(await again.find(key('b'))).toBeUndefined();
  for (const digit of ['a', 'c', 'd']) expect(await again.find(key(digit))).toBeDefined();
  expect(again.status.sizeBytes).toBeLessThanOrEqual(3500);
  expect((await readdir(directory)).length).toBe(3);
});

test('a smaller bound clears room at the start, and nothing larger than it is kept', async () => {
  const cache = await open(5000);
  for (const digit of ['a', 'b', 'c']) await cache.put(key(digit), content(1000));
  const smaller = await open(1500);
  expect(smaller.status).toMatchObject({ files: 1 });
  await smaller.put(key('d'), content(5000));
  expect(await smaller.find(key('d'))).toBeUndefined();
});

test('a file that was cut, emptied or changed is no hit, and goes', async () => {
  const cache = await open();
  for (const [digit, damage] of [
    ['a', (path: string) => truncate(path, 50)],
    ['b', (path: string) => truncate(path, 0)],
    [
      'c',
      async (path: string) => {
        const file = await readFile(path);
        file[10] = 0;
        await writeFile(path, file);
      },
    ],
    ['d', (path: string) => rm(path)],
  ] as const) {
    await cache.put(key(digit), content(100));
    await damage(join(directory, `${key(digit)}.m4s`));
    expect(await cache.find(key(digit))).toBeUndefined();
  }
  expect(await readdir(directory)).toEqual([]);
  expect(cache.status).toMatchObject({ files: 0, sizeBytes: 0 });
});

test('what an earlier run left unfinished is cleared away', async () => {
  await writeFile(join(directory, 'half.tmp'), 'half');
  await open();
  expect(await readdir(directory)).toEqual([]);
});

test('a directory that cannot be written costs nothing but the keeping', async () => {
  const cache = await open();
  await rm(directory, { recursive: true });
  await cache.put(key('a'), content(100));
  expect(await cache.find(key('a'))).toBeUndefined();
  await open();
});
