// What is left on a disk that hangs: told whole, cut when its copy is safe and not before, sealed when
// it can be, and never written to by what came too late.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, FakeClock } from '#base/testing';
import type { ChunkInfo, ScannedChunk } from './chunk-info.js';
import type { ChunkFiles } from './chunk-files.js';
import type { ChunkStore } from './chunk-store.js';
import { diskBroken } from './faulty-files.test-support.js';
import { CAMERA, START_UNIX_US, GROUP_US } from './footage.test-support.js';
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
import { staging } from './staging.js';
import type { TrackWriter } from './track-writer.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
/** Each group begins a chunk. */
const SMALL = 1000;
let parent: string;
let disk: HangingDisk;
let clock: FakeClock;
let store: ChunkStore;
/** Of processes that ended, as far as the disk can tell. */
const killed: TrackWriter[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nightjar-left-'));
  disk = new HangingDisk();
  clock = new FakeClock();
});
afterEach(async () => {
  disk.answer();
  for (const writer of killed.splice(0)) await writer.close();
  await store.close();
  await rm(parent, { recursive: true, force: true });
});

const openStore = (chunkBytes?: number, files = disk.files, names = ['one', 'two']) =>
  openHangingStore({ parent, names, clock, files, chunkBytes });
const pathOf = (id: string | undefined) => pathIn(store, id);

/** The store after the process ended, with `unsealed` in the index. */
async function restart(
  unsealed: readonly ChunkInfo[],
  chunkBytes = SMALL,
): Promise<ScannedChunk[]> {
  store = await openStore(chunkBytes);
  const found: ScannedChunk[] = [];
  const known = { unsealed, find: () => Promise.resolve(undefined) };
  for await (const chunk of store.recover(known)) found.push(chunk);
  return found;
}

/** A process ends with a group in a chunk, and the next one has recovered it. */
async function leaveOneUnsealed(): Promise<readonly ChunkInfo[]> {
  store = await openStore(SMALL);
  const before = store.openTrack(TRACK);
  await writeAll(before, 0, 2);
  const { chunks } = await before.sync();
  killed.push(before);
  await restart(chunks);
  return chunks;
}

async function sealRecovered(): Promise<ChunkInfo[]> {
  const rows: ChunkInfo[] = [];
  for await (const row of store.sealRecovered()) rows.push(row);
  return rows;
}

/** Takes every slot there is; gives them back. */
function takeSlots(): () => Promise<void> {
  const slots: Buffer[] = [];
  let last = staging().take();
  for (; last instanceof Buffer; last = staging().take()) slots.push(last);
  return async () => {
    for (const slot of slots) staging().give(slot);
    staging().give(await last);
  };
}

test('what several chunks lose one behind the other is told as one time, with what is to be written again', async () => {
  store = await openStore(SMALL);
  const writer = store.openTrack(TRACK);
  // Two full chunks, and one that goes on.
  await writeAll(writer, 0, 6);
  const places = await scanned(store);
  expect(new Set(places.map(({ chunk }) => chunk.store)).size).toBe(1);
  disk.hang(pathOf(places[0]?.chunk.store), ['sync-directory']);
  const synced = writer.sync().catch((error: unknown) => error);
  expect(await whileTimePasses(clock, synced)).toMatchObject({
    code: 'timeout',
    context: {
      ...{ fromUnixUs: START_UNIX_US, toUnixUs: START_UNIX_US + 2 * GROUP_US, records: 4 },
      again: { run: 1, sequence: sequenceOf(4), fromUnixUs: START_UNIX_US + 2 * GROUP_US },
    },
  });
  await writeAll(writer, 4, 8);
  expect(sequences((await writer.sync()).records)).toEqual(allOf(8, 4));
  await writer.close();
});

test('a chunk with two runs is not cut before the second one lies elsewhere, too', async () => {
  store = await openStore();
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  for (const index of [2, 3]) await writer.write(record(index, 2));
  const [left] = await scanned(store);
  disk.hang(pathOf(left?.chunk.store), ['sync-directory']);
  const synced = await whileTimePasses(clock, writer.sync());
  expect(synced.again).toMatchObject({ run: 1, sequence: sequenceOf(0) });
  await writeAll(writer, 0, 2);
  await writer.sync();
  disk.answer();
  await disk.quiet();
  const [still] = await scanned(store);
  expect(still?.chunk.id).toBe(left?.chunk.id);
  expect(sequences(still?.records ?? [])).toEqual(allOf(4));
  for (const index of [2, 3]) await writer.write(record(index, 2));
  await writer.sync();
  await eventually('its file is gone', async () => (await scanned(store)).length === 1);
  await writer.close();
  await isInOrder(store, 4);
});

test('a seal that comes late is taken: its chunk is not read again', async () => {
  const chunks = await leaveOneUnsealed();
  const path = pathOf(chunks[0]?.store);
  disk.hang(path, ['write']);
  expect(await whileTimePasses(clock, sealRecovered())).toEqual([]);
  // From now on all of it takes that long.
  disk.answerAt(path);
  await disk.quiet();
  disk.hang(path, ['write', 'read', 'truncate']);
  const rows = await eventually('the seal is told', async () => {
    const found = await whileTimePasses(clock, sealRecovered());
    return found.length > 0 ? found : undefined;
  });
  expect(rows).toMatchObject([{ id: chunks[0]?.id, sealed: true }]);
  disk.answer();
  clock.advance(10_000);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 2, 6);
  await writer.close();
  await isInOrder(store, 6);
});

test('a chunk is sealed also where the seal before it could not be looked for at first', async () => {
  const chunks = await leaveOneUnsealed();
  disk.hang(pathOf(chunks[0]?.store), ['read']);
  const writer = store.openTrack(TRACK);
  await whileTimePasses(clock, writeAll(writer, 2, 6));
  await writer.sync();
  disk.answer();
  clock.advance(10_000);
  await writeAll(writer, 6, 10);
  await writer.close();
  await isInOrder(store, 10);
});

test('a chunk with more younger ones than wait for it stays without a seal: it is read and deleted like any other', async () => {
  store = await openStore(SMALL);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const left = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(left.store));
  await whileTimePasses(clock, writeAll(writer, 2, 44));
  await writer.sync();
  // It is not waited for any longer.
  await whileTimePasses(clock, writeAll(writer, 44, 48));
  disk.answer();
  clock.advance(10_000);
  await writer.close();
  const isOrdered = () => isInOrder(store, 48, (found) => found.slice(1));
  await eventually(
    'the disk has answered',
    async () => (await scanned(store))[0]?.state === 'intact',
  );
  await isOrdered();
  await store.close();
  const [found] = await restart([left]);
  expect(found).toMatchObject({ state: 'intact', chunk: { id: left.id, sealed: false } });
  expect(await sealRecovered()).toEqual([]);
  await isOrdered();
  const [first] = await scanned(store);
  expect(first?.chunk).toMatchObject({ id: left.id, sealed: false });
  expect(await store.deleteChunk(left)).toBeGreaterThan(0);
  expect(sequences((await scanned(store)).flatMap(({ records }) => records))).toEqual(allOf(48, 2));
});

test('a record whose chunk is left while its hash waits for a slot lies in one chunk', async () => {
  // Files that are written through the page cache: what they hold is hashed behind the write.
  store = await openStore(undefined, {
    ...disk.files,
    create: async (path) => {
      await (await disk.files.create(path)).close();
      return disk.files.open(path, 'append');
    },
  });
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 2);
  const left = (await writer.sync()).chunks[0] as ChunkInfo;
  await writer.write(record(2));
  const giveSlots = takeSlots();
  const written = writer.write(record(3)).catch((error: unknown) => error);
  await eventually('it is on disk', async () => (await scanned(store))[0]?.records.length === 4);
  disk.hang(pathOf(left.store), ['sync']);
  await whileTimePasses(clock, writer.sync());
  await giveSlots();
  expect(await written).toMatchObject({ context: { again: { sequence: sequenceOf(2) } } });
  await writeAll(writer, 2, 6);
  await writer.sync();
  disk.answer();
  await eventually(
    'the chunk that was left is cut',
    async () => (await scanned(store))[0]?.records.length === 2,
  );
  await writer.close();
  await isInOrder(store, 6, () => []);
});

test('a chunk whose copy is lost on another disk stays as it is, and is sealed when its own answers', async () => {
  const broken = new Set<string>();
  const closed = new Set<string>();
  const files: ChunkFiles = {
    ...disk.files,
    create: async (path) => {
      const file = await disk.files.create(path);
      return { ...file, close: () => file.close().then(() => void closed.add(path)) };
    },
    syncDirectory: (path) => {
      const isBroken = [...broken].some((below) => path.startsWith(`${below}/`));
      return isBroken ? Promise.reject(diskBroken()) : disk.files.syncDirectory(path);
    },
  };
  store = await openStore(undefined, files, ['one', 'two', 'three']);
  const writer = store.openTrack(TRACK);
  await writeAll(writer, 0, 3);
  const left = (await writer.sync()).chunks[0] as ChunkInfo;
  disk.hang(pathOf(left.store), ['create', 'write']);
  const hung = writer.write(record(3)).catch((error: unknown) => error);
  await whileTimePasses(clock, hung);
  for (const { path } of store.directories) broken.add(path);
  await writeAll(writer, 2, 4);
  await expect(writer.sync()).rejects.toMatchObject({ code: 'unavailable' });
  broken.clear();
  await writeAll(writer, 4, 6);
  const { chunks, removedChunks } = await writer.sync();
  expect(chunks.map(({ id }) => id)).not.toContain(left.id);
  expect(removedChunks).toBeUndefined();
  disk.answer();
  await eventually('it is closed', () => closed.has(join(pathOf(left.store), left.path)));
  await disk.quiet();
  const rows = (await writer.close()).chunks;
  expect(rows.map(({ id, sealed }) => [id === left.id, sealed])).toEqual([[true, true], [false, true]]); // prettier-ignore
  const found = await scanned(store);
  expect(found.map(({ records }) => sequences(records))).toEqual([allOf(3), allOf(6, 4)]);
});
