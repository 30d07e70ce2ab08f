// A disk that hangs under a recording: footage goes on elsewhere without a gap, the index has it once,
// and a start after a kill at any moment finds the same.

import { cpSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NightjarError, silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { VideoFormat } from '#media';
import { ChunkStore, foldGroups, type ChunkFiles, type ScannedChunk } from '#store';
import { Timeline, type TimelineBatch } from '#timeline';
import { seededRandom } from '../../store/src/footage.test-support.js';
import { HangingDisk, type HangingStep } from '../../store/src/hanging-disk.test-support.js';
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
const ALL = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
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
  readonly waiting: WaitingBytes;
  readonly failures: (DiskFailure | undefined)[] = [];
  readonly ledger = new GapLedger({ camera: CAMERA, coveredUntilUs: this.t0 });
  timeline!: Timeline;
  store!: ChunkStore;
  flush!: TrackFlush;
  /** Of what becomes safe the index hears only while this is true. */
  commits = true;
  #ingest!: TrackIngest;
  #frame = 0;
  #payload = Buffer.alloc(0);
  #groupFrames = 10;
  #syncing: Promise<void> | undefined;

  constructor(waitingBytes?: number) {
    this.waiting = new WaitingBytes(waitingBytes);
  }

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
  async hangCurrent(isDone = false, steps?: readonly HangingStep[]): Promise<void> {
    const chunk = await this.timeline.chunk(this.flush.chunkId ?? 0);
    const path = this.store.directories.find(({ id }) => id === chunk?.store)?.path ?? '';
    this.disk.hang(path, steps, { isDone });
  }

  /** The reasons of what is missing up to now, and from when to when, in seconds. */
  async gaps(): Promise<[string, number, number][]> {
    const rows = await this.timeline.gaps(CAMERA, this.t0, this.clock.nowUnixUs());
    const secondOf = (us = Infinity) => (us - this.t0) / 1e6;
    return rows.map((row) => [row.reason, secondOf(row.startUnixUs), secondOf(row.endUnixUs)]);
  }

  /** In order; the disk may hang meanwhile. */
  async close(): Promise<void> {
    this.#ingest.end();
    await this.disk.quiet();
    let isClosed = false;
    const closed = this.flush.close().finally(() => (isClosed = true));
    await eventually('the track is closed', () => {
      if (!isClosed) this.clock.advance(500);
      return isClosed;
    });
    await this.#commit(await closed);
    this.disk.answer();
    await this.store.close();
    await this.timeline.close();
    expect(this.pool.usedBytes).toBe(0);
    expect(this.waiting.total).toBe(0);
  }

  /** Of a process that was killed: what it still has open is closed, and nobody hears of it. */
  async bury(): Promise<void> {
    this.disk.answer();
    await eventually('nothing is under way', () => this.flush.waitingBytes === 0);
    await this.flush.close().catch(() => undefined);
    await this.store.close();
  }
}

interface Found {
  readonly timeline: Timeline;
  readonly store: ChunkStore;
}

interface Start {
  /** A copy of this one. */
  readonly of?: string;
  readonly before?: (at: string) => void;
  readonly files?: ChunkFiles;
}

/** What a start finds after the process ended: on a copy, since this process still has the files. */
async function afterStart<T>(
  name: string,
  use: (found: Found) => Promise<T>,
  { of = '', before, files = nodeFiles }: Start = {},
): Promise<T> {
  const at = join(directory, name);
  const clock = new FakeClock();
  for (const part of ['one', 'two', 'index']) {
    cpSync(join(directory, of, part), join(at, part), { recursive: true });
  }
  before?.(at);
  const timeline = await Timeline.open({ directory: join(at, 'index'), clock, log });
  const directories = [join(at, 'one'), join(at, 'two')];
  const store = await ChunkStore.open({ directories, clock, log, files });
  await recoverFootage({ timeline, store, clock, log });
  for await (const chunk of store.sealRecovered()) await timeline.commit({ chunks: [chunk] });
  const found = await use({ timeline, store });
  await store.close();
  await timeline.close();
  return found;
}

/** Frames per group in order of time; fails where index and chunks differ. */
async function framesOf({ timeline, store }: Found): Promise<number[]> {
  const found: ScannedChunk[] = [];
  for await (const chunk of store.scanAll()) found.push(chunk);
  for (const { chunk, state, records } of found) {
    expect({ path: chunk.path, state }).toEqual({ path: chunk.path, state: 'intact' });
    const row = await timeline.chunk(chunk.id);
    expect(row?.sizeBytes).toBe(chunk.sizeBytes);
    if (row !== undefined) expect(await timeline.groupsOf(row)).toEqual(foldGroups(records));
  }
  const chunks = await timeline.chunksOf(CAMERA);
  expect(chunks.map(({ id }) => id).sort()).toEqual(found.map(({ chunk }) => chunk.id).sort());
  const groups = await timeline.groups(CAMERA, 'main', ALL);
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
    expect(await it.gaps()).toEqual([]);
    it.disk.answer();
    await it.record(24 - seconds - 10);
    await it.close();
    await afterStart('after', async (found) => {
      expect(await framesOf(found)).toEqual(tens(12));
      expect((await found.timeline.recordings(CAMERA, t0, until)).length).toBe(1);
    });
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
  const gaps = await it.gaps();
  const fromS = gaps[0]?.[1] ?? 0;
  expect(gaps).toEqual([['disk-too-slow', fromS, 40]]);
  expect(fromS).toBeGreaterThanOrEqual(33);
  expect(fromS).toBeLessThanOrEqual(35);
  it.disk.answer();
  await it.close();
  expect(await afterStart('after', framesOf)).toEqual([100, fromS * 5 - 100, 55]);
});

test('where nothing of a chunk is safe, what could not be held of it is missing from its beginning on, and says so', async () => {
  // 32 MB a group of 8 s.
  const it = await new HungRig().open(40, 800_000);
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(12);
  expect(await it.gaps()).toEqual([['disk-too-slow', 0, 8]]);
  it.disk.answer();
  await it.close();
  expect(await afterStart('after', framesOf)).toEqual([20]);
});

test('of several groups the last ones that could be held are written again, and what was lost says so', async () => {
  // 12 MB a group of 3 s, in chunks of their own.
  const it = await new HungRig().open(15, 800_000);
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(21);
  const gaps = await it.gaps();
  const toS = gaps[0]?.[2] ?? Infinity;
  expect(gaps).toEqual([['disk-too-slow', 0, toS]]);
  // The disk is found out after five seconds; what was begun before that is 12 MB.
  expect(toS).toBeLessThanOrEqual(12);
  it.disk.answer();
  await it.close();
  const frames = await afterStart('after', framesOf);
  expect(frames.reduce((sum, count) => sum + count, 0)).toBe((21 - toS) * 5);
});

test('a chunk that is lost behind the one that is written costs nothing of that', async () => {
  // 16 MB a group of 4 s: the disk is slow when the second one begins, which goes elsewhere.
  const it = await new HungRig().open(20, 800_000);
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(14);
  expect(await it.gaps()).toEqual([['disk-too-slow', 0, 4]]);
  it.disk.answer();
  await it.close();
  expect(await afterStart('after', framesOf)).toEqual([20, 20, 10]);
});

test('what no longer could wait while a disk hung is missing as the disk\u2019s fault, and nothing is put behind it that cannot be decoded', async () => {
  // Groups of 30 MB that cannot be held, and a bound that is reached while the disk hangs.
  const it = await new HungRig(6_000_000).open(30, 1_000_000);
  await it.record(11);
  await it.hangCurrent();
  await it.record(19);
  const gaps = await it.gaps();
  expect(new Set(gaps.map(([reason]) => reason))).toEqual(new Set(['disk-too-slow']));
  it.disk.answer();
  await it.close();
  const lostS = gaps.reduce((sum, [, fromS, toS]) => sum + toS - fromS, 0);
  const frames = await afterStart('after', framesOf);
  expect(frames.reduce((sum, count) => sum + count, 0)).toBe(Math.round((30 - lostS) * 5));
});

test.each([
  ['the first sync', 0, ['sync-directory']],
  ['writing, cutting and closing', 7.4, ['write', 'truncate', 'close', 'sync']],
] as const)(
  'a track that is closed while its disk hangs loses nothing: %s',
  async (_what, seconds, steps) => {
    const it = await new HungRig().open();
    await it.record(seconds);
    if (seconds > 0) await it.hangCurrent(false, steps);
    else it.disk.hang(join(directory, 'one'), steps);
    await it.record(1.4);
    await it.close();
    expect(it.failures).toEqual([]);
    const frames = await afterStart('after', framesOf);
    expect(frames.reduce((sum, count) => sum + count, 0)).toBe((seconds + 1.4) * 5);
  },
);

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
      const frames = await afterStart('after', framesOf);
      const recorded = frames.reduce((sum, count) => sum + count, 0);
      // At most what was in memory, and the record under way, is lost.
      const lastedS = seconds === 8 ? 7.4 + 8 : 7.4;
      expect(recorded / 5).toBeGreaterThanOrEqual(lastedS - 2);
      expect(frames.slice(0, -1)).toEqual(tens(frames.length - 1));
      // And what is found once is found again.
      expect(await afterStart('again', framesOf, { of: 'after' })).toEqual(frames);
      await it.bury();
    });
  },
);

test('a kill in the middle of writing several groups again leaves each of them once', async () => {
  const it = await new HungRig().open();
  it.commits = false;
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(9);
  await it.timeline.close();
  const before = (at: string) => {
    const found = readdirSync(join(at, 'two'), { recursive: true, encoding: 'utf8' });
    const path = join(at, 'two', found.find((name) => name.endsWith('.h264')) ?? '');
    // So far it had come: the first of the groups, and half of the second.
    truncateSync(path, 330_000);
  };
  const frames = await afterStart('after', framesOf, { before });
  expect(frames.slice(0, 2)).toEqual(tens(2));
  expect(frames.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(20);
  await it.bury();
});

test.each([
  ['cut', 7.4],
  ['removed', 1.4],
] as const)(
  'a power cut that takes the index back to before a chunk was %s costs nothing, and nothing is said to be lost',
  async (_what, seconds) => {
    const it = await new HungRig().open();
    await it.record(seconds);
    await it.hangCurrent();
    it.commits = false;
    await it.record(8);
    it.disk.answer();
    await it.record(2);
    await it.timeline.close();
    const untilUs = it.t0 + (seconds + 7) * 1_000_000;
    await afterStart('after', async (found) => {
      const frames = await framesOf(found);
      expect(frames.slice(0, -1)).toEqual(tens(frames.length - 1));
      const spans = await found.timeline.recordings(CAMERA, it.t0, untilUs);
      expect(spans).toHaveLength(1);
      expect(spans[0]?.fromUnixUs).toBe(it.t0);
      expect(spans[0]?.toUnixUs).toBeGreaterThanOrEqual(untilUs);
      expect(await found.timeline.deletions({ limit: 10 })).toEqual([]);
    });
    await it.bury();
  },
);

test('what a new chunk holds is not given up where its disk is slow first and then hangs', async () => {
  const it = await new HungRig().open();
  // What was written can be read, and its file is not safe.
  it.disk.hang(join(directory, 'one'), ['sync-directory']);
  await it.record(12);
  expect(it.failures).toEqual([]);
  it.disk.answer();
  await it.close();
  expect(await afterStart('after', framesOf)).toEqual(tens(6));
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
  const open: ChunkFiles['open'] = async (path, mode) => {
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
  };
  const groupsOf = ({ timeline }: Found) => timeline.groups(CAMERA, 'main', ALL);
  const groups = await afterStart('after', groupsOf, { files: { ...nodeFiles, open } });
  const starts = groups.map(({ startUnixUs }) => startUnixUs);
  expect(starts.length).toBeGreaterThanOrEqual(7);
  expect(new Set(starts).size).toBe(starts.length);
  await it.bury();
});

const STEPS = ['create', 'write', 'sync-directory', 'sync', 'read', 'truncate', 'close', 'remove'] as const; // prettier-ignore

// Stories of which most once lost time unsaid.
test.each([5, 7, 10, 36, 50, 54])(
  'whatever hangs and answers, each moment is in a group without a hole or in a gap of the disk: %i',
  async (seed) => {
    const random = seededRandom(seed * 7919);
    const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
    const [frames, bytes] = pick([[10, 20_000], [15, 700_000]] as const); // prettier-ignore
    const it = await new HungRig(pick([undefined, 6_000_000])).open(frames, bytes);
    await it.record(pick([0, 0.4, 3, 7.4]));
    for (let round = 0; round < 2; round++) {
      const steps = STEPS.filter(() => random() < 0.7);
      it.disk.hang(join(directory, pick(['one', 'two'])), steps, { isDone: random() < 0.3 });
      await it.record(pick([0.4, 2.2, 8, 11]));
      if (random() < 0.8) it.disk.answer();
      await it.record(pick([0, 0.4, 2.2, 8]));
      it.disk.answer();
    }
    const lastedUs = it.clock.nowUnixUs() - it.t0;
    await it.close();
    const spans = await afterStart('after', async (found) => {
      await framesOf(found);
      const gaps = await found.timeline.gaps(CAMERA, it.t0, it.t0 + lastedUs);
      const groups = await found.timeline.groups(CAMERA, 'main', ALL);
      return [
        ...gaps.map(({ startUnixUs, endUnixUs = Infinity, reason }) => {
          expect(reason).toBe('disk-too-slow');
          return [startUnixUs - it.t0, endUnixUs - it.t0] as const;
        }),
        ...groups.map(({ startUnixUs, durationUs, frameCount }) => {
          expect(durationUs).toBe(frameCount * 200_000);
          return [startUnixUs - it.t0, startUnixUs - it.t0 + durationUs] as const;
        }),
      ].sort(([a], [b]) => a - b);
    });
    let untilUs = 0;
    for (const [fromUs, toUs] of spans) {
      expect(fromUs).toBeLessThanOrEqual(untilUs);
      untilUs = Math.max(untilUs, toUs);
    }
    expect(untilUs).toBeGreaterThanOrEqual(lastedUs);
  },
);
