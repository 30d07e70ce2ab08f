// What a probe measures of frames, whatever a camera does with them.

import { ProbeSink } from './probe-sink.js';

interface Shown {
  readonly at90k: number;
  readonly bytes: number;
  readonly key?: boolean;
  readonly recovers?: boolean;
}

const KEY = 0x65;
const DELTA = 0x41;
const SEI = 0x06;

function measure(frames: readonly Shown[]) {
  const sink = new ProbeSink('h264');
  for (const { at90k, bytes, key = false, recovers = false } of frames) {
    if (recovers) {
      sink.beginNal(SEI);
      sink.appendNal(Uint8Array.of(6, 1, 0x80), 0, 3);
    }
    sink.beginNal(key ? KEY : DELTA);
    sink.appendNal(new Uint8Array(bytes), 0, bytes);
    sink.endFrame(at90k);
  }
  return sink.measures();
}

/** `seconds` of 10 pictures a second; key frames where `isKey` says so. */
function film(seconds: number, isKey: (frame: number) => boolean, deltaBytes = 2000): Shown[] {
  return Array.from({ length: seconds * 10 }, (_, frame) => {
    const key = isKey(frame);
    return { at90k: frame * 9000, bytes: key ? 40_000 : deltaBytes, key };
  });
}

test('groups of one length, and rates mean and peak', () => {
  const found = measure(film(8, (frame) => frame % 20 === 0));
  expect(found).toMatchObject({
    fps: 10,
    frames: 80,
    keyFrames: 4,
    groups: { minSeconds: 2, medianSeconds: 2, maxSeconds: 2, count: 3 },
    hasBFrames: false,
    gradualRefresh: false,
    emptyFrameShare: 0,
  });
  // A second with a key frame in it has the most.
  expect(found.peakBitrate).toBe((40_005 + 9 * 2005) * 8);
  expect(found.bitrate).toBe(Math.round(((4 * 40_005 + 76 * 2005) * 8) / 8));
});

test('groups that differ, with frames that say next to nothing: a smart codec at rest', () => {
  const keys = new Set([0, 20, 120, 140]);
  const found = measure(film(15, (frame) => keys.has(frame), 60));
  expect(found.groups).toEqual({ minSeconds: 2, medianSeconds: 2, maxSeconds: 10, count: 3 });
  expect(found.emptyFrameShare).toBe(1);
});

test('frames in another order than they are shown in', () => {
  const order = [0, 3, 1, 2, 6, 4, 5];
  expect(measure(order.map((at) => ({ at90k: at * 9000, bytes: 100 }))).hasBFrames).toBe(true);
});

test('recovery points without key frames are gradual refresh', () => {
  const frames = film(3, () => false).map((one, at) => ({ ...one, recovers: at % 10 === 0 }));
  expect(measure(frames)).toMatchObject({ keyFrames: 0, gradualRefresh: true });
  const withKeys = frames.map((one, at) => ({ ...one, key: at % 10 === 0 }));
  expect(measure(withKeys).gradualRefresh).toBe(false);
});

test('one frame and none measure nothing', () => {
  expect(measure([])).toMatchObject({ frames: 0, fps: 0, bitrate: 0, peakBitrate: 0 });
  expect(measure([{ at90k: 0, bytes: 9, key: true }])).toMatchObject({ fps: 0, keyFrames: 1 });
});
