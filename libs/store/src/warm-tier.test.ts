// Stripes on real directories: every pattern of loss, damage, interruption and deletion.

import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import type { ChunkInfo } from './chunk-info.js';
import { ChunkStore } from './chunk-store.js';
import type { ChunkStoreOptions } from './chunk-store-options.js';
import { ALL_SHARDS } from './erasure.js';
import { diskBroken, FaultyDisk } from './faulty-files.test-support.js';
import { CAMERA, realRecord } from './footage.test-support.js';
import { nodeFiles } from './node-files.js';
import { replaceWarmDirectory } from './warm-directories.js';
import { slotOf } from './warm-places.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
let root: string;
let clock: FakeClock;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nightjar-warm-'));
  clock = new FakeClock();
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const hot = () => join(root, 'hot');
const warmPaths = () => Array.from({ length: ALL_SHARDS }, (_, index) => join(root, `w${index}`));

function openStore(options: Partial<ChunkStoreOptions> = {}): Promise<ChunkStore> {
  return ChunkStore.open({
    directories: [hot()],
    warm: { directories: warmPaths() },
    clock,
    log: silentLog(),
    ...options,
  });
}

/** A sealed chunk of `groups` groups, with its bytes. */
async function sealed(store: ChunkStore, groups = 3): Promise<{ chunk: ChunkInfo; bytes: Buffer }> {
  const writer = store.openTrack(TRACK);
  for (let group = 0; group < groups; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5 }));
  }
  const chunk = (await writer.close()).chunks[0] as ChunkInfo;
  clock.advance(1000);
  return { chunk, bytes: await readFile(join(hot(), chunk.path)) };
}

/** As the mover does it: the stripe, the index, then the file. */
async function moved(store: ChunkStore, groups?: number) {
  const { chunk, bytes } = await sealed(store, groups);
  await store.copyToWarm(chunk);
  await store.deleteFile(chunk);
  return { warm: { ...chunk, store: store.warm?.id ?? '' }, bytes };
}

function shardPath(chunk: ChunkInfo, shard: number): string {
  const directory = join(root, `w${slotOf(chunk.id, shard)}`);
  return join(directory, `${chunk.path}.${String(shard).padStart(2, '0')}`);
}

async function wholeOf(store: ChunkStore, chunk: ChunkInfo): Promise<Buffer> {
  const file = store.warm?.openToRead(chunk.path, 'plain');
  const bytes = Buffer.alloc(chunk.sizeBytes + 1);
  try {
    return bytes.subarray(0, await file?.read(bytes, 0));
  } finally {
    await file?.close();
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name));
}

test('a chunk lies on 14 directories at 1.4 times its size and reads back without decoding', async () => {
  const store = await openStore();
  const { warm, bytes } = await moved(store, 400);
  expect(await filesBelow(hot())).toEqual([]);
  let total = 0;
  for (const [index, path] of warmPaths().entries()) {
    const [file, ...others] = await filesBelow(path);
    expect([index, others]).toEqual([index, []]);
    total += (await stat(file ?? '')).size - 1024;
  }
  expect(total / bytes.length).toBeCloseTo(1.4, 2);
  expect((await wholeOf(store, warm)).equals(bytes)).toBe(true);
  expect(store.warm?.counters.reconstructedReads).toBe(0);
  // With other tools: ten files without their trailers, behind each other.
  const parts = await Promise.all(
    Array.from({ length: 10 }, (_, shard) => readFile(shardPath(warm, shard))),
  );
  const joined = Buffer.concat(parts.map((part) => part.subarray(0, -1024)));
  expect(joined.equals(bytes)).toBe(true);
});

test.each(['gone', 'damaged'] as const)(
  'any four shards may be %s: all 1001 patterns read back',
  async (how) => {
    const store = await openStore();
    const { warm, bytes } = await moved(store);
    const files = await Promise.all(
      Array.from({ length: ALL_SHARDS }, (_, shard) => readFile(shardPath(warm, shard))),
    );
    let lost: number[] = [];
    let patterns = 0;
    for (let bits = 0; bits < 1 << ALL_SHARDS; bits++) {
      const pattern = [...files.keys()].filter((shard) => (bits >> shard) & 1);
      if (pattern.length !== 4) continue;
      for (const shard of lost.filter((shard) => !pattern.includes(shard))) {
        await writeFile(shardPath(warm, shard), files[shard] ?? '');
      }
      for (const shard of pattern.filter((shard) => !lost.includes(shard))) {
        if (how === 'gone') await rm(shardPath(warm, shard));
        else {
          const torn = Buffer.from(files[shard] ?? '');
          torn.writeUInt8((torn[7] ?? 0) ^ 1, 7);
          await writeFile(shardPath(warm, shard), torn);
        }
      }
      lost = pattern;
      patterns += 1;
      const file = store.warm?.openToRead(warm.path, 'verified');
      const read = Buffer.alloc(bytes.length);
      await file?.read(read, 0);
      await file?.close();
      if (!read.equals(bytes)) throw new Error(`lost ${pattern.join(' ')}`);
    }
    expect(patterns).toBe(1001);
  },
  120_000,
);

test('a record whose bytes changed is computed from other shards, and says so', async () => {
  const store = await openStore();
  const { warm, bytes } = await moved(store, 40);
  const path = shardPath(warm, 3);
  const torn = await readFile(path);
  torn.writeUInt8((torn[100] ?? 0) ^ 4, 100);
  await writeFile(path, torn);
  const { damaged, seal } = await store.verify(warm);
  expect({ damaged, seal }).toEqual({ damaged: [], seal: 'valid' });
  const scan = await all(store.scanAll());
  const records = scan[0]?.records ?? [];
  expect(records).toHaveLength(40);
  for (const { offset, length } of records) {
    const [record] = await store.readRecords(warm, offset, length);
    expect(bytes.indexOf(record?.payload ?? 'x')).toBeGreaterThan(0);
  }
  expect(store.warm?.counters.reconstructedReads).toBeGreaterThan(0);
});

test('five lost shards are data loss of what lies on them, and the rest still reads', async () => {
  const store = await openStore();
  const { warm, bytes } = await moved(store);
  for (const shard of [2, 5, 7, 11, 13]) await rm(shardPath(warm, shard));
  await expect(wholeOf(store, warm)).rejects.toMatchObject({
    code: 'data-loss',
    message: 'expected 10 good shards of 14, found 9',
  });
  const file = store.warm?.openToRead(warm.path, 'plain');
  const first = Buffer.alloc(100);
  await file?.read(first, 0);
  await file?.close();
  expect(first.equals(bytes.subarray(0, 100))).toBe(true);
  expect(await store.warm?.mend(warm.path)).toMatchObject({ isLost: true, mended: [] });
});

test('lost and damaged shards are written anew, byte for byte', async () => {
  const store = await openStore();
  const { warm } = await moved(store, 20);
  const before = await Promise.all(
    Array.from({ length: ALL_SHARDS }, (_, shard) => readFile(shardPath(warm, shard))),
  );
  expect(await store.warm?.mend(warm.path)).toEqual({
    bad: [],
    mended: [],
    away: [],
    isLost: false,
  });
  await rm(shardPath(warm, 0));
  await rm(shardPath(warm, 12));
  const torn = Buffer.from(before[6] ?? '');
  torn.writeUInt8((torn[50] ?? 0) ^ 255, 50);
  await writeFile(shardPath(warm, 6), torn);
  await writeFile(shardPath(warm, 9), (before[9] ?? Buffer.alloc(0)).subarray(0, 300));
  const health = await store.warm?.mend(warm.path);
  expect(health).toEqual({
    bad: [0, 6, 9, 12],
    mended: [0, 6, 9, 12],
    away: [],
    isLost: false,
  });
  for (const [shard, bytes] of before.entries()) {
    expect((await readFile(shardPath(warm, shard))).equals(bytes)).toBe(true);
  }
});

test('a deletion takes every shard, also of an interrupted move; what comes back late cannot rise', async () => {
  const store = await openStore();
  const { warm } = await moved(store);
  const late = await readFile(shardPath(warm, 1));
  expect(await store.deleteChunk(warm)).toBeGreaterThan(warm.sizeBytes);
  for (const path of [hot(), ...warmPaths()]) expect(await filesBelow(path)).toEqual([]);
  // A disk that was away brings its shard back: it is no chunk any more.
  await mkdir(join(shardPath(warm, 1), '..'), { recursive: true });
  await writeFile(shardPath(warm, 1), late);
  expect(await all(store.listAll())).toEqual([]);

  const { chunk } = await sealed(store);
  await store.copyToWarm(chunk);
  await store.deleteChunk(chunk);
  await rm(shardPath(warm, 1));
  for (const path of [hot(), ...warmPaths()]) expect(await filesBelow(path)).toEqual([]);
});

test('stopped at any step of a move, the chunk is whole in one place and nothing is left of the other', async () => {
  const first = await openStore();
  const { chunk, bytes } = await sealed(first);
  let steps = Infinity;
  // Every step of the first shards, then some of each: they repeat.
  for (let stopAt = 0; stopAt <= steps; stopAt += stopAt < 30 ? 1 : 7) {
    const disk = new FaultyDisk();
    const store = await openStore({ files: disk.files });
    const before = disk.steps.length;
    disk.plan = { stopAt: before + stopAt, tornBytes: 40 };
    const outcome = await store.copyToWarm(chunk).then(
      () => 'moved',
      () => 'stopped',
    );
    if (outcome === 'moved') steps = stopAt - 1;
    await disk.kill();
    await disk.cutPower();
    // The index still names the file: what was made of the stripe is no footage of its own.
    const again = await openStore();
    const listed = await all(again.listAll());
    expect(listed.map((place) => [place.id, place.store])).toEqual([[chunk.id, chunk.store]]);
    expect((await readFile(join(hot(), chunk.path))).equals(bytes)).toBe(true);
    // The next try, or the deletion, finds no obstacle.
    await again.copyToWarm(chunk);
    expect((await wholeOf(again, chunk)).equals(bytes)).toBe(true);
    expect((await again.warm?.mend(chunk.path))?.mended).toEqual([]);
    await again.warm?.delete(chunk.path);
    for (const path of warmPaths()) expect(await filesBelow(path)).toEqual([]);
  }
  // 14 shards: look for an old one, create, write, sync, directories.
  expect(steps).toBeGreaterThan(14 * 4);
}, 120_000);

test('fewer than 14 directories: the tier is off and says why; what was written can be read', async () => {
  const { warm, bytes } = await moved(await openStore());
  const some = { directories: warmPaths().slice(0, 12) };
  const store = await openStore({ warm: some });
  expect(store.warm?.fault).toBe('the warm tier is off: expected 14 directories, found 12');
  expect((await wholeOf(store, warm)).equals(bytes)).toBe(true);
  const next = await sealed(store);
  await expect(store.copyToWarm(next.chunk)).rejects.toMatchObject({ code: 'unavailable' });
  const nothing = await openStore({ warm: { directories: [join(root, 'blank')] } });
  expect(nothing.warm?.id).toBeUndefined();
  await expect(readdir(join(root, 'blank'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a directory that is away stops moves; an empty one in its place is refused until somebody says so', async () => {
  const first = await openStore();
  const { warm, bytes } = await moved(first);
  const known = first.warm?.directories ?? [];
  const expected = new Map(known.map(({ path, id }) => [path, id ?? '']));
  await rm(join(root, 'w4'), { recursive: true });
  await mkdir(join(root, 'w4'));
  const store = await openStore({ warm: { directories: warmPaths(), expected } });
  expect(store.warm?.fault).toContain('takes nothing new: 1 of 14 directories are away');
  expect((await wholeOf(store, warm)).equals(bytes)).toBe(true);
  expect(await readdir(join(root, 'w4'))).toEqual([]);
  expect(await replaceWarmDirectory(nodeFiles, join(root, 'w4'), { paths: warmPaths() })).toBe(4);
  await store.refresh();
  expect(store.warm?.fault).toBeUndefined();
  expect((await store.warm?.mend(warm.path))?.mended).toHaveLength(1);
  expect(await filesBelow(join(root, 'w4'))).toHaveLength(1);
});

test('a chunk that is not what was sealed does not move', async () => {
  const store = await openStore();
  const { chunk, bytes } = await sealed(store);
  const torn = Buffer.from(bytes);
  torn.writeUInt8((torn[500] ?? 0) ^ 1, 500);
  await writeFile(join(hot(), chunk.path), torn);
  await expect(store.copyToWarm(chunk)).rejects.toMatchObject({ code: 'data-loss' });
  for (const path of warmPaths()) expect(await filesBelow(path)).toEqual([]);
});

test('a disk that fails in the middle of a move leaves nothing of it', async () => {
  const disk = new FaultyDisk();
  const store = await openStore({ files: disk.files });
  const { chunk, bytes } = await sealed(store);
  let writes = 0;
  disk.plan = { fail: (step) => (step === 'write' && ++writes === 8 ? diskBroken() : undefined) };
  await expect(store.copyToWarm(chunk)).rejects.toMatchObject({ code: 'unavailable' });
  for (const path of warmPaths()) expect(await filesBelow(path)).toEqual([]);
  expect((await readFile(join(hot(), chunk.path))).equals(bytes)).toBe(true);
});

test('a chunk whose shards have several blocks is read by ranges with any four directories away', async () => {
  const store = await openStore();
  const { warm, bytes } = await moved(store, 1200);
  expect(bytes.length).toBeGreaterThan(10 * 65_536);
  const lost = [0, 3, 6, 12].map((shard) => join(root, `w${slotOf(warm.id, shard)}`));
  for (const path of lost) await rename(path, `${path}-away`);
  const file = store.warm?.openToRead(warm.path, 'plain');
  for (let at = 0; at < bytes.length; at += 70_001) {
    const range = Buffer.alloc(Math.min(40_000, bytes.length - at));
    expect(await file?.read(range, at)).toBe(range.length);
    expect(range.equals(bytes.subarray(at, at + range.length))).toBe(true);
  }
  expect(store.warm?.counters.reconstructedReads).toBeGreaterThan(0);
  await file?.close();
}, 60_000);
