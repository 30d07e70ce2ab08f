import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { RECORD_HEADROOM_BYTES, type VideoCodec } from '#media';
import type { ChunkInfo, ScannedChunk, WrittenRecord } from './chunk-info.js';
import { ChunkStore } from './chunk-store.js';
import type { ChunkStoreOptions } from './chunk-store-options.js';
import {
  CAMERA,
  columnsOf,
  GROUP_US,
  OTHER_CAMERA,
  realRecord,
  START_UNIX_US,
} from './footage.test-support.js';
import { foldGroups } from './group-rows.js';
import { sealOf } from './seal.js';
import type { TrackWriter } from './track-writer.js';
import { verifyChunk } from './verify-chunk.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
let directory: string;
let clock: FakeClock;
/** What a test leaves open, as a crash would. */
let writers: TrackWriter[];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'nightjar-store-')), 'store');
  clock = new FakeClock();
  writers = [];
});

afterEach(async () => {
  for (const writer of writers) await writer.close().catch(() => undefined);
  await rm(join(directory, '..'), { recursive: true, force: true });
});

function openStore(options: Partial<ChunkStoreOptions> = {}): Promise<ChunkStore> {
  return ChunkStore.open({ directories: [directory], clock, log: silentLog(), ...options });
}

function openTrack(store: ChunkStore): TrackWriter {
  const writer = store.openTrack(TRACK);
  writers.push(writer);
  return writer;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Writes `groups` groups of two records each and gives what became safe. */
async function record(
  store: ChunkStore,
  options: { groups: number; codec?: VideoCodec; firstGroup?: number },
): Promise<{ records: WrittenRecord[]; chunks: ChunkInfo[] }> {
  const { groups, codec = 'h264', firstGroup = 0 } = options;
  const writer = openTrack(store);
  for (let group = firstGroup; group < firstGroup + groups; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 3, codec }));
    await writer.write(realRecord({ firstFrame: group * 5 + 3, frameCount: 2, codec }));
    clock.advance(1000);
  }
  const { records, chunks } = await writer.close();
  return { records: [...records], chunks: [...chunks] };
}

const unknown = { unsealed: [], find: () => Promise.resolve(undefined) };

test('records come back with their bytes, facts and frame tables', async () => {
  const store = await openStore();
  const { records, chunks } = await record(store, { groups: 2 });
  const chunk = chunks[0] as ChunkInfo;
  expect(chunk).toMatchObject({ camera: CAMERA, track: 'main', codec: 'h264', sealed: true });
  expect([chunk.firstUnixUs, chunk.lastUnixUs]).toEqual([
    START_UNIX_US,
    START_UNIX_US + 2 * GROUP_US,
  ]);
  const end = records.at(-1);
  const read = await store.readRecords(chunk, 0, (end?.offset ?? 0) + (end?.length ?? 0));
  expect(read).toHaveLength(4);
  for (const [index, parsed] of read.entries()) {
    const group = Math.floor(index / 2);
    const second = index % 2 === 1;
    const original = realRecord({
      firstFrame: group * 5 + (second ? 3 : 0),
      frameCount: second ? 2 : 3,
    });
    expect(parsed.payload.equals(original.buffer.subarray(original.payloadStart))).toBe(true);
    expect(parsed.record).toEqual(records[index]?.record);
    expect(columnsOf(parsed.frames)).toBe(columnsOf(original.frames));
    expect([parsed.width, parsed.height]).toEqual([64, 48]);
  }
  const groups = foldGroups(records);
  expect(groups.map((row) => [row.startUnixUs, row.durationUs, row.frameCount])).toEqual([
    [START_UNIX_US, GROUP_US, 5],
    [START_UNIX_US + GROUP_US, GROUP_US, 5],
  ]);
});

test.each([RECORD_HEADROOM_BYTES, 0])(
  'a record in pieces is written as one in one piece is, with %i bytes of room in front',
  async (headroomBytes) => {
    const whole = realRecord({ firstFrame: 0, frameCount: 5, headroomBytes });
    const { buffer, payloadStart, payloadEnd } = whole;
    const cuts = [payloadStart + 300, payloadStart + 300, payloadEnd - 7, payloadEnd];
    const rest = cuts.slice(1).map((cut, index) => buffer.subarray(cuts[index], cut));
    const files: Buffer[] = [];
    for (const record of [whole, { ...whole, payloadEnd: payloadStart + 300, rest }]) {
      const writer = openTrack(await openStore());
      await writer.write({ ...record, buffer: Buffer.from(buffer) });
      const { chunks } = await writer.close();
      const path = join(directory, chunks[0]?.path ?? '');
      files.push(await readFile(path));
      expect(await verifyChunk(path)).toMatchObject({ seal: 'valid', damaged: [] });
      await rm(directory, { recursive: true });
    }
    expect(files[0]?.length).toBeGreaterThan(whole.payloadEnd - whole.payloadStart);
    expect(files[1]?.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
  },
);

test('a chunk is sealed at its size, always in front of a group, and chained to the one before', async () => {
  const store = await openStore({ chunkBytes: 2000 });
  const { chunks } = await record(store, { groups: 6 });
  expect(chunks.length).toBeGreaterThan(1);
  for (const [index, chunk] of chunks.entries()) {
    const verified = await verifyChunk(join(directory, chunk.path));
    expect(verified).toMatchObject({ seal: 'valid', damaged: [], sealValue: sealOf(chunk) });
    const before = chunks[index - 1];
    expect(verified.previousSeal).toBe(before === undefined ? undefined : sealOf(before));
    expect(verified.sizeBytes).toBe(chunk.sizeBytes);
  }
  const later = await record(await openStore(), { groups: 1, firstGroup: 100 });
  expect(later.chunks[0]?.previousSeal).toBe(sealOf(chunks.at(-1) as ChunkInfo));
});

test.each(['h264', 'h265'] as const)(
  'ffprobe decodes a %s chunk without a complaint',
  async (codec) => {
    if (!existsSync('/usr/bin/ffprobe')) return;
    const store = await openStore();
    const { chunks } = await record(store, { groups: 4, codec });
    const path = join(directory, chunks[0]?.path ?? '');
    const entries = 'stream=codec_name,width,nb_read_frames';
    const arguments_ = [
      '-v',
      'warning',
      '-count_frames',
      '-show_entries',
      entries,
      '-of',
      'json',
      path,
    ];
    const { stdout, stderr } = spawnSync('/usr/bin/ffprobe', arguments_, { encoding: 'utf8' });
    expect(stderr).toBe('');
    const codecName = codec === 'h264' ? 'h264' : 'hevc';
    expect(JSON.parse(stdout)).toMatchObject({
      streams: [{ codec_name: codecName, width: 64, nb_read_frames: '20' }],
    });
  },
);

test('what was not indexed is found again, a torn record is cut, and the rest is sealed later', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  for (let group = 0; group < 3; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5 }));
  }
  const { chunks } = await writer.sync();
  const chunk = chunks[0] as ChunkInfo;
  const path = join(directory, chunk.path);
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, chunk.sizeBytes - 100));

  const again = await openStore();
  const [found] = await all(again.recover(unknown));
  expect(found?.state).toBe('cut');
  expect(found?.records.map(({ record: facts }) => facts.sequence)).toEqual([0, 5]);
  expect((await readFile(path)).length).toBe(found?.chunk.sizeBytes);
  const [sealed] = await all(again.sealRecovered());
  expect(sealed).toMatchObject({ id: chunk.id, sealed: true });
  expect((await verifyChunk(path)).seal).toBe('valid');
  expect(await all(again.sealRecovered())).toEqual([]);
});

test('who stops sealing what was recovered has the rows of all that is sealed', async () => {
  // Three lives, each of which a kill ended.
  for (let life = 0; life < 3; life++) {
    const writer = openTrack(await openStore());
    await writer.write(realRecord({ firstFrame: life * 5, frameCount: 5 }));
    await writer.sync();
    clock.advance(1000);
  }
  const store = await openStore();
  const find = () => Promise.resolve(undefined);
  expect(await all(store.recover({ unsealed: [], find }))).toHaveLength(3);
  const rows: ChunkInfo[] = [];
  for await (const row of store.sealRecovered()) {
    rows.push(row);
    break;
  }
  const sealed = (await all(store.scanAll())).filter(({ chunk }) => chunk.sealed);
  expect(sealed.map(({ chunk }) => chunk.id)).toEqual(rows.map(({ id }) => id));
  expect(await all(store.sealRecovered())).toHaveLength(2);
});

test('recovery reads only what lies behind the index', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  await writer.write(realRecord({ firstFrame: 0, frameCount: 3 }));
  const known = (await writer.sync()).chunks[0] as ChunkInfo;
  await writer.write(realRecord({ firstFrame: 3, frameCount: 2 }));
  await writer.write(realRecord({ firstFrame: 5, frameCount: 5 }));
  await writer.sync();
  const path = join(directory, known.path);
  const bytes = await readFile(path);
  // Damage in front of the tail is none of recovery's business.
  bytes[300] = (bytes[300] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const again = await openStore();
  const find = (id: number) => Promise.resolve(id === known.id ? known : undefined);
  const [found] = await all(again.recover({ unsealed: [known], find }));
  expect(found).toMatchObject({ state: 'intact', chunk: { firstUnixUs: START_UNIX_US } });
  expect(found?.records.map(({ record: facts }) => facts.sequence)).toEqual([3, 5]);
  const [open] = foldGroups([
    { chunk: known, offset: 0, length: known.sizeBytes, record: factsOf(0, 3) },
  ]);
  expect(foldGroups(found?.records ?? [], open).map((row) => row.frameCount)).toEqual([5, 5]);
});

function factsOf(firstFrame: number, frameCount: number) {
  const { frames, ...facts } = realRecord({ firstFrame, frameCount });
  return { ...facts, duration90k: frames.duration90k, frameCount };
}

test('a chunk that the index has and the disk lost is said to be missing', async () => {
  const store = await openStore();
  const { chunks } = await record(store, { groups: 1 });
  const known = { ...(chunks[0] as ChunkInfo), sealed: false };
  await rm(join(directory, known.path));
  const find = () => Promise.resolve(known);
  const found = await all((await openStore()).recover({ unsealed: [known], find }));
  expect(found).toMatchObject([{ state: 'missing', chunk: known, records: [] }]);
});

test('bytes that were safe and are gone are said to be damaged', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  for (let group = 0; group < 2; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5 }));
  }
  const { chunks } = await writer.sync();
  const known = chunks[0] as ChunkInfo;
  const path = join(directory, known.path);
  await writeFile(path, (await readFile(path)).subarray(0, known.sizeBytes - 1));
  const find = () => Promise.resolve(known);
  const [found] = await all((await openStore()).recover({ unsealed: [known], find }));
  expect(found).toMatchObject({ state: 'damaged' });
  expect(found?.records).toHaveLength(1);
  expect(found?.chunk.sizeBytes).toBe(found?.records[0]?.length);
});

test('damage in the middle costs its group and nothing behind it', async () => {
  const store = await openStore();
  const { records, chunks } = await record(store, { groups: 4 });
  const path = join(directory, chunks[0]?.path ?? '');
  const bytes = await readFile(path);
  const hit = records[2] as WrittenRecord;
  bytes[hit.offset + hit.length - 5] = (bytes[hit.offset + hit.length - 5] ?? 0) ^ 64;
  await writeFile(path, bytes);
  const [scanned] = await all((await openStore()).scanAll());
  expect(scanned?.state).toBe('damaged');
  expect(scanned?.records.map(({ record: facts }) => facts.sequence)).toEqual([
    0, 3, 10, 13, 15, 18,
  ]);
  expect(await verifyChunk(path)).toMatchObject({ seal: 'broken' });
  await expect(store.readRecords(hit.chunk, hit.offset, hit.length)).rejects.toMatchObject({
    code: 'data-loss',
  });
});

test('a whole rebuild finds every chunk in order of time', async () => {
  const store = await openStore({ chunkBytes: 2000 });
  const { records } = await record(store, { groups: 6 });
  const other = store.openTrack({ camera: OTHER_CAMERA, track: 'sub' });
  await other.write(realRecord({ firstFrame: 0, frameCount: 5 }));
  await other.close();
  const scanned: ScannedChunk[] = await all(store.scanAll());
  const mine = scanned.filter(({ chunk }) => chunk.camera === CAMERA);
  expect(mine.flatMap((chunk) => chunk.records.map(({ record: facts }) => facts))).toEqual(
    records.map(({ record: facts }) => facts),
  );
  expect(scanned).toHaveLength(mine.length + 1);
});

test('deleting a chunk twice frees it once, and its empty day goes', async () => {
  const store = await openStore();
  const { chunks } = await record(store, { groups: 1 });
  const chunk = chunks[0] as ChunkInfo;
  expect(await store.deleteChunk(chunk)).toBe(chunk.sizeBytes);
  expect(await store.deleteChunk(chunk)).toBe(0);
  expect(await readdir(join(directory, CAMERA, 'main'))).toEqual([]);
  await expect(store.readRecords(chunk, 0, 10)).rejects.toMatchObject({ code: 'data-loss' });
});

test.each([
  '../../etc/passwd',
  '/etc/passwd',
  `${CAMERA}/main/../../x.h264`,
  `${CAMERA}/main/2026-01-01/a.h264`,
])('the path %s is refused', async (path) => {
  const store = await openStore();
  const place = { id: 1, store: store.directories[0]?.id ?? '', path };
  for (const attempt of [store.readRecords(place, 0, 10), store.deleteChunk(place)]) {
    await expect(attempt).rejects.toMatchObject({ code: 'invalid-argument' });
  }
});

test('rotation follows age, codec and a clock that went back', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  const hour = 3_600_000_000;
  await writer.write(realRecord({ firstFrame: 0, frameCount: 5 }));
  await writer.write(
    realRecord({ firstFrame: 5, frameCount: 5, startUnixUs: START_UNIX_US + hour }),
  );
  await writer.write(realRecord({ firstFrame: 10, frameCount: 5 }));
  await writer.write(realRecord({ firstFrame: 15, frameCount: 5, codec: 'h265' }));
  const { chunks } = await writer.close();
  expect(chunks.map(({ codec, sealed }) => [codec, sealed])).toEqual([
    ['h264', true],
    ['h264', true],
    ['h264', true],
    ['h265', true],
  ]);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(4);
});

test('tracks that begin together do not go on to their next chunks together', async () => {
  const store = await openStore({ chunkSeconds: 16 });
  const beginnings = await Promise.all(
    Array.from({ length: 8 }, async (_, camera) => {
      const id = `${CAMERA.slice(0, -1)}${camera}`;
      const writer = store.openTrack({ camera: id, track: 'main' });
      writers.push(writer);
      for (let group = 0; group < 40; group++) {
        await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5 }));
      }
      const { chunks } = await writer.close();
      const starts = new Set(chunks.map(({ firstUnixUs }) => firstUnixUs));
      return [...starts].sort().map((at) => (at - START_UNIX_US) / GROUP_US);
    }),
  );
  // From a quarter of a chunk on, evenly; all later ones are whole.
  const firsts = beginnings.map(([, second = 0]) => second);
  expect(firsts[0]).toBe(16);
  expect(Math.min(...firsts)).toBeGreaterThanOrEqual(4);
  expect(new Set(firsts).size).toBe(8);
  for (const [, second = 0, third = 0] of beginnings) expect(third - second).toBe(16);
});

test('an idle chunk is sealed when it is old enough, and not while records come', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  await writer.write(realRecord({ firstFrame: 0, frameCount: 5 }));
  const old = START_UNIX_US + 16 * 60_000_000;
  expect(await writer.sealIfDue(old)).toBe(false);
  clock.advance(16_000);
  expect(await writer.sealIfDue(START_UNIX_US)).toBe(false);
  expect(await writer.sealIfDue(old)).toBe(true);
  expect((await writer.sync()).chunks).toMatchObject([{ sealed: true }]);
  await expect(writer.write(realRecord({ firstFrame: 3, frameCount: 2 }))).rejects.toMatchObject({
    code: 'failed-precondition',
  });
});

test('a header larger than the headroom goes to disk in front of its payload', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  await writer.write(realRecord({ firstFrame: 0, frameCount: 5, headroomBytes: 10 }));
  const { records, chunks } = await writer.sync();
  const read = await store.readRecords(chunks[0] as ChunkInfo, 0, records[0]?.length ?? 0);
  expect(read[0]?.frames.count).toBe(5);
  await writer.close();
});

test('a track has one writer', async () => {
  const store = await openStore();
  const writer = openTrack(store);
  expect(() => store.openTrack(TRACK)).toThrow('without a writer');
  await writer.close();
  await store.openTrack(TRACK).close();
});
