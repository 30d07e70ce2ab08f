// The gate: what is kept around movement, and what of it when the detector cannot be trusted.

import { FakeClock } from '#base/testing';
import type { VideoFormat } from '#media';
import { TrackGate, type GatePolicy } from './gate.js';
import { SlabPool } from './slab-pool.js';
import { TrackRecord } from './track-record.js';

const S = 1_000_000;
const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 1,
  height: 1,
  parameterSets: [],
  codecString: '',
  reorderFrames: 0,
};

function rig(policy: GatePolicy = 'motion', groupSeconds = 2) {
  const clock = new FakeClock(0);
  const pool = new SlabPool(0);
  const kept: number[] = [];
  const changes: [boolean, number][] = [];
  const gate = new TrackGate({
    clock,
    policy,
    preRollMs: 5000,
    postRollMs: 10_000,
    onKeep: (record) => kept.push(record.startUnixUs / S),
    onChange: (keeping, atUnixUs) => changes.push([keeping, atUnixUs / S]),
  });
  let second = 0;
  /** Records of one second each. */
  const run = (seconds: number, bytes = 1000) => {
    for (let index = 0; index < seconds; index++, second++) {
      clock.advance(1000);
      const startsGroup = second % groupSeconds === 0;
      const record = new TrackRecord({
        pool,
        startsGroup,
        format: FORMAT,
        expectedBytes: 1000,
      });
      record.reserve(bytes);
      record.startUnixUs = second * S;
      record.frames.addNal(1);
      record.frames.endFrame(startsGroup, 90_000, 0);
      gate.offer(record);
      record.release();
    }
  };
  const motion = (moving: boolean, at: number) => gate.motion(moving, at * S);
  return { gate, pool, kept, changes, run, motion };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('a still scene keeps nothing and holds no more than the pre-roll', () => {
  const it = rig();
  it.gate.setDetector('ok');
  it.run(600);
  expect(it.kept).toEqual([]);
  expect(it.changes).toEqual([]);
  expect(it.pool.usedBytes).toBeLessThan(12 * 33_000);
  it.gate.close();
  expect(it.pool.usedBytes).toBe(0);
});

test('movement keeps the pre-roll from its key frame and the post-roll', () => {
  const it = rig();
  it.gate.setDetector('ok');
  it.run(60);
  it.motion(true, 59.5);
  it.run(5);
  it.motion(false, 63.5);
  it.run(60);
  // 59.5 - 5 falls into the group of 54; 63.5 + 10 into the record of 73.
  expect(it.kept).toEqual(range(54, 74));
  expect(it.changes).toEqual([[true, 54], [false, 74]]); // prettier-ignore
});

test('movement again during the post-roll goes on without a seam', () => {
  const it = rig();
  it.gate.setDetector('ok');
  it.run(20);
  it.motion(true, 19);
  it.run(3);
  it.motion(false, 22);
  it.run(5);
  it.motion(true, 27);
  it.motion(false, 28);
  it.run(40);
  expect(it.kept).toEqual(range(14, 38));
  expect(it.changes).toHaveLength(2);
});

test('movement again within a group that was cut short continues it', () => {
  const it = rig('motion', 100);
  it.gate.setDetector('ok');
  it.run(20);
  it.motion(true, 19);
  it.motion(false, 20);
  it.run(15);
  expect(it.kept).toEqual(range(0, 30));
  it.run(3);
  it.motion(true, 37);
  it.run(2);
  expect(it.kept).toEqual(range(0, 40));
});

test('a group that never ends is kept when memory holds no more of it, not held without bound', () => {
  const MB = 1024 * 1024;
  const it = rig('motion', 10_000);
  it.gate.setDetector('ok');
  it.run(200, 2 * MB);
  expect(it.gate.ringBytes).toBeLessThan(110 * MB);
  expect(it.kept).toEqual(range(0, it.kept.length));
  expect(it.kept.length).toBeGreaterThan(100);
  // What was kept and what is held follow each other: movement continues it without a hole.
  it.motion(true, 200);
  it.run(1, 2 * MB);
  expect(it.kept).toEqual(range(0, 201));
  it.gate.close();
  expect(it.gate.ringBytes).toBe(0);
});

test('movement before the first record is kept from the first record on', () => {
  const it = rig();
  it.gate.setDetector('ok');
  it.motion(true, 0);
  it.run(5);
  expect(it.kept).toEqual(range(0, 5));
});

test.each(['behind', 'failed'] as const)(
  'a detector that is %s keeps everything until it is back',
  (state) => {
    const it = rig();
    it.gate.setDetector('ok');
    it.run(30);
    it.gate.setDetector(state);
    expect(it.gate.keepsForDetector).toBe(true);
    it.run(30);
    it.gate.setDetector('ok');
    it.run(60);
    expect(it.kept[0]).toBeLessThanOrEqual(25);
    expect(it.kept.at(-1)).toBe(69);
    expect(it.gate.keepsForDetector).toBe(false);
  },
);

test('a detector that does not begin is waited for, and nothing is lost meanwhile', () => {
  const it = rig();
  it.run(15);
  expect(it.kept).toEqual([]);
  it.run(10);
  expect(it.kept).toEqual(range(0, 25));
});

test('continuous keeps everything from the first key frame', () => {
  const it = rig('always');
  it.run(10);
  expect(it.kept).toEqual(range(0, 10));
  expect(it.changes).toEqual([[true, 0]]);
});

test('off keeps nothing, and begins again with a key frame', () => {
  const it = rig('always');
  it.run(5);
  it.gate.setPolicy('never');
  expect(it.changes).toEqual([[true, 0], [false, 5]]); // prettier-ignore
  it.run(4);
  it.gate.setPolicy('always');
  it.run(3);
  expect(it.kept).toEqual([...range(0, 5), 10, 11]);
  expect(it.changes.at(-1)).toEqual([true, 10]);
});

test('from continuous to motion it ends at once when nothing moves, and goes on when something does', () => {
  const still = rig('always');
  still.gate.setDetector('ok');
  still.run(5);
  still.gate.setPolicy('motion');
  still.run(5);
  expect(still.kept).toEqual(range(0, 5));
  const moving = rig('always');
  moving.gate.setDetector('ok');
  moving.run(5);
  moving.motion(true, 4);
  moving.gate.setPolicy('motion');
  moving.run(5);
  expect(moving.kept).toEqual(range(0, 10));
  expect(moving.changes).toEqual([[true, 0]]);
});
