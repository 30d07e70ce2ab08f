// Disks that fill up: what is left for the index, and where footage goes instead.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore } from './chunk-store.js';
import { CAMERA, realRecord, START_UNIX_US } from './footage.test-support.js';
import { nodeFiles } from './node-files.js';

let directory: string;
let store: ChunkStore;
const free = new Map<string, number>();
const RESERVE = 1_000_000;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-reserve-'));
  for (const name of ['a', 'b']) free.set(join(directory, name), 50_000_000);
  store = await ChunkStore.open({
    directories: [...free.keys()].filter((path) => path.startsWith(directory)),
    clock: new FakeClock(),
    log: silentLog(),
    reserveBytes: () => RESERVE,
    files: {
      ...nodeFiles,
      space: (path) => Promise.resolve({ sizeBytes: 100_000_000, freeBytes: free.get(path) ?? 0 }),
    },
  });
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const record = (second: number) =>
  realRecord({
    firstFrame: second * 5,
    frameCount: 5,
    startUnixUs: START_UNIX_US + second * 1_000_000,
  });
const fill = (name: string, freeBytes: number) => free.set(join(directory, name), freeBytes);

test('footage leaves a disk that is down to its reserve for one with room', async () => {
  fill('b', 20_000_000);
  await store.refresh();
  const track = store.openTrack({ camera: CAMERA, track: 'main' });
  await track.write(record(0));
  fill('a', RESERVE - 1);
  await store.refresh();
  expect(store.directories[0]).toMatchObject({
    state: 'full',
    reason: 'the disk is full: 1 MB free, of which 1 MB are the reserve of the index',
  });
  await expect(track.write(record(1))).rejects.toMatchObject({ code: 'resource-exhausted' });
  await track.write(record(2));
  const { records } = await track.close();
  expect(records.map(({ chunk }) => chunk.store)).toEqual(store.directories.map(({ id }) => id));
});

test('with no room anywhere it stops, and begins again with a quarter more than the reserve', async () => {
  for (const name of ['a', 'b']) fill(name, RESERVE - 1);
  await store.refresh();
  const track = store.openTrack({ camera: CAMERA, track: 'main' });
  await expect(track.write(record(0))).rejects.toMatchObject({ code: 'resource-exhausted' });
  fill('a', RESERVE * 1.2);
  await store.refresh();
  await expect(track.write(record(1))).rejects.toMatchObject({ code: 'resource-exhausted' });
  fill('a', RESERVE * 1.3);
  await store.refresh();
  await track.write(record(2));
  expect((await track.close()).records).toHaveLength(1);
  expect(store.directories.map(({ state }) => state)).toEqual(['ok', 'full']);
});
