// Sound on its way to disk: records of a second, on the picture's time, kept with the picture.

import { aacFormat, plainAudioFormat, type AudioFormat } from '#media';
import { AudioGate } from './audio-gate.js';
import { AudioIngest, AudioIngestCounters, type AudioRecord } from './audio-ingest.js';
import { SlabPool } from './slab-pool.js';

const S = 1_000_000;
const T0 = 1_800_000_000 * S;
const AAC = aacFormat(Buffer.from('1210', 'hex')) as AudioFormat;
const PCMA = plainAudioFormat('pcma', 8000, 1);

function rig(format = PCMA, videoUnixUs: (pts: number) => number | undefined = () => T0) {
  const pool = new SlabPool(0);
  const counters = new AudioIngestCounters();
  const records: {
    startUs: number;
    endUs: number;
    frames: number;
    sequence: number;
    bytes: Buffer;
    ticks: number;
  }[] = [];
  const ingest = new AudioIngest({
    run: 7,
    format,
    pool,
    notBeforeUnixUs: 0,
    counters,
    videoUnixUs,
    onRecord: (record) =>
      records.push({
        startUs: record.startUnixUs - T0,
        endUs: record.endUnixUs - T0,
        frames: record.frames.count,
        sequence: record.sequence,
        bytes: Buffer.from(record.buffer.subarray(record.payloadStart, record.payloadEnd)),
        ticks: record.frames.duration90k,
      }),
  });
  let next = 0;
  /** 20 ms packets of G.711 from 50 s on the camera's clock, arriving as they are sent. */
  const send = (count: number, lateUs = 0) => {
    for (let index = 0; index < count; index++, next++) {
      const bytes = Buffer.alloc(160, next);
      ingest.frame(bytes, 0, 160, {
        pts90k: 4_500_000 + next * 1800,
        receivedAtUnixUs: T0 + next * 20_000 + lateUs,
      });
    }
  };
  return { ingest, records, counters, pool, send, skip: (count: number) => (next += count) };
}

test('a second of sound is a record, exact in time, and every byte is there', () => {
  const it = rig();
  it.send(175);
  it.ingest.end();
  expect(it.records.map(({ startUs, frames, sequence }) => [startUs, frames, sequence])).toEqual([
    [0, 50, 0],
    [S, 50, 1],
    [2 * S, 50, 2],
    [3 * S, 25, 3],
  ]);
  const all = Buffer.concat(Array.from({ length: 175 }, (_, at) => Buffer.alloc(160, at)));
  expect(Buffer.concat(it.records.map(({ bytes }) => bytes)).equals(all)).toBe(true);
  expect(it.counters).toMatchObject({ frames: 175, bytes: 28_000 });
  expect(it.pool.usedBytes).toBe(0);
});

test('a hole in the sound is a hole in its time', () => {
  const it = rig();
  it.send(60);
  it.skip(30);
  it.send(40);
  it.ingest.end();
  expect(it.records.map(({ startUs, endUs }) => [startUs, endUs])).toEqual([
    [0, S],
    [S, 1_200_000],
    [1_800_000, 2_600_000],
  ]);
});

test('AAC gets ADTS headers, and its odd durations add up', () => {
  const it = rig(AAC);
  for (let unit = 0; unit < 100; unit++) {
    const pts90k = Math.round((unit * 1024 * 90_000) / 44_100);
    it.ingest.frame(Buffer.alloc(300 + unit, unit), 0, 300 + unit, {
      pts90k,
      receivedAtUnixUs: T0 + unit * 23_220,
    });
  }
  it.ingest.end();
  const ticks = it.records.reduce((sum, record) => sum + record.ticks, 0);
  expect(Math.abs(ticks - (100 * 1024 * 90_000) / 44_100)).toBeLessThan(2);
  const bytes = Buffer.concat(it.records.map((record) => record.bytes));
  let at = 0;
  for (let unit = 0; unit < 100; unit++) {
    expect(bytes.readUInt16BE(at)).toBe(0xfff1);
    const length = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    expect(length).toBe(307 + unit);
    expect(bytes[at + 7]).toBe(unit);
    at += length;
  }
  expect(at).toBe(bytes.length);
});

test('a unit that no ADTS header can tell is left out', () => {
  const it = rig(AAC);
  it.ingest.frame(Buffer.alloc(9000), 0, 9000, { pts90k: 0, receivedAtUnixUs: T0 });
  it.ingest.end();
  expect(it.counters.dropped).toEqual({ 'too-large': 1 });
  expect(it.records).toEqual([]);
});

describe('with sender reports', () => {
  // The picture's clock: 90 000 ticks a second from T0 on.
  const picture = (pts90k: number) => T0 + Math.round((pts90k * 100) / 9);

  test('sound lies where the camera took it, not where it arrived', () => {
    const it = rig(PCMA, picture);
    it.ingest.align(-4_500_000 - 27_000);
    it.send(120);
    it.ingest.end();
    expect(it.records.map(({ startUs }) => startUs)).toEqual([-300_000, 700_000, 1_700_000]);
  });

  test('what they tell late is followed in steps that nobody hears', () => {
    const it = rig(PCMA, picture);
    it.send(100);
    it.ingest.align(-4_500_000 - 27_000);
    it.send(2000);
    it.ingest.end();
    it.records.slice(1).forEach(({ startUs }, index) => {
      expect(startUs).toBeGreaterThanOrEqual((it.records[index]?.endUs ?? 0) - 20_000);
    });
    const last = it.records.at(-1);
    // 42 s were sent, taken 0.3 s earlier; what is less than 20 ms off stays.
    expect(last?.endUs).toBeLessThan(41.73 * S);
  });

  test('what cannot be is not believed', () => {
    const it = rig(PCMA, picture);
    it.ingest.align(900_000_000);
    it.send(60);
    it.ingest.end();
    expect(it.records[0]?.startUs).toBe(0);
    expect(it.counters.wrongReports).toBeGreaterThan(0);
  });
});

test('without a picture that tells the time, sound waits a while and then goes by its arrival', () => {
  const it = rig(PCMA, () => undefined);
  it.send(200);
  expect(it.records).toEqual([]);
  it.send(100);
  expect(it.records.length).toBeGreaterThan(3);
  expect(it.records[0]?.startUs).toBe(0);
  it.ingest.end();
});

describe('the gate', () => {
  function gateRig() {
    const pool = new SlabPool(0);
    const kept: [number, boolean][] = [];
    let reachUs = 0;
    const gate = new AudioGate({
      pictureReachesBackToUs: () => reachUs,
      onKeep: ({ startUnixUs, startsGroup }) => kept.push([startUnixUs / S, startsGroup]),
    });
    const ingest = (from: number, to: number) => {
      const collect: AudioRecord[] = [];
      const source = new AudioIngest({
        run: 1,
        format: PCMA,
        pool,
        notBeforeUnixUs: from * S,
        counters: new AudioIngestCounters(),
        videoUnixUs: () => 0,
        onRecord: (record) => collect.push(record.retain()),
      });
      for (let packet = from * 50; packet < to * 50; packet++) {
        source.frame(Buffer.alloc(160), 0, 160, {
          pts90k: packet * 1800,
          receivedAtUnixUs: packet * 20_000,
        });
      }
      source.end();
      for (const record of collect) {
        gate.offer(record);
        record.release();
      }
    };
    return {
      gate,
      pool,
      kept,
      sound: ingest,
      reach: (seconds: number) => (reachUs = seconds * S),
      picture: (from: number, to: number) => gate.keptPicture(from * S, to * S),
    };
  }

  test('keeps no byte while the picture keeps none, and holds no more than its pre-roll', () => {
    const it = gateRig();
    for (let second = 0; second < 100; second++) {
      it.reach(second - 7);
      it.sound(second, second + 1);
    }
    expect(it.kept).toEqual([]);
    expect(it.gate.ringBytes).toBeLessThanOrEqual(9 * 40_000);
    it.gate.close();
    expect(it.pool.usedBytes).toBe(0);
  });

  test('keeps the pre-roll of the picture, and ends where the picture ends', () => {
    const it = gateRig();
    it.sound(0, 20);
    it.picture(12.5, 13.5);
    it.picture(13.5, 14.5);
    expect(it.kept.map(([start]) => start)).toEqual([12, 13, 14]);
    it.sound(20, 30);
    expect(it.kept).toHaveLength(3);
  });

  test('the longest pre-roll has its sound from the group on that it begins with', () => {
    const it = gateRig();
    for (let second = 0; second < 200; second++) {
      // 60 s, what detection is late by at most, and a group of 10 s.
      it.reach(second - 90);
      it.sound(second, second + 1);
    }
    for (let second = 110; second < 200; second++) it.picture(second, second + 1);
    expect(it.kept.map(([start]) => start)).toEqual(Array.from({ length: 90 }, (_, i) => 110 + i));
  });

  test('sound that comes later than its picture is kept too', () => {
    const it = gateRig();
    it.picture(5, 6);
    it.picture(6, 7);
    it.sound(4, 9);
    expect(it.kept.map(([start]) => start)).toEqual([5, 6]);
  });

  test('some seconds are a group; a break begins another', () => {
    const it = gateRig();
    it.picture(0, 100);
    it.sound(0, 25);
    expect(it.kept.filter(([, starts]) => starts).map(([start]) => start)).toEqual([0, 10, 20]);
    it.gate.breakGroup();
    it.sound(25, 26);
    expect(it.kept.at(-1)).toEqual([25, true]);
  });
});
