import { WallClock } from './wall-clock.js';

const base = 1_700_000_000_000;
const clock = new WallClock([
  { startS: 0, durationS: 4, wallMs: base },
  { startS: 4, durationS: 4, wallMs: base + 4030 },
  { startS: 8, durationS: 2, wallMs: base + 60_000 },
]);

test('player time becomes wall time, across a gap too', () => {
  expect(clock.toWallMs(0)).toBe(base);
  expect(clock.toWallMs(5.5)).toBe(base + 5530);
  expect(clock.toWallMs(8)).toBe(base + 60_000);
  expect(clock.toWallMs(99)).toBe(base + 62_000);
  expect(clock.toWallMs(-1)).toBe(base);
});

test('wall time becomes player time, and a gap is skipped and said', () => {
  expect(clock.toMedia(base + 1500)).toEqual({ mediaS: 1.5, skippedMs: 0 });
  expect(clock.toMedia(base + 30_000)).toEqual({ mediaS: 8, skippedMs: 30_000 });
  expect(clock.toMedia(base - 5000)).toEqual({ mediaS: 0, skippedMs: 5000 });
  expect(clock.toMedia(base + 62_000)).toBeUndefined();
});

test('jitter between slices is no gap', () => {
  expect(clock.toMedia(base + 4010)).toEqual({ mediaS: 4, skippedMs: 0 });
});

test('both ways agree inside a slice', () => {
  for (const mediaS of [0, 1.25, 3.99, 4.5, 9.5]) {
    expect(clock.toMedia(clock.toWallMs(mediaS) ?? 0)?.mediaS).toBeCloseTo(mediaS, 6);
  }
});

test('an empty window has no times', () => {
  const empty = new WallClock([]);
  expect(empty.startMs).toBeUndefined();
  expect(empty.endMs).toBeUndefined();
  expect(empty.toWallMs(1)).toBeUndefined();
  expect(empty.toMedia(1)).toBeUndefined();
});
