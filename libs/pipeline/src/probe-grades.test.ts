// What a probe says of what it measured, in the words that people read.

import { gradeProbe } from './probe.js';

type Found = Parameters<typeof gradeProbe>[0];

const FOUND: Found = {
  format: {
    codec: 'h264',
    width: 1920,
    height: 1080,
    parameterSets: [],
    codecString: 'avc1.640028',
    reorderFrames: 0,
    nominalFps: 15,
  },
  durationMs: 6000,
  frames: 90,
  keyFrames: 3,
  fps: 15,
  bitrate: 4_000_000,
  peakBitrate: 5_000_000,
  groupSeconds: 2,
  groups: { minSeconds: 2, medianSeconds: 2, maxSeconds: 2, count: 2 },
  hasBFrames: false,
  gradualRefresh: false,
  emptyFrameShare: 0,
  audio: 'PCMA',
  audioRate: 8000,
  lostPackets: 0,
  dropped: {},
  clockOffsetMs: 120,
};

function graded(change: Partial<Found>, declared: Parameters<typeof gradeProbe>[1] = {}) {
  const { grade, advice, items } = gradeProbe({ ...FOUND, ...change }, declared);
  return {
    grade,
    advice,
    worse: items
      .filter((item) => item.grade !== 'good')
      .map((item) => `${item.item} ${item.grade}`),
  };
}

function groupsOf(minSeconds: number, medianSeconds: number, maxSeconds: number): Partial<Found> {
  return {
    groupSeconds: maxSeconds,
    groups: { minSeconds, medianSeconds, maxSeconds, count: 3 },
  };
}

/** Fewer than two key frames came. */
function withoutGroups(): Found {
  const fields = Object.entries(FOUND).filter(([name]) => !name.startsWith('group'));
  return Object.fromEntries(fields) as unknown as Found;
}

test('a camera as it should be has every item good and no advice', () => {
  expect(graded({})).toEqual({ grade: 'good', advice: [], worse: [] });
  expect(gradeProbe(FOUND).items.map(({ item, found }) => `${item}: ${found}`)).toEqual([
    'codec: H.264 (avc1.640028)',
    'size: 1920×1080',
    'frame-rate: 15 a second, 15 declared',
    'group-length: 2 s',
    'smart-codec: none seen',
    'bitrate: 4.0 Mbit/s, at most 5.0',
    'audio: PCMA, 8 kHz',
    'clock: 120 ms off',
    'frame-order: no B-frames',
  ]);
});

test('long groups are told with their length and what to set', () => {
  expect(graded(groupsOf(10, 10, 10))).toEqual({
    grade: 'usable',
    advice: ['groups are 10 s long: seeking will be coarse; set the I-frame interval to 2 s'],
    worse: ['group-length fair'],
  });
  expect(graded(groupsOf(14, 14, 14)).worse).toEqual(['group-length poor']);
  const without = withoutGroups();
  const single = gradeProbe({ ...without, keyFrames: 1, durationMs: 15_000 });
  expect(single.advice[0]).toMatch(/^groups are longer than 15 s: /);
  expect(graded(groupsOf(0.07, 0.07, 0.07)).worse).toEqual(['group-length fair']);
});

test('without a key frame a camera cannot be recorded', () => {
  const without = withoutGroups();
  const none = gradeProbe({ ...without, keyFrames: 0 });
  expect(none.grade).toBe('unusable');
  expect(none.advice[0]).toBe('no key frame came within 6 s: set the I-frame interval to 2 s');
  const refresh = gradeProbe({ ...without, keyFrames: 0, gradualRefresh: true });
  expect(refresh.grade).toBe('unusable');
  expect(refresh.advice[0]).toMatch(/bit by bit/);
});

test('a smart codec shows by uneven groups, by longer ones than are set, or by empty frames', () => {
  expect(graded(groupsOf(2, 2, 12)).worse).toEqual(['group-length poor', 'smart-codec fair']);
  expect(graded(groupsOf(4, 4, 4), { groupFrames: 30, fps: 15 }).worse).toEqual([
    'smart-codec fair',
  ]);
  expect(graded(groupsOf(2, 2, 2), { groupFrames: 30, fps: 15 }).worse).toEqual([]);
  expect(graded({ ...groupsOf(8, 8, 8), emptyFrameShare: 0.9 }).worse).toEqual([
    'group-length fair',
    'smart-codec fair',
  ]);
  // A still scene is no smart codec.
  expect(graded({ emptyFrameShare: 1 }).worse).toEqual([]);
});

test.each<[string, Partial<Found>, string, RegExp]>([
  ['slow', { fps: 3 }, 'frame-rate poor', /only 3 pictures a second/],
  [
    'slower than declared',
    { fps: 9 },
    'frame-rate fair',
    /declares 15 pictures a second and sends 9/,
  ],
  ['heavy', { bitrate: 20e6, peakBitrate: 30e6 }, 'bitrate fair', /20 Mbit\/s is much/],
  ['bursting', { peakBitrate: 50e6 }, 'bitrate fair', /come in one second/],
  [
    'odd sound',
    { audio: 'G726-32', audioFault: 'the camera sends G726-32' },
    'audio fair',
    /not recorded: the camera sends G726-32/,
  ],
  ['clock', { clockOffsetMs: -90_000 }, 'clock poor', /90 s behind.*NTP/],
  ['years', { clockOffsetMs: 3 * 31_557_600_000 }, 'clock poor', /3 years ahead/],
  ['B-frames', { hasBFrames: true }, 'frame-order fair', /delay the live picture/],
  ['loss', { lostPackets: 9, dropped: { 'packet-lost': 3 } }, 'loss poor', /use TCP/],
  [
    'small',
    { format: { ...FOUND.format, width: 320, height: 180 } },
    'size fair',
    /show that somebody was there/,
  ],
])('%s', (_name, change, worse, advice) => {
  const result = graded(change);
  expect(result.worse).toEqual([worse]);
  expect(result.advice).toEqual([expect.stringMatching(advice)]);
  expect(result.grade).toBe('usable');
});

test('the worst advice comes first', () => {
  const { advice } = graded({ hasBFrames: true, clockOffsetMs: 120_000 });
  expect(advice[0]).toMatch(/clock/);
  expect(advice[1]).toMatch(/B-frames/);
});
