// A disk that hangs under a recording: footage goes on elsewhere without a gap, the index has it once,
// and a start after a kill at any moment finds the same.

import { cpSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NightjarError, silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { VideoFormat } from '#media';
import { ChunkStore, foldGroups, type ScannedChunk } from '#store';
import { Timeline, type TimelineBatch } from '#timeline';
import { HangingDisk } from '../../store/src/hanging-disk.test-support.js';
import { nodeFiles } from '../../store/src/node-files.js';
import { GapLedger } from './gap-ledger.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { recoverFootage } from './recovery.js';
import { SlabPool } from './slab-pool.js';
import { TrackFlush, WaitingBytes, type DiskFailure } from './track-flush.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 320,
  height: 240,
  parameterSets: [],
  codecString: 'avc1.42c00a',
  reorderFrames: 0,
};
const log = silentLog();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-hung-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** One track, two disks, its index and its gaps. A key frame every two seconds, five frames each. */
class HungRig {
  readonly disk = new HangingDisk();
  readonly clock = new FakeClock();
  readonly t0 = this.clock.nowUnixUs();
  readonly pool = new SlabPool();
  readonly waiting = new WaitingBytes();
  readonly failures: (DiskFailure | undefined)[] = [];
  readonly ledger = new GapLedger({ camera: CAMERA, coveredUntilUs: this.t0 });
  timeline!: Timeline;
  store!: ChunkStore;
  flush!: TrackFlush;
  /** Of what becomes safe the index hears only while this is true. */
  commits = true;
  #ingest!: TrackIngest;
  #frame = 0;
  #syncing: Promise<void> | undefined;

  async open(groupFrames = 10, frameBytes = 20_000): Promise<this> {
    const { clock } = this;
    this.timeline = await Timeline.open({ directory: join(directory, 'index'), clock, log });
    this.store = await ChunkStore.open({
      directories: ['one', 'two'].map((name) => join(directory, name)),
      ...{ clock, log, files: this.disk.files, threads: 16 },
    });
    this.flush = new TrackFlush({
      ...{ camera: CAMERA, track: 'main', store: this.store, clock, log, waiting: this.waiting },
      onRecorded: (from, to) => this.ledger.recorded(from, to),
      onDisk: (failure, atUnixUs) => {
        this.failures.push(failure);
        this.ledger.mark(failure ?? 'recording', atUnixUs);
      },
    });
    this.ledger.mark('recording', this.t0);
    this.#ingest = new TrackIngest({
      ...{ run: 1, format: FORMAT, pool: this.pool, notBeforeUnixUs: 0 },
      counters: new IngestCounters(),
      onFrame: () => undefined,
      onRecord: (record) => this.flush.push(record),
    });
    this.#payload = Buffer.alloc(frameBytes, 7);
    this.#groupFrames = groupFrames;
    return this;
  }

  #payload = Buffer.alloc(0);
  #groupFrames = 10;

  async record(seconds: number): Promise<void> {
    for (const end = this.#frame + seconds * 5; this.#frame < end; this.#frame++) {
      this.#ingest.beginNal(this.#frame % this.#groupFrames === 0 ? 0x65 : 0x41);
      this.#ingest.appendNal(this.#payload, 0, this.#payload.length);
      this.#ingest.endFrame(this.#frame * 18_000, this.t0 + this.#frame * 200_000);
      await this.disk.quiet();
      if (this.#frame % 2 === 0) this.#syncing ??= this.#sync();
      await this.disk.quiet();
      this.clock.advance(200);
      await this.disk.quiet();
    }
  }

  async #sync(): Promise<void> {
    const batch = await this.flush.sync();
    this.#syncing = undefined;
    await this.#commit(batch);
  }

  async #commit(batch: TimelineBatch | undefined): Promise<void> {
    if (!this.flush.hasWork) this.ledger.settle(this.clock.nowUnixUs());
    if (this.commits) await this.timeline.commit({ ...batch, ...this.ledger.drain() });
  }

  /** Where the track writes now; it goes on doing so, and nothing comes of it. */
  async hangCurrent(isDone = false): Promise<string> {
    const chunk = await this.timeline.chunk(this.flush.chunkId ?? 0);
    const path = this.store.directories.find(({ id }) => id === chunk?.store)?.path ?? '';
    this.disk.hang(path, undefined, { isDone });
    return path;
  }

  async close(): Promise<void> {
    this.#ingest.end();
    await this.disk.quiet();
    await this.#commit(await this.flush.close());
    await this.store.close();
    await this.timeline.close();
  }
}

/** What a start finds after the process ended: on copies, since this process still has the files. */
async function recovered(
  name: string,
  before: (at: string) => void = () => undefined,
  files = nodeFiles,
) {
  const at = join(directory, name);
  const clock = new FakeClock();
  for (const part of ['one', 'two', 'index']) {
    cpSync(join(directory, part), join(at, part), { recursive: true });
  }
  before(at);
  const open = () =>
    Promise.all([
      Timeline.open({ directory: join(at, 'index'), clock, log }),
      ChunkStore.open({ directories: [join(at, 'one'), join(at, 'two')], clock, log, files }),
    ]);
  const [timeline, store] = await open();
  await recoverFootage({ timeline, store, clock, log });
  for await (const chunk of store.sealRecovered()) await timeline.commit({ chunks: [chunk] });
  return { timeline, store };
}

/** Frames per group in order of time; fails where index and chunks differ. */
async function framesOf({ timeline, store }: { timeline: Timeline; store: ChunkStore }) {
  const found: ScannedChunk[] = [];
  for await (const chunk of store.scanAll()) found.push(chunk);
  for (const { chunk, state, records } of found) {
    expect({ path: chunk.path, state }).toEqual({ path: chunk.path, state: 'intact' });
    const row = await timeline.chunk(chunk.id);
    expect(row?.sizeBytes).toBe(chunk.sizeBytes);
    if (row !== undefined) expect(await timeline.groupsOf(row)).toEqual(foldGroups(records));
  }
  const all = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
  const chunks = await timeline.chunksOf(CAMERA);
  expect(chunks.map(({ id }) => id).sort()).toEqual(found.map(({ chunk }) => chunk.id).sort());
  const groups = await timeline.groups(CAMERA, 'main', all);
  expect(new Set(groups.map(({ startUnixUs }) => startUnixUs)).size).toBe(groups.length);
  return groups.map(({ frameCount }) => frameCount);
}

const tens = (count: number) => Array.from({ length: count }, () => 10);

test.each([6, 7, 7.4])(
  'after %f s a disk hangs: no frame is lost, none is doubled, and there is no gap',
  async (seconds) => {
    const it = await new HungRig().open();
    await it.record(seconds);
    await it.hangCurrent();
    // It is found out within 5 s of the next write, while that disk still hangs.
    await it.record(8);
    expect(it.flush.waitingBytes).toBe(0);
    await it.record(2);
    expect(it.failures).toEqual([]);
    const { timeline, t0 } = it;
    const until = it.clock.nowUnixUs();
    const [span, ...others] = await timeline.recordings(CAMERA, t0, until);
    expect(others).toEqual([]);
    expect(span?.toUnixUs).toBeGreaterThan(until - 2_500_000);
    expect((await timeline.gaps(CAMERA, t0, until)).map(({ reason }) => reason)).toEqual([]);
    it.disk.answer();
    await it.record(24 - seconds - 10);
    await it.close();
    expect(it.pool.usedBytes).toBe(0);
    expect(it.waiting.total).toBe(0);
    const after = await recovered('after');
    expect(await framesOf(after)).toEqual(tens(12));
    expect((await after.timeline.recordings(CAMERA, t0, until)).length).toBe(1);
    await after.store.close();
    await after.timeline.close();
  },
);

test('a group that is too large to be held ends where the disk hung, and says so; the next one is whole', async () => {
  // 24 MB a group of 20 s.
  const it = await new HungRig().open(100, 240_000);
  await it.record(35);
  await it.hangCurrent();
  await it.record(14);
  expect(it.failures).toEqual(['disk-too-slow', undefined]);
  await it.record(2);
  const { timeline, t0 } = it;
  const gaps = await timeline.gaps(CAMERA, t0, it.clock.nowUnixUs());
  expect(gaps).toMatchObject([{ reason: 'disk-too-slow', endUnixUs: t0 + 40_000_000 }]);
  const fromS = ((gaps[0]?.startUnixUs ?? 0) - t0) / 1e6;
  expect(fromS).toBeGreaterThanOrEqual(33);
  expect(fromS).toBeLessThanOrEqual(35);
  it.disk.answer();
  await it.close();
  const after = await recovered('after');
  expect(await framesOf(after)).toEqual([100, fromS * 5 - 100, 55]);
  await after.store.close();
  await after.timeline.close();
});

describe.each(['did not happen', 'happened all the same'] as const)(
  'the write that hung %s',
  (how) => {
    test.each([
      ['before anything was written again', 2, false],
      ['before the index knew of it', 8, false],
      ['when the index knew of it', 8, true],
    ] as const)('and the process was killed %s', async (_when, seconds, commits) => {
      const it = await new HungRig().open();
      await it.record(7.4);
      await it.hangCurrent(how === 'happened all the same');
      it.commits = commits;
      await it.record(seconds);
      await it.timeline.close();
      const after = await recovered('after');
      const frames = await framesOf(after);
      const recorded = frames.reduce((sum, count) => sum + count, 0);
      // At most what was in memory, and the record under way, is lost.
      const lastedS = seconds === 8 ? 7.4 + 8 : 7.4;
      expect(recorded / 5).toBeGreaterThanOrEqual(lastedS - 2);
      expect(frames.slice(0, -1)).toEqual(tens(frames.length - 1));
      await after.store.close();
      await after.timeline.close();
      // And what is found once is found again.
      const again = await recovered('after/again'.replace('/', '-'));
      expect((await framesOf(again)).length).toBe(frames.length);
      await again.store.close();
      await again.timeline.close();
      it.disk.answer();
      await eventually('nothing is under way', () => it.flush.waitingBytes === 0);
      await it.flush.close().catch(() => undefined);
      await it.store.close();
    });
  },
);

test('a kill in the middle of writing several groups again leaves each of them once', async () => {
  const it = await new HungRig().open();
  it.commits = false;
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(9);
  await it.timeline.close();
  const after = await recovered('after', (at) => {
    const found = readdirSync(join(at, 'two'), { recursive: true, encoding: 'utf8' });
    const path = join(at, 'two', found.find((name) => name.endsWith('.h264')) ?? '');
    // So far it had come: the first of the groups, and half of the second.
    truncateSync(path, 330_000);
  });
  const frames = await framesOf(after);
  expect(frames.slice(0, 2)).toEqual(tens(2));
  expect(frames.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(20);
  await after.store.close();
  await after.timeline.close();
  it.disk.answer();
  await eventually('nothing is under way', () => it.flush.waitingBytes === 0);
  await it.flush.close().catch(() => undefined);
  await it.store.close();
});

test('what a new chunk holds is not given up where its disk is slow first and then hangs', async () => {
  const it = await new HungRig().open();
  // What was written can be read, and its file is not safe.
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(12);
  expect(it.failures).toEqual([]);
  it.disk.answer();
  await it.close();
  expect(it.pool.usedBytes).toBe(0);
  const after = await recovered('after');
  expect(await framesOf(after)).toEqual(tens(6));
  await after.store.close();
  await after.timeline.close();
});

test('a disk on which nothing can be cut keeps nobody from recording, and the index has each group once', async () => {
  const it = await new HungRig().open();
  await it.record(7.4);
  await it.hangCurrent();
  it.commits = false;
  await it.record(8);
  await it.timeline.close();
  // The zeros behind the last record go; then the disk breaks.
  const cut = new Set<string>();
  const after = await recovered('after', undefined, {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode);
      const truncate = (sizeBytes: number) => {
        if (cut.has(path)) throw new NightjarError('unavailable', 'the disk is broken');
        cut.add(path);
        return file.truncate(sizeBytes);
      };
      return {
        truncate,
        write: (...of) => file.write(...of),
        read: (...of) => file.read(...of),
        sync: () => file.sync(),
        sizeBytes: () => file.sizeBytes(),
        close: () => file.close(),
      };
    },
  });
  const all = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
  const starts = (await after.timeline.groups(CAMERA, 'main', all)).map((row) => row.startUnixUs);
  expect(starts.length).toBeGreaterThanOrEqual(7);
  expect(new Set(starts).size).toBe(starts.length);
  await after.store.close();
  await after.timeline.close();
  it.disk.answer();
  await eventually('nothing is under way', () => it.flush.waitingBytes === 0);
  await it.flush.close().catch(() => undefined);
  await it.store.close();
});
