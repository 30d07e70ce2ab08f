// Ingest: bytes, groups, times and what becomes of damaged frames.

import type { FrameTable, VideoFormat } from '#media';
import { IngestCounters, TrackIngest, type PublishedFrame } from './ingest.js';
import { SlabPool } from './slab-pool.js';

const H264: VideoFormat = {
  codec: 'h264',
  width: 320,
  height: 240,
  parameterSets: [],
  codecString: 'avc1.42c00a',
  reorderFrames: 0,
};
const T0 = Date.UTC(2026, 0, 1) * 1000;
const FRAME = 3600;

interface SeenRecord {
  startsGroup: boolean;
  endsGroup: boolean;
  startUnixUs: number;
  groupStartUnixUs: number;
  endUnixUs: number;
  startDts90k: number;
  sequence: number;
  durations: number[];
  offsets: number[];
  payload: Buffer;
}

function columns(frames: FrameTable, of: 'durationOf' | 'ctsOffsetOf'): number[] {
  return Array.from({ length: frames.count }, (_, index) => frames[of](index));
}

function rig(format = H264, notBeforeUnixUs = 0) {
  const pool = new SlabPool();
  const counters = new IngestCounters();
  const records: SeenRecord[] = [];
  const frames: { key: boolean; utcUs: number; bytes: Buffer }[] = [];
  const ingest = new TrackIngest({
    run: 1,
    format,
    pool,
    notBeforeUnixUs,
    counters,
    onFrame: (frame: PublishedFrame) =>
      frames.push({
        key: frame.key,
        utcUs: frame.utcUs,
        bytes: Buffer.from(frame.buffer.subarray(frame.start, frame.end)),
      }),
    onRecord: (record) =>
      records.push({
        startsGroup: record.startsGroup,
        endsGroup: record.endsGroup,
        startUnixUs: record.startUnixUs,
        groupStartUnixUs: record.groupStartUnixUs,
        endUnixUs: record.endUnixUs,
        startDts90k: record.startDts90k,
        sequence: record.sequence,
        durations: columns(record.frames, 'durationOf'),
        offsets: columns(record.frames, 'ctsOffsetOf'),
        payload: Buffer.concat(record.pieces.map((p) => p.buffer.subarray(p.start, p.end))),
      }),
  });
  const nal = (header: number, ...bytes: number[]) => {
    ingest.beginNal(header);
    const source = Buffer.from([0xaa, ...bytes, 0xbb]);
    ingest.appendNal(source, 1, 1 + bytes.length);
  };
  /** An access unit as a camera sends it: parameter sets in front of a key frame. */
  const frame = (key: boolean, pts: number, receivedUs = T0 + Math.round((pts * 100) / 9)) => {
    if (key) {
      nal(0x67, 1, 2, 3);
      nal(0x68, 4);
      nal(0x65, 9, 9, 9);
    } else {
      nal(0x41, pts & 255);
    }
    ingest.endFrame(pts, receivedUs);
  };
  return { ingest, pool, counters, records, frames, frame, nal };
}

function stream(of: ReturnType<typeof rig>, count: number, groupFrames: number, from = 0) {
  for (let index = from; index < from + count; index++)
    of.frame(index % groupFrames === 0, index * FRAME);
}

test('cuts records at one second and at every key frame, with nothing lost or doubled', () => {
  const it = rig();
  stream(it, 150, 60);
  it.ingest.end();
  expect(it.records.map((record) => [record.startsGroup, record.durations.length])).toEqual([
    [true, 25], [false, 25], [false, 10], [true, 25], [false, 25], [false, 10], [true, 25], [false, 5],
  ]); // prettier-ignore
  expect(it.records.map((record) => record.sequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(Buffer.concat(it.records.map((record) => record.payload))).toEqual(
    Buffer.concat(it.frames.map((frame) => frame.bytes)),
  );
  for (const [index, record] of it.records.entries()) {
    expect(record.durations.every((duration) => duration === FRAME)).toBe(true);
    const next = it.records[index + 1];
    if (next !== undefined) expect(Math.abs(next.startUnixUs - record.endUnixUs)).toBeLessThan(2);
    expect(record.payload.subarray(0, 5).toString('hex')).toBe(
      record.startsGroup ? '0000000167' : '0000000141',
    );
  }
  expect(it.records[0]?.startUnixUs).toBe(T0);
  expect(it.pool.usedBytes).toBe(0);
});

test.each([60, 50, 25])('says which record ends its group, with groups of %i frames', (frames) => {
  const it = rig();
  stream(it, 3 * frames + 10, frames);
  it.ingest.end();
  const next = it.records.slice(1);
  expect(it.records.slice(0, -1).map(({ endsGroup }) => endsGroup)).toEqual(
    next.map(({ startsGroup }) => startsGroup),
  );
  expect(next.filter(({ startsGroup }) => startsGroup)).toHaveLength(3);
});

test('skips what precedes the first key frame and what follows a dropped frame, and counts it', () => {
  const it = rig();
  it.frame(false, 0);
  stream(it, 10, 50, 50);
  it.nal(0x41, 1);
  it.ingest.dropFrame('packet-lost');
  expect(it.records).toHaveLength(0); // Held back until the clock has settled.
  it.frame(false, 61 * FRAME);
  stream(it, 30, 50, 100);
  it.ingest.end();
  expect(it.counters.dropped).toEqual({ 'before-key-frame': 2, 'packet-lost': 1 });
  expect(it.records.map((record) => record.durations.length)).toEqual([10, 25, 5]);
  expect(it.records[1]?.startsGroup).toBe(true);
  // The hole stays a hole: the last good frame does not last over it.
  expect(it.records[0]?.durations.at(-1)).toBe(FRAME);
  expect(it.pool.usedBytes).toBe(0);
});

test('drops an access unit that is too large and goes on at the next key frame', () => {
  const it = rig();
  stream(it, 5, 50);
  it.ingest.beginNal(0x41);
  const megabyte = Buffer.alloc(1024 * 1024);
  for (let index = 0; index < 9; index++) it.ingest.appendNal(megabyte, 0, megabyte.length);
  it.ingest.endFrame(5 * FRAME, T0 + 200_000);
  stream(it, 5, 50, 50);
  it.ingest.end();
  expect(it.counters.dropped).toEqual({ 'too-large': 1 });
  expect(it.records.map((record) => record.durations.length)).toEqual([5, 5]);
});

test('gives B-frames decoding times that rise and never pass the presentation', () => {
  const it = rig({ ...H264, reorderFrames: 2 });
  // Decoding order of I B-pyramids: presentation 0 4 2 1 3, 8 6 5 7, ...
  const order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11];
  order.forEach((place, index) =>
    it.frame(index === 0, place * FRAME + 90_000, T0 + index * 40_000),
  );
  it.ingest.end();
  const record = it.records[0];
  const dts = (record?.durations ?? []).reduce<number[]>(
    (all, duration) => [...all, (all.at(-1) ?? 0) + duration],
    [record?.startDts90k ?? 0],
  );
  order.forEach((place, index) => {
    expect((dts[index] ?? 0) + (record?.offsets[index] ?? 0)).toBe(place * FRAME + 90_000);
    expect(record?.offsets[index]).toBeGreaterThanOrEqual(0);
  });
  expect(record?.durations.every((duration) => duration > 0)).toBe(true);
});

test('anchors on the quickest arrivals although the camera begins with a burst of the past', () => {
  const it = rig();
  // Two seconds of the past arrive at once, then frames come as they are taken.
  for (let index = 0; index < 50; index++)
    it.frame(index % 25 === 0, index * FRAME, T0 + index * 100);
  for (let index = 50; index < 100; index++)
    it.frame(index % 25 === 0, index * FRAME, T0 + (index - 49) * 40_000);
  it.ingest.end();
  expect(it.records[0]?.startUnixUs).toBeGreaterThan(T0 - 2_010_000);
  expect(it.records[0]?.startUnixUs).toBeLessThan(T0 - 1_900_000);
});

test('never begins before the end of the run before it', () => {
  const it = rig(H264, T0 + 700_000);
  stream(it, 50, 25);
  it.ingest.end();
  expect(it.records[0]?.startUnixUs).toBe(T0 + 700_000);
  expect(it.records[1]?.startUnixUs).toBeGreaterThanOrEqual(T0 + 1_700_000 - 10_000);
});

test('follows a camera whose clock drifts, by half a millisecond a second', () => {
  const it = rig();
  const drift = 1.0001;
  for (let index = 0; index < 25 * 600; index++) {
    it.frame(index % 50 === 0, index * FRAME, T0 + Math.round(index * 40_000 * drift));
  }
  it.ingest.end();
  const last = it.records.at(-1);
  const trueEnd = T0 + 600 * 1_000_000 * drift;
  expect(Math.abs((last?.endUnixUs ?? 0) - trueEnd)).toBeLessThan(5_000);
  for (const [index, record] of it.records.entries()) {
    const next = it.records[index + 1];
    if (next !== undefined) expect(next.startUnixUs).toBeGreaterThan(record.startUnixUs);
  }
});

test('goes on evenly when the camera sets its clock', () => {
  const it = rig();
  stream(it, 50, 25);
  for (let index = 0; index < 50; index++)
    it.frame(index % 25 === 0, index * FRAME, T0 + (50 + index) * 40_000);
  it.ingest.end();
  expect(it.counters.clockJumps).toBe(1);
  expect(it.records.map((record) => (record.startUnixUs - T0) / 1000)).toEqual([
    0, 1000, 2000, 3000,
  ]);
});

test('hands out a stalled second without waiting for a frame that may never come', () => {
  const it = rig();
  stream(it, 30, 50);
  expect(it.records).toHaveLength(1);
  it.ingest.closeStale(T0 + 30 * 40_000 + 500_000);
  expect(it.records).toHaveLength(1);
  it.ingest.closeStale(T0 + 30 * 40_000 + 1_500_000);
  expect(it.records.map((record) => record.durations.length)).toEqual([25, 5]);
});

test('takes recovery points for key frames where no IDR ever comes', () => {
  const it = rig();
  for (let index = 0; index < 600; index++) {
    if (index % 25 === 0) it.nal(0x06, 6, 1, 0x80);
    it.nal(0x41, 1);
    it.ingest.endFrame(index * FRAME, T0 + index * 40_000);
  }
  it.ingest.end();
  expect(it.records[0]?.startsGroup).toBe(true);
  expect(it.counters.frames).toBeGreaterThan(300);
});

test('applies a new format at the key frame that uses it', () => {
  const it = rig();
  stream(it, 10, 50);
  it.ingest.setFormat({ ...H264, width: 640 });
  expect(it.ingest.openRecord?.format.width).toBe(320);
  stream(it, 10, 50, 50);
  expect(it.ingest.openRecord?.format.width).toBe(640);
  it.ingest.end();
});
