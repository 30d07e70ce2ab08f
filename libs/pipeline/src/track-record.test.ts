// The pieces of a record: what is laid in comes out, frame by frame and as a whole, and room is little.

import type { VideoFormat } from '#media';
import { TrackHub } from './hub.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { SlabPool } from './slab-pool.js';
import { PIECE_BYTES, TrackRecord } from './track-record.js';

const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 1920,
  height: 1080,
  parameterSets: [],
  codecString: '',
  reorderFrames: 0,
};
const T0 = Date.UTC(2026, 0, 1) * 1000;

function rig() {
  const pool = new SlabPool(0);
  const hub = new TrackHub();
  const sent: Buffer[] = [];
  const published: Buffer[] = [];
  const records: Buffer[] = [];
  const ingest = new TrackIngest({
    run: 1,
    format: FORMAT,
    pool,
    notBeforeUnixUs: 0,
    counters: new IngestCounters(),
    onFrame: (frame) => {
      published.push(Buffer.from(frame.buffer.subarray(frame.start, frame.end)));
      hub.publish(frame);
    },
    onRecord: (record) => {
      const { buffer, payloadStart, payloadEnd, rest } = record;
      const payload = Buffer.concat([buffer.subarray(payloadStart, payloadEnd), ...rest]);
      expect(payload.length).toBe(record.payloadBytes);
      expect(payload.length).toBe(record.frames.payloadBytes);
      records.push(payload);
    },
  });
  let random = 7;
  const next = (below: number) => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  let index = 0;
  const unit = (header: number, bytes: number): Buffer => {
    const body = Buffer.alloc(bytes, 1 + next(255));
    ingest.beginNal(header);
    for (let at = 0; at < bytes; at += 1400) {
      ingest.appendNal(body, at, Math.min(bytes, at + 1400));
    }
    return Buffer.concat([Buffer.from([0, 0, 0, 1, header]), body]);
  };
  /** Frames of 40 ms, a key frame behind its sets every two seconds. */
  const frame = (bytes: number) => {
    const key = index % 50 === 0;
    const sets = key ? [unit(0x67, 20), unit(0x68, 4)] : [];
    sent.push(Buffer.concat([...sets, unit(key ? 0x65 : 0x41, bytes)]));
    ingest.endFrame(index * 3600, T0 + index * 40_000);
    index += 1;
  };
  return { pool, hub, ingest, sent, published, records, next, frame };
}

test('frames of any size come out as they came, at once, from the hot group, and in the record', () => {
  const it = rig();
  const most = [900, 30_000, 140_000, 700_000];
  for (let frame = 0; frame < 400; frame++) {
    it.frame(1 + it.next(most[Math.floor(frame / 100)] ?? 1));
    if (frame % 7 !== 0) continue;
    const hot: Buffer[] = [];
    const leave = it.hub.subscribe({
      onFormat: () => undefined,
      onFrame: ({ buffer, start, end }) => hot.push(Buffer.from(buffer.subarray(start, end))),
    });
    leave();
    expect(Buffer.concat(hot).equals(Buffer.concat(it.sent.slice(-1 - (frame % 50))))).toBe(true);
  }
  expect(it.published.every((bytes, at) => bytes.equals(it.sent[at] ?? bytes))).toBe(true);
  expect(it.published).toHaveLength(400);
  it.hub.endRun();
  it.ingest.end();
  expect(Buffer.concat(it.records).equals(Buffer.concat(it.sent))).toBe(true);
  expect([it.pool.usedBytes, it.pool.payloadBytes]).toEqual([0, 0]);
});

test('a frame that is dropped in the middle of a piece leaves nothing behind', () => {
  const it = rig();
  for (let frame = 0; frame < 20; frame++) it.frame(20_000);
  it.ingest.beginNal(0x41);
  for (let packet = 0; packet < 200; packet++) it.ingest.appendNal(Buffer.alloc(1400), 0, 1400);
  it.ingest.dropFrame('packet-lost');
  it.hub.endRun();
  it.ingest.end();
  expect(Buffer.concat(it.records).equals(Buffer.concat(it.sent))).toBe(true);
  expect(it.pool.usedBytes).toBe(0);
});

test('room is a piece at most, whatever a second brings', () => {
  const it = rig();
  for (let frame = 0; frame < 275; frame++) {
    it.frame(20_000);
    const payloadBytes = it.pool.payloadBytes;
    // Of two records the last pieces, of each piece the end that its next frame did not fit into.
    const roomBytes = 2 * PIECE_BYTES + payloadBytes / 4;
    expect(it.pool.usedBytes).toBeLessThan(payloadBytes + roomBytes);
  }
});

test('what comes behind the expected end costs no whole piece', () => {
  const pool = new SlabPool(0);
  const expectedBytes = 540_000;
  const record = new TrackRecord({ pool, startsGroup: true, format: FORMAT, expectedBytes });
  for (let frame = 0; frame < 25; frame++) {
    record.reserve(21_000);
    record.piece.end += 21_000;
  }
  expect(record.payloadBytes).toBe(525_000);
  expect(record.pieces).toHaveLength(3);
  expect(record.sizeBytes).toBeLessThan(525_000 + PIECE_BYTES / 2);
  record.release();
});

test('a unit that outgrows its piece grows alone, behind the room for the header', () => {
  const pool = new SlabPool(0);
  const record = new TrackRecord({ pool, startsGroup: true, format: FORMAT, expectedBytes: 0 });
  const start = record.payloadStart;
  let unitStart = start;
  for (let packet = 0; packet < 500; packet++) {
    unitStart = record.reserve(1000, unitStart);
    record.piece.buffer.fill(packet & 255, record.piece.end, record.piece.end + 1000);
    record.piece.end += 1000;
  }
  expect([unitStart, record.payloadStart, record.rest.length]).toEqual([start, start, 0]);
  expect(record.payloadBytes).toBe(500_000);
  for (let packet = 0; packet < 500; packet++) {
    expect(record.buffer[start + packet * 1000 + 999]).toBe(packet & 255);
  }
  // The next one does not fit behind it.
  const next = record.reserve(400_000);
  expect([next, record.pieces.length]).toEqual([0, 2]);
  record.release();
  expect([pool.usedBytes, pool.payloadBytes]).toEqual([0, 0]);
});
