// The way to disk: what is safe, what a full, broken or slow disk costs, and that it comes back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NightjarError, silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { VideoFormat } from '#media';
import { ChunkStore, type ChunkFile, type ChunkFiles } from '#store';
import { nodeFiles } from '../../store/src/node-files.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { SlabPool } from './slab-pool.js';
import { TrackGate } from './gate.js';
import { TrackFlush, WaitingBytes, waitingBound, type DiskFailure } from './track-flush.js';
import type { TrackRecord } from './track-record.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 320,
  height: 240,
  parameterSets: [],
  codecString: 'avc1.42c00a',
  reorderFrames: 0,
};

/** Stands between the store and the disk: fails or holds back what the test says. */
class FaultyFiles {
  failWrites: NightjarError | undefined;
  failSyncs: NightjarError | undefined;
  hold: Promise<void> | undefined;
  readonly files: ChunkFiles;

  constructor() {
    const wrap = (file: ChunkFile): ChunkFile => ({
      write: async (buffers, position) => {
        await this.hold;
        if (this.failWrites !== undefined) throw this.failWrites;
        await file.write(buffers, position);
      },
      read: (buffer, position) => file.read(buffer, position),
      sync: () => (this.failSyncs === undefined ? file.sync() : Promise.reject(this.failSyncs)),
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
    });
    this.files = {
      ...nodeFiles,
      create: async (path) => wrap(await nodeFiles.create(path)),
      open: async (path, mode) => wrap(await nodeFiles.open(path, mode)),
    };
  }
}

async function rig(waiting = new WaitingBytes(), frameBytes = 20_000) {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-flush-'));
  const clock = new FakeClock();
  const log = silentLog();
  const faults = new FaultyFiles();
  const store = await ChunkStore.open({
    directories: [directory],
    clock,
    log,
    files: faults.files,
  });
  const recorded: [number, number][] = [];
  const disk: [DiskFailure | undefined, number][] = [];
  const t0 = clock.nowUnixUs();
  const flush = new TrackFlush({
    camera: CAMERA,
    track: 'main',
    store,
    clock,
    log,
    waiting,
    onRecorded: (from, to) => recorded.push([(from - t0) / 1e6, (to - t0) / 1e6]),
    onDisk: (failure, atUnixUs) => disk.push([failure, (atUnixUs - t0) / 1e6]),
  });
  const pool = new SlabPool();
  let take = (record: TrackRecord) => flush.push(record);
  /** What comes goes through a gate from now on. */
  const openGate = (preRollMs: number) => {
    const gate = new TrackGate({
      ...{ clock, policy: 'motion', preRollMs, postRollMs: 1000 },
      onKeep: (record, from) => flush.push(record, from),
      onChange: () => undefined,
    });
    gate.setDetector('ok');
    take = (record) => gate.offer(record);
    return gate;
  };
  const ingest = new TrackIngest({
    run: 1,
    format: FORMAT,
    pool,
    notBeforeUnixUs: 0,
    counters: new IngestCounters(),
    onFrame: () => undefined,
    onRecord: (record) => take(record),
  });
  let index = 0;
  const payload = Buffer.alloc(frameBytes, 7);
  /** Seconds of video, five frames each, a key frame every two seconds. */
  const record = async (seconds: number) => {
    for (let end = index + seconds * 5; index < end; index++) {
      ingest.beginNal(index % 10 === 0 ? 0x65 : 0x41);
      ingest.appendNal(payload, 0, payload.length);
      ingest.endFrame(index * 18_000, t0 + index * 200_000);
      clock.advance(200);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const settled = () => eventually('everything is written', () => flush.waitingBytes === 0);
  const close = async () => {
    ingest.end();
    await flush.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const files = { clock, faults, flush, store, recorded, disk, pool, waiting };
  return { ...files, openGate, record, settled, close };
}

test('what was written is safe and indexed after a sync, group by group', async () => {
  const it = await rig();
  await it.record(5);
  await it.settled();
  expect(it.recorded).toEqual([]);
  const batch = await it.flush.sync();
  expect(it.recorded.map(([from, to]) => [from, to])).toEqual([[0, 1], [1, 2], [2, 3], [3, 4]]); // prettier-ignore
  expect(batch?.groups?.map((row) => [row.frameCount, row.durationUs])).toEqual([[10, 2e6], [10, 2e6]]); // prettier-ignore
  expect(batch?.chunks).toHaveLength(1);
  await it.record(2);
  await it.settled();
  const next = await it.flush.sync();
  expect(next?.groups?.map((row) => row.frameCount)).toEqual([10]);
  expect(await it.flush.sync()).toBeUndefined();
  const [group] = batch?.groups ?? [];
  const [chunk] = batch?.chunks ?? [];
  if (group === undefined || chunk === undefined) throw new Error('nothing was indexed');
  const records = await it.store.readRecords(chunk, group.offset, group.length);
  expect(records.map((row) => row.frames.count)).toEqual([5, 5]);
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
});

test('a full disk is said, tried again every few seconds, and recording resumes at a key frame', async () => {
  const it = await rig();
  await it.record(3);
  await it.settled();
  it.faults.failWrites = new NightjarError('resource-exhausted', 'no space left');
  await it.record(1);
  await eventually('the failure is known', () => it.disk.length > 0);
  await it.record(5);
  await it.settled();
  expect(it.disk).toEqual([['disk-full', 2]]);
  it.faults.failWrites = undefined;
  await it.record(8);
  await it.settled();
  await it.flush.sync();
  expect(it.disk).toHaveLength(2);
  const [back] = it.disk.slice(-1);
  expect(back?.[0]).toBeUndefined();
  expect((back?.[1] ?? 1) % 2).toBe(0);
  expect(it.recorded[0]).toEqual([0, 1]);
  expect(it.recorded.find(([from]) => from > 2)?.[0]).toBe(back?.[1]);
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
});

test('while the disk is tried again nothing is left out of the group that it is tried with', async () => {
  const it = await rig();
  await it.record(3);
  await it.settled();
  it.faults.failWrites = new NightjarError('resource-exhausted', 'no space left');
  await it.record(2);
  await eventually('the failure is known', () => it.disk.length > 0);
  it.faults.failWrites = undefined;
  // It takes the next group, but slowly.
  let release: () => void = () => undefined;
  it.faults.hold = new Promise((resolve) => (release = resolve));
  await it.record(7);
  expect(it.disk).toHaveLength(1);
  it.faults.hold = undefined;
  release();
  await it.settled();
  await it.record(4);
  await it.settled();
  await it.flush.sync();
  const backAt = it.disk[1]?.[1] ?? Infinity;
  expect(backAt).toBeLessThanOrEqual(8);
  const behind = it.recorded.filter(([from]) => from >= backAt).map(([from]) => from);
  expect(behind).toEqual(behind.map((_, index) => backAt + index));
  expect(behind.at(-1)).toBeGreaterThanOrEqual(14);
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
});

test('a failed sync takes back what was not safe', async () => {
  const it = await rig();
  await it.record(3);
  await it.settled();
  await it.flush.sync();
  await it.record(2);
  await it.settled();
  it.faults.failSyncs = new NightjarError('unavailable', 'input/output error');
  expect(await it.flush.sync()).toBeUndefined();
  expect(it.disk).toEqual([['disk-error', 2]]);
  it.faults.failSyncs = undefined;
  await it.record(8);
  await it.settled();
  await it.flush.sync();
  expect(it.disk.at(-1)?.[0]).toBeUndefined();
  await it.close();
});

test('a sync that fails behind a write moves the beginning of what is lost', async () => {
  const it = await rig();
  await it.record(3);
  await it.settled();
  await it.flush.sync();
  await it.record(1);
  await it.settled();
  it.faults.failWrites = new NightjarError('unavailable', 'input/output error');
  await it.record(1);
  await eventually('the failure is known', () => it.disk.length > 0);
  const [first] = it.disk;
  it.faults.failSyncs = new NightjarError('unavailable', 'input/output error');
  expect(await it.flush.sync()).toBeUndefined();
  const safeTo = Math.max(...it.recorded.map(([, to]) => to));
  expect(it.disk).toEqual([first, ['disk-error', safeTo]]);
  expect(safeTo).toBeLessThan(first?.[1] ?? 0);
  it.faults.failWrites = undefined;
  it.faults.failSyncs = undefined;
  await it.record(8);
  await it.settled();
  await it.flush.sync();
  expect(it.disk.at(-1)?.[0]).toBeUndefined();
  await it.close();
});

test('a slow disk ends the run of recording with a bound on memory, and resumes when it drained', async () => {
  const it = await rig(new WaitingBytes(400_000));
  let release: () => void = () => undefined;
  it.faults.hold = new Promise((resolve) => (release = resolve));
  await it.record(12);
  expect(it.disk).toHaveLength(1);
  expect(it.disk[0]?.[0]).toBe('disk-too-slow');
  expect(it.waiting.total).toBeLessThan(600_000);
  expect(it.pool.usedBytes).toBeLessThan(1_500_000);
  it.faults.hold = undefined;
  release();
  await it.settled();
  await it.record(4);
  await it.settled();
  expect(it.disk.at(-1)?.[0]).toBeUndefined();
  await it.flush.sync();
  const lost = it.disk.map(([, at]) => at);
  expect(it.recorded.filter(([from]) => from >= (lost[0] ?? 0) && from < (lost[1] ?? 0))).toEqual(
    [],
  );
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
});

test('a machine with memory to spare bears a disk that stalls for longer', () => {
  const [megabyte, gigabyte] = [1024 ** 2, 1024 ** 3];
  expect(waitingBound(2, 24 * gigabyte)).toBe(3 * gigabyte);
  expect(waitingBound(16, 64 * gigabyte)).toBe(gigabyte);
  expect(waitingBound(4, 2 * gigabyte)).toBe(512 * megabyte);
});

test('a long pre-roll of a large picture is written, and is no slow disk', async () => {
  // 60 MB that come at once, and all of what may wait for the disks is a tenth of it.
  const it = await rig(new WaitingBytes(6_000_000), 400_000);
  const gate = it.openGate(30_000);
  await it.record(40);
  expect(it.flush.waitingBytes).toBe(0);
  gate.motion(true, it.clock.nowUnixUs());
  expect(it.flush.waitingBytes).toBeGreaterThan(58_000_000);
  await it.record(2);
  await it.settled();
  await it.flush.sync();
  expect(it.disk).toEqual([]);
  expect(it.flush.counters.lostRecords).toBe(0);
  expect(it.recorded.at(0)?.[0]).toBeLessThanOrEqual(10);
  expect(it.recorded.at(-1)?.[1]).toBeGreaterThanOrEqual(40);
  // From then on what waits is bounded as before.
  let release: () => void = () => undefined;
  it.faults.hold = new Promise((resolve) => (release = resolve));
  await it.record(8);
  expect(it.disk.map(([failure]) => failure)).toEqual(['disk-too-slow']);
  it.faults.hold = undefined;
  release();
  gate.close();
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
});
