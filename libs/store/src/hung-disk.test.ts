// A disk that stops answering: its tracks go on elsewhere with nothing lost, and what they left there
// is brought in order when it answers, or by recovery.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { ChunkInfo, ScannedChunk } from './chunk-info.js';
import type { ChunkFiles } from './chunk-files.js';
import { ChunkStore } from './chunk-store.js';
import { diskBroken } from './faulty-files.test-support.js';
import { CAMERA, OTHER_CAMERA, START_UNIX_US } from './footage.test-support.js';
import {
  allOf,
  HangingDisk,
  isInOrder,
  openHangingStore,
  pathIn,
  record,
  scanned,
  sequenceOf,
  sequences,
  whileTimePasses,
  writeAll,
} from './hanging-disk.test-support.js';
import { verifyChunk } from './verify-chunk.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
let parent: string;
let disk: HangingDisk;
let clock: FakeClock;
let store: ChunkStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nightjar-hung-'));
  disk = new HangingDisk();
  clock = new FakeClock();
  store = await openStore();
});
afterEach(async () => {
  disk.answer();
  await store.close();
  await rm(parent, { recursive: true, force: true });
});

const openStore = (names = ['one', 'two'], chunkBytes?: number, files = disk.files) =>
  openHangingStore({ parent, names, clock, files, chunkBytes });
const pathOf = (id: string | undefined) => pathIn(store, id);
const timedOut = (again: number) => ({
  code: 'timeout',
  context: { again: { run: 1, sequence: sequenceOf(again) } },
});

/** Passes the time that a disk may take, once `count` operations wait for it. */
async function hangs(count = 1): Promise<void> {
  await eventually('the disk is asked', () => disk.waiting.length >= count);
  clock.advance(4000);
  clock.advance(1000);
}

test('a write that hangs is made elsewhere, with the group that it goes on with, and nothing is lost or doubled', async () => {
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const before = await writer.sync();
  const chunk = before.chunks[0] as ChunkInfo;
  disk.hang(pathOf(chunk.store));
  const hung = writer.write(record(3));
  hung.catch(() => undefined);
  await hangs();
  // The second group began with record 2.
  await expect(hung).rejects.toMatchObject(timedOut(2));
  await expect(writer.write(record(3))).rejects.toMatchObject({ code: 'failed-precondition' });
  await writeAll(writer, 2, 6);
  const after = await writer.sync();
  expect(sequences(after.records)).toEqual(allOf(6, 2));
  const [elsewhere, kept] = after.chunks;
  expect(elsewhere?.store).not.toBe(chunk.store);
  // What lies in the first chunk ends where the group begins that was written again.
  const place = before.records.find(({ record: { sequence } }) => sequence === sequenceOf(2));
  expect(kept).toMatchObject({ id: chunk.id, sizeBytes: place?.offset, sealed: false });
  disk.answer();
  clock.advance(10_000);
  await writer.close();
  await eventually('the chunk that was left is cut', async () => {
    const [first] = await scanned(store);
    return first?.chunk.sizeBytes === place?.offset;
  });
  // The seals come with whoever writes next.
  const next = store.openTrack(TRACK);
  await writeAll(next, 6, 8);
  const { chunks } = await next.close();
  expect(chunks.filter(({ sealed }) => sealed)).toHaveLength(3);
  await isInOrder(store, 8);
});

test('where the write that hangs begins a group, it alone is made elsewhere', async () => {
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 4);
  const chunk = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(chunk.store));
  const hung = writer.write(record(4));
  hung.catch(() => undefined);
  await hangs();
  await expect(hung).rejects.toMatchObject(timedOut(4));
  await writeAll(writer, 4, 6);
  const after = await writer.sync();
  expect(after.chunks).toHaveLength(1);
  expect(after.removedChunks).toBeUndefined();
  disk.answer();
  await eventually('the chunk that was left is cut', async () => {
    const [first] = await scanned(store);
    return first?.chunk.sizeBytes === chunk.sizeBytes;
  });
  await writeAll(writer, 6, 8);
  await writer.close();
  await isInOrder(store, 8);
});

test('a chunk all of which is written again goes, from the index and from the disk', async () => {
  const writer = store.openTrack(TRACK);
  await writer.write(record(0));
  const chunk = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(chunk.store));
  const hung = writer.write(record(1));
  hung.catch(() => undefined);
  await hangs();
  await expect(hung).rejects.toMatchObject(timedOut(0));
  await writeAll(writer, 0, 2);
  expect(await writer.sync()).toMatchObject({ removedChunks: [chunk.id], records: { length: 2 } });
  disk.answer();
  await eventually('its file is gone', async () => (await scanned(store)).length === 1);
  await writer.close();
  await isInOrder(store, 2);
});

test('a first sync that hangs makes nothing safe: all of the chunk is written again', async () => {
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const path = join(parent, (await scanned(store))[0]?.chunk.store === store.directories[0]?.id ? 'one' : 'two'); // prettier-ignore
  disk.hang(path, ['sync-directory']);
  const synced = writer.sync();
  await hangs();
  expect(await synced).toEqual({
    ...{ records: [], chunks: [] },
    again: { run: 1, sequence: sequenceOf(0), fromUnixUs: START_UNIX_US },
  });
  await writeAll(writer, 0, 4);
  expect(sequences((await writer.sync()).records)).toEqual(allOf(4));
  disk.answer();
  await eventually('its file is gone', async () => (await scanned(store)).length === 1);
  await writer.close();
  await isInOrder(store, 4);
});

test('a new chunk is made where the disk answers, and one that comes too late leaves nothing', async () => {
  const chosen = store.openTrack({ camera: OTHER_CAMERA, track: 'main' });
  await chosen.write(record(0));
  const path = pathOf((await chosen.close()).chunks[0]?.store);
  disk.hang(path);
  const writer = store.openTrack(TRACK);
  const written = writer.write(record(0));
  await whileTimePasses(clock, written);
  const { chunks } = await writer.close();
  expect(pathOf(chunks[0]?.store)).not.toBe(path);
  disk.answer();
  await eventually('one chunk each', async () => (await scanned(store)).length === 2);
});

test('a seal that hangs holds up no record, and the chain is whole when the disk answers', async () => {
  await store.close();
  // Each group begins a chunk.
  store = await openStore(['one', 'two'], 1000);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const chunk = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(chunk.store));
  await whileTimePasses(clock, writeAll(writer, 2, 8));
  const { records, chunks, again } = await writer.sync();
  expect(again).toBeUndefined();
  expect(sequences(records)).toEqual(allOf(8, 2));
  // Younger ones are sealed behind it.
  expect(chunks.map(({ store: id, sealed }) => [id === chunk.store, sealed])).toEqual(
    chunks.map(() => [false, false]),
  );
  disk.answer();
  clock.advance(10_000);
  let index = 8;
  await eventually('the chunk that was left is sealed', async () => {
    await writeAll(writer, index, index + 2);
    index += 2;
    const row = (await writer.sync()).chunks.find(({ id }) => id === chunk.id);
    return row?.sealed === true;
  });
  await writer.close();
  await isInOrder(store, index);
});

test('more tracks than there are slots for all go on, and what waited for its turn never happens', async () => {
  const cameras = Array.from(
    { length: 60 },
    (_, index) => CAMERA.slice(0, -2) + String(index + 10),
  );
  const writers = cameras.map((camera) => store.openTrack({ camera, track: 'main' }));
  const places: (string | undefined)[] = [];
  for (const writer of writers) {
    await writeAll(writer, 0, 2);
    places.push((await writer.sync()).chunks[0]?.store);
  }
  const [first] = places;
  const there = writers.filter((_, index) => places[index] === first);
  expect(there.length).toBeGreaterThan(16);
  disk.hang(pathOf(first));
  const hung = there.map((writer) => writer.write(record(2)).catch((error: unknown) => error));
  await hangs(5);
  for (const error of await Promise.all(hung)) expect(error).toMatchObject(timedOut(2));
  // As many as its lane is wide: five eighths of sixteen threads, for two directories.
  expect(disk.waiting).toHaveLength(5);
  for (const writer of there) await writeAll(writer, 2, 4);
  const rows = await Promise.all(there.map((writer) => writer.sync()));
  for (const { records } of rows) expect(sequences(records)).toEqual(allOf(4, 2));
  expect(store.canDelete({ id: 0, store: first ?? '', path: '' })).toBe(false);
  disk.answer();
  expect(disk.waiting).toEqual([]);
  await Promise.all(writers.map((writer) => writer.close()));
  await eventually('all is cut', async () =>
    (await scanned(store)).every(({ chunk }) => chunk.sizeBytes > 0),
  );
  for (const { state, records } of await scanned(store)) {
    expect([state, records.length]).toEqual(['intact', 2]);
  }
});

test('deleting on a disk that hangs is given up, and goes on on the other one', async () => {
  const chunks: ChunkInfo[] = [];
  for (const [name, camera] of [
    ['one', CAMERA],
    ['two', OTHER_CAMERA],
  ] as const) {
    await store.close();
    store = await openStore([name]);
    const writer = store.openTrack({ camera, track: 'main' });
    await writeAll(writer, 0, 2);
    chunks.push(...(await writer.close()).chunks);
  }
  await store.close();
  store = await openStore();
  const [hung, well] = chunks as [ChunkInfo, ChunkInfo];
  disk.hang(pathOf(hung.store), ['remove']);
  const deleted = store.deleteChunk(hung);
  deleted.catch(() => undefined);
  await hangs();
  await expect(deleted).rejects.toMatchObject({ code: 'timeout' });
  expect(await store.deleteChunk(well)).toBe(well.sizeBytes);
  disk.answer();
  await eventually('it is deleted', async () => (await scanned(store)).length === 0);
});

test('closing the store does not wait for a disk that hangs', async () => {
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const chunk = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(chunk.store));
  const hung = writer.write(record(3));
  hung.catch(() => undefined);
  await hangs();
  await expect(hung).rejects.toMatchObject(timedOut(2));
  await writeAll(writer, 2, 4);
  await whileTimePasses(clock, writer.close());
  await whileTimePasses(clock, store.close());
  expect(disk.waiting).not.toEqual([]);
});

test('without another disk that takes chunks it is waited for', async () => {
  await store.close();
  store = await openStore(['one']);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  await writer.sync();
  disk.hang(join(parent, 'one'));
  const hung = writer.write(record(3));
  await hangs();
  for (let second = 0; second < 60; second++) clock.advance(1000);
  disk.answer();
  await hung;
  await writer.close();
  await isInOrder(store, 4);
});

test('a process that is killed while a disk hangs leaves what recovery puts in order, nothing doubled', async () => {
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const before = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(before.store));
  const hung = writer.write(record(3));
  hung.catch(() => undefined);
  await hangs();
  await expect(hung).rejects.toMatchObject({ code: 'timeout' });
  await writeAll(writer, 2, 6);
  await writer.sync();
  // As another process finds it.
  const later = await ChunkStore.open({
    directories: [join(parent, 'one'), join(parent, 'two')],
    ...{ clock, log: silentLog() },
  });
  const found: ScannedChunk[] = [];
  const known = { unsealed: [before], find: () => Promise.resolve(undefined) };
  for await (const chunk of later.recover(known)) found.push(chunk);
  const doubled = found.find(({ chunk }) => chunk.id === before.id);
  expect(doubled?.chunk.sizeBytes).toBe(before.sizeBytes);
  const kept = { ...before, sizeBytes: 1000 };
  const path = join(pathOf(before.store), before.path);
  const bytes = await readFile(path);
  await later.cutRecovered(before, kept);
  expect((await readFile(path)).equals(bytes.subarray(0, 1000))).toBe(true);
  await later.cutRecovered(before, undefined);
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await later.close();
});

/** The disk whose directories cannot be synced, and what was asked of files that were closed. */
function brokenFiles() {
  const tooLate: string[] = [];
  const files: ChunkFiles = {
    ...disk.files,
    create: async (path) => {
      const file = await disk.files.create(path);
      let isClosed = false;
      const ask = <T>(what: string, action: () => Promise<T>) => {
        if (isClosed) tooLate.push(what);
        return action();
      };
      return {
        ...file,
        write: (...of) => ask('write', () => file.write(...of)),
        truncate: (bytes) => ask('truncate', () => file.truncate(bytes)),
        close: () => ask('close', () => file.close()).finally(() => (isClosed = true)),
      };
    },
    syncDirectory: (path) =>
      path.includes(CAMERA) ? Promise.reject(diskBroken()) : disk.files.syncDirectory(path),
  };
  return { files, tooLate };
}

test('a sync that fails on a disk that then hangs comes to its end, and the track goes on elsewhere', async () => {
  await store.close();
  const { files } = brokenFiles();
  const broken = { ...files };
  store = await openStore(['one', 'two'], undefined, broken);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const { store: id } = (await scanned(store))[0]?.chunk as ChunkInfo;
  disk.hang(pathOf(id), ['truncate', 'close']);
  const synced = writer.sync().catch((error: unknown) => error);
  await whileTimePasses(clock, synced);
  expect(await synced).toMatchObject({ code: 'unavailable', context: { records: 2 } });
  broken.syncDirectory = disk.files.syncDirectory;
  await writeAll(writer, 2, 4);
  const after = await writer.sync();
  expect(sequences(after.records)).toEqual(allOf(4, 2));
  expect(after.chunks[0]?.store).not.toBe(id);
  disk.answer();
  await eventually('its file is gone', async () => (await scanned(store)).length === 1);
  await writer.close();
});

test('a chunk that is given up while a write of it hangs is closed once, and nothing is asked of it behind that', async () => {
  await store.close();
  const { files, tooLate } = brokenFiles();
  store = await openStore(['one', 'two'], undefined, files);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const { store: id } = (await scanned(store))[0]?.chunk as ChunkInfo;
  disk.hang(pathOf(id), ['write']);
  const hung = writer.write(record(2)).catch((error: unknown) => error);
  await eventually('the write hangs', () => disk.waiting.length > 0);
  const synced = writer.sync().catch((error: unknown) => error);
  await whileTimePasses(clock, Promise.all([hung, synced]));
  disk.answer();
  await eventually('its file is gone', async () => (await scanned(store)).length === 0);
  await store.close();
  expect(tooLate).toEqual([]);
  await writer.close().catch(() => undefined);
});

test('what is to be written again is told by the write that is under way, not by a sync beside it', async () => {
  await store.close();
  // Each group begins a chunk.
  store = await openStore(['one', 'two', 'three'], 1000);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const full = pathOf((await writer.sync()).chunks[0]?.store);
  // The seal of the full chunk takes two steps: looking for the one before, and its write.
  disk.hang(full, ['read']);
  const written = writer.write(record(2)).catch((error: unknown) => error);
  await eventually('the seal is looked for', () => disk.waiting.includes('read'));
  const paths = store.directories.map(({ path }) => path);
  for (const path of paths.filter((other) => other !== full)) disk.hang(path, ['sync-directory']);
  const synced = writer.sync();
  await eventually('the sync hangs', () => disk.waiting.includes('sync-directory'));
  clock.advance(2000);
  disk.answerAt(full);
  disk.hang(full, ['write']);
  await eventually('the seal hangs', () => disk.waiting.includes('write'));
  clock.advance(2000);
  clock.advance(1000);
  expect((await synced).again).toBeUndefined();
  clock.advance(2000);
  expect(await written).toMatchObject(timedOut(2));
  disk.answer();
  await writeAll(writer, 2, 4);
  expect(sequences((await writer.sync()).records)).toEqual(allOf(4, 2));
  await writer.close();
});

test('the seal of a chunk that was lost as a whole is not repeated by the next', async () => {
  await store.close();
  store = await openStore(['one', 'two'], 1000);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const [lost] = await scanned(store);
  disk.hang(pathOf(lost?.chunk.store), ['sync-directory']);
  const synced = writer.sync().catch((error: unknown) => error);
  await whileTimePasses(clock, synced);
  expect(await synced).toMatchObject({ code: 'timeout', context: { records: 2 } });
  await writeAll(writer, 2, 4);
  await writer.sync();
  disk.answer();
  clock.advance(10_000);
  await eventually('its file is gone', async () =>
    (await scanned(store)).every(({ chunk }) => chunk.id !== lost?.chunk.id),
  );
  await writeAll(writer, 4, 8);
  await writer.close();
  const seals = await scanned(store);
  let before: string | undefined;
  for (const { chunk } of seals) {
    expect([chunk.sealed, chunk.previousSeal]).toEqual([true, before]);
    before = (await verifyChunk(join(pathOf(chunk.store), chunk.path))).sealValue;
  }
});

test('a disk that hangs while the seal before is looked for makes no other disk a failed one', async () => {
  await store.close();
  store = await openStore(['two'], 1000);
  const first = store.openTrack(TRACK);
  await writeAll(first, 0, 2);
  const hung = (await first.close()).chunks[0]?.store;
  await store.close();
  store = await openStore(['one', 'two'], 1000);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 2, 4);
  const here = (await writer.sync()).chunks[0]?.store;
  expect(here).not.toBe(hung);
  disk.hang(pathOf(hung), ['read']);
  await whileTimePasses(clock, writer.seal());
  expect(store.directories.find(({ id }) => id === here)?.state).toBe('ok');
  disk.answer();
  await writer.close();
});
