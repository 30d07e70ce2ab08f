import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { ChunkInfo, ScannedChunk } from './chunk-info.js';
import { ChunkStore } from './chunk-store.js';
import type { ChunkStoreOptions } from './chunk-store-options.js';
import { diskBroken, diskFull, FaultyDisk } from './faulty-files.test-support.js';
import { CAMERA, GROUP_US, realRecord, START_UNIX_US } from './footage.test-support.js';
import type { TrackWriter } from './track-writer.js';
import { verifyChunk } from './verify-chunk.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
const NOTHING_KNOWN = { unsealed: [], find: () => Promise.resolve(undefined) };
let parent: string;
let directory: string;
let writers: TrackWriter[];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nightjar-disk-'));
  directory = join(parent, 'store');
  writers = [];
});

afterEach(async () => {
  for (const writer of writers) await writer.close().catch(() => undefined);
  await rm(parent, { recursive: true, force: true });
});

function openStore(options: Partial<ChunkStoreOptions> = {}): Promise<ChunkStore> {
  const directories = [directory];
  return ChunkStore.open({ directories, clock: new FakeClock(), log: silentLog(), ...options });
}

function openTrack(store: ChunkStore): TrackWriter {
  const writer = store.openTrack(TRACK);
  writers.push(writer);
  return writer;
}

const group = (index: number) => realRecord({ firstFrame: index * 5, frameCount: 5 });

async function scanned(store: ChunkStore): Promise<ScannedChunk[]> {
  const found: ScannedChunk[] = [];
  for await (const chunk of store.scanAll()) found.push(chunk);
  return found;
}

test.each([0, 1, 50, 400])(
  'a disk that is full after %i bytes costs that record alone',
  async (tornBytes) => {
    const disk = new FaultyDisk();
    const store = await openStore({ files: disk.files });
    const writer = openTrack(store);
    await writer.write(group(0));
    disk.plan = { tornBytes, fail: (step) => (step === 'write' ? diskFull() : undefined) };
    await expect(writer.write(group(1))).rejects.toMatchObject({ code: 'resource-exhausted' });
    expect(store.directories).toMatchObject([{ state: 'full' }]);
    disk.plan = {};
    const follower = realRecord({ firstFrame: 8, frameCount: 2 });
    await expect(writer.write(follower)).rejects.toMatchObject({ code: 'failed-precondition' });
    await writer.write(group(2));
    const { records, chunks } = await writer.close();
    expect(records.map(({ record }) => record.sequence)).toEqual([0, 10]);
    expect(store.directories).toMatchObject([{ state: 'ok' }]);
    expect(chunks).toHaveLength(1);
    const verified = await verifyChunk(join(directory, chunks[0]?.path ?? ''));
    expect(verified).toMatchObject({ seal: 'valid', damaged: [], records: 2 });
  },
);

test('a torn write that cannot be cut off ends its chunk, and the next group begins another', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files });
  const writer = openTrack(store);
  await writer.write(group(0));
  disk.plan = { tornBytes: 100, fail: (step) => (step === 'sync' ? undefined : diskBroken()) };
  await expect(writer.write(group(1))).rejects.toMatchObject({ code: 'unavailable' });
  disk.plan = {};
  await writer.write(group(2));
  const { records } = await writer.close();
  expect(records.map(({ record }) => record.sequence)).toEqual([0, 10]);
  expect(new Set(records.map(({ chunk }) => chunk.id)).size).toBe(2);
  const chunks = await scanned(await openStore());
  expect(chunks.map(({ chunk, state }) => [chunk.sealed, state])).toEqual([
    [false, 'cut'],
    [true, 'intact'],
  ]);
});

test('a full disk that takes not even the first record leaves no file behind', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files });
  const writer = openTrack(store);
  disk.plan = { fail: (step) => (step === 'write' ? diskFull() : undefined) };
  await expect(writer.write(group(0))).rejects.toMatchObject({ code: 'resource-exhausted' });
  disk.plan = {};
  expect(await scanned(store)).toEqual([]);
  await writer.write(group(1));
  expect((await writer.sync()).records).toHaveLength(1);
});

test('what a failed sync did not make safe is given up, with its time, and never comes back', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files });
  const writer = openTrack(store);
  await writer.write(group(0));
  const first = await writer.sync();
  await writer.write(group(1));
  await writer.write(group(2));
  disk.plan = { fail: (step) => (step === 'sync' ? diskBroken() : undefined) };
  await expect(writer.sync()).rejects.toMatchObject({
    code: 'unavailable',
    context: {
      records: 2,
      fromUnixUs: START_UNIX_US + GROUP_US,
      toUnixUs: START_UNIX_US + 3 * GROUP_US,
    },
  });
  expect(store.directories).toMatchObject([{ state: 'failed' }]);
  disk.plan = {};
  await writer.write(group(3));
  const { records, chunks } = await writer.close();
  expect(records.map(({ record }) => record.sequence)).toEqual([15]);
  expect(store.directories).toMatchObject([{ state: 'ok' }]);
  // The chunk that was given up is sealed at what was safe of it, in front of the next one's seal.
  expect(chunks.map(({ id, sealed }) => [id === first.chunks[0]?.id, sealed])).toEqual([
    [true, true],
    [false, true],
  ]);
  for (const chunk of chunks) {
    const verified = await verifyChunk(join(directory, chunk.path));
    expect(verified).toMatchObject({ seal: 'valid', records: 1, damaged: [] });
  }
});

test('a seal that fails costs the seal, not the recording', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files, chunkBytes: 1000 });
  const writer = openTrack(store);
  await writer.write(group(0));
  let writes = 0;
  // The first write is the record's: a seal comes behind it.
  disk.plan = {
    fail: (step) => (step === 'write' && writes++ === 1 ? diskFull() : undefined),
  };
  await writer.write(group(1));
  const { records, chunks } = await writer.sync();
  expect(records).toHaveLength(2);
  expect(chunks.map(({ sealed }) => sealed)).toEqual([false, false]);
  // The next seal makes up for it.
  const rest = await writer.close();
  expect(rest.chunks.map(({ sealed }) => sealed)).toEqual([true, true]);
});

test('writes go on while a sync runs, and belong to the next one', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files, chunkBytes: 2000 });
  const writer = openTrack(store);
  const safe: number[] = [];
  const syncs: Promise<unknown>[] = [];
  for (let index = 0; index < 12; index++) {
    const written = writer.write(group(index));
    const collect = (result: { records: readonly { record: { sequence: number } }[] }) =>
      safe.push(...result.records.map(({ record }) => record.sequence));
    syncs.push(writer.sync().then(collect));
    await written;
  }
  await Promise.all(syncs);
  const last = await writer.close();
  safe.push(...last.records.map(({ record }) => record.sequence));
  expect(safe).toEqual(Array.from({ length: 12 }, (_, index) => index * 5));
  for (const { chunk, state } of await scanned(await openStore())) {
    expect([chunk.sealed, state]).toEqual([true, 'intact']);
  }
});

test.each(['short', 'zeros', 'noise'] as const)(
  'a write torn at any byte (%s behind it) costs that record and nothing else',
  async (rest) => {
    const store = await openStore();
    const writer = openTrack(store);
    await writer.write(realRecord({ firstFrame: 0, frameCount: 3 }));
    const before = (await writer.sync()).chunks[0] as ChunkInfo;
    await writer.write(realRecord({ firstFrame: 3, frameCount: 1 }));
    const after = (await writer.sync()).chunks[0] as ChunkInfo;
    const path = join(directory, before.path);
    const bytes = await readFile(path);
    const stride = rest === 'short' ? 1 : 7;
    for (let end = before.sizeBytes; end < after.sizeBytes; end += stride) {
      const torn = Buffer.from(bytes);
      if (rest === 'noise') torn.fill(0x5a, end);
      if (rest === 'zeros') torn.fill(0, end);
      // The last byte of this stream is no zero, so each of these differs from the whole record.
      await writeFile(path, rest === 'short' ? torn.subarray(0, end) : torn);
      const again = await openStore();
      const found: ScannedChunk[] = [];
      const known = { ...before, sizeBytes: end % 2 === 0 ? before.sizeBytes : 0 };
      const find = () => Promise.resolve(known);
      for await (const chunk of again.recover({ unsealed: [known], find })) found.push(chunk);
      expect(found).toHaveLength(1);
      expect(found[0]?.chunk.sizeBytes).toBe(before.sizeBytes);
      expect(found[0]?.records).toHaveLength(known.sizeBytes === 0 ? 1 : 0);
      expect((await readFile(path)).equals(bytes.subarray(0, before.sizeBytes))).toBe(true);
    }
  },
);

test('a first record that is torn leaves no file', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  await writer.write(group(0));
  const path = join(directory, (await writer.sync()).chunks[0]?.path ?? '');
  await writeFile(path, (await readFile(path)).subarray(0, 300));
  const again = await openStore();
  for await (const chunk of again.recover(NOTHING_KNOWN)) throw new Error(chunk.state);
  expect(await scanned(again)).toEqual([]);
});

describe('a store directory', () => {
  const refused = { code: 'failed-precondition' };

  test('keeps its identity', async () => {
    const id = (await openStore()).directories[0]?.id;
    expect((await openStore()).directories).toMatchObject([{ id, state: 'ok', path: directory }]);
  });

  test('with chunks but without an identity is refused, and left as it is', async () => {
    const store = await openStore();
    const writer = openTrack(store);
    await writer.write(group(0));
    await writer.close();
    await rm(join(directory, 'nightjar-store.json'));
    await expect(openStore()).rejects.toMatchObject(refused);
    expect(await readdir(directory)).toEqual([CAMERA]);
  });

  test('with an unreadable identity is refused', async () => {
    await openStore();
    await writeFile(join(directory, 'nightjar-store.json'), '{"uuid":"../x"}');
    await expect(openStore()).rejects.toMatchObject(refused);
  });

  test('with foreign files is refused', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'holiday.jpg'), 'x');
    await expect(openStore()).rejects.toMatchObject(refused);
    expect(await readdir(directory)).toEqual(['holiday.jpg']);
  });

  test('with another identity than before, or none any more, is refused', async () => {
    const other = new Map([[directory, '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c10']]);
    await expect(openStore({ expected: other })).rejects.toMatchObject(refused);
    expect(await readdir(parent)).toEqual([]);
    await openStore();
    await expect(openStore({ expected: other })).rejects.toMatchObject(refused);
  });

  test('below a declared mount point that is not mounted is refused', async () => {
    const { files } = new FaultyDisk();
    const missingMounts = () => Promise.resolve([parent]);
    await expect(openStore({ files: { ...files, missingMounts } })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('not mounted'),
    });
    expect(await readdir(parent)).toEqual([]);
  });

  test('whose disk goes while recording takes no byte below the mount point', async () => {
    const store = await openStore();
    const writer = openTrack(store);
    await writer.write(group(0));
    await writer.close();
    await rm(directory, { recursive: true });
    await mkdir(directory);
    const next = openTrack(store);
    await expect(next.write(group(1))).rejects.toMatchObject(refused);
    expect(await readdir(directory)).toEqual([]);
    await store.refresh();
    expect(store.directories).toMatchObject([{ state: 'failed' }]);
  });

  test('whose disk goes under an open chunk is left, and used again when it is back', async () => {
    const second = join(parent, 'second');
    const both = await openStore({ directories: [directory, second] });
    const [first] = both.directories;
    const writer = openTrack(both);
    // Which of the two has more room is chance: the chunk's own is the one that goes.
    await writer.write(group(0));
    const before = (await writer.sync()).chunks[0] as ChunkInfo;
    const gone = before.store === first?.id ? directory : second;
    await rename(gone, join(parent, 'unmounted'));
    await mkdir(gone);
    await both.refresh();
    const follower = realRecord({ firstFrame: 3, frameCount: 2 });
    await expect(writer.write(follower)).rejects.toMatchObject(refused);
    await writer.write(group(1));
    const after = (await writer.sync()).chunks.find(({ id }) => id !== before.id) as ChunkInfo;
    expect(after.store).not.toBe(before.store);
    expect(await readdir(gone)).toEqual([]);
    expect(both.directories.map(({ state }) => state).sort()).toEqual(['failed', 'ok']);
    await rm(gone, { recursive: true });
    await rename(join(parent, 'unmounted'), gone);
    await both.refresh();
    expect(both.directories.map(({ state }) => state)).toEqual(['ok', 'ok']);
    await writer.close();
    const chunks = await scanned(both);
    expect(chunks.map(({ state }) => state)).toEqual(['intact', 'intact']);
    await both.close();
  });

  test('that is refused costs only itself', async () => {
    const second = join(parent, 'second');
    await mkdir(second);
    await writeFile(join(second, 'x'), '');
    const store = await openStore({ directories: [second, directory] });
    expect(store.directories.map(({ state }) => state)).toEqual(['failed', 'ok']);
    const writer = openTrack(store);
    await writer.write(group(0));
    expect((await writer.sync()).chunks[0]?.store).toBe(store.directories[1]?.id);
    await rm(join(second, 'x'));
    await store.refresh();
    expect(store.directories.map(({ state }) => state)).toEqual(['ok', 'ok']);
  });

  test('that does not answer is failed after a while, and asked once', async () => {
    const { files } = new FaultyDisk();
    const clock = new FakeClock();
    let asked = 0;
    let answer = (): void => undefined;
    let hangs = false;
    const space: typeof files.space = async (path) => {
      asked += 1;
      if (hangs) await new Promise<void>((resolve) => (answer = resolve));
      return files.space(path);
    };
    const store = await openStore({ clock, files: { ...files, space } });
    hangs = true;
    for (let times = 1; times <= 3; times++) {
      const refreshed = store.refresh();
      await eventually('the disk is asked', () => asked === 2);
      clock.advance(5000);
      await refreshed;
      expect(store.directories).toMatchObject([{ state: 'failed' }]);
    }
    hangs = false;
    answer();
    await eventually('the disk is back', () => store.directories[0]?.state === 'ok');
  });

  test('given twice is refused', async () => {
    await openStore();
    const copy = join(parent, 'copy');
    await mkdir(copy);
    const identity = await readFile(join(directory, 'nightjar-store.json'));
    await writeFile(join(copy, 'nightjar-store.json'), identity);
    await expect(openStore({ directories: [directory, copy] })).rejects.toMatchObject(refused);
  });

  const isRoot = process.getuid?.() === 0;

  test('on a read-only file system is refused; on a small one it fills up with a clear word', async () => {
    if (!isRoot) return;
    await mkdir(directory);
    const mounted = spawnSync('/usr/bin/mount', [
      '-t',
      'tmpfs',
      '-o',
      'size=256k',
      'tmpfs',
      directory,
    ]);
    if (mounted.status !== 0) return;
    try {
      const store = await openStore();
      const writer = openTrack(store);
      let written = 0;
      const fill = async () => {
        for (; written < 1000; written++) await writer.write(group(written));
      };
      await expect(fill()).rejects.toMatchObject({ code: 'resource-exhausted' });
      expect(written).toBeGreaterThan(100);
      const { records } = await writer.sync();
      expect(records).toHaveLength(written);
      const chunks = await scanned(store);
      expect(chunks).toMatchObject([{ state: 'intact', tornBytes: 0 }]);
      await writer.close();
      spawnSync('/usr/bin/mount', ['-o', 'remount,ro', directory]);
      await expect(openStore()).rejects.toMatchObject(refused);
    } finally {
      spawnSync('/usr/bin/umount', ['-l', directory]);
    }
  });
});
