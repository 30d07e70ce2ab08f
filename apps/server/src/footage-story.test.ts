// The merged story of a camera: nothing of any recorder is lost, nothing is played twice, and a gap is
// where nobody has footage. Over random coverage, and by name.

import type { GapReason } from '#contract';
import { missingFrom, planFootage, tellStory, type CameraTimeline } from './footage-story.js';

const ZERO = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(ZERO + seconds * 1000).toISOString();
const span = (from: number, to: number) => ({ from: at(from), to: at(to) });

function told(
  main: readonly [number, number][],
  gaps: readonly [number, number, GapReason][] = [],
  sub: readonly [number, number][] = [],
): CameraTimeline {
  return {
    id: 'gate',
    recordings: [
      ...main.map(([from, to]) => ({ ...span(from, to), track: 'main' as const })),
      ...sub.map(([from, to]) => ({ ...span(from, to), track: 'sub' as const })),
    ],
    motion: [],
    gaps: gaps.map(([from, to, reason]) => ({ ...span(from, to), reason })),
  };
}

function storyOf(recorders: readonly CameraTimeline[], awaySince?: number): CameraTimeline {
  return tellStory({
    id: 'gate',
    from: ZERO,
    to: ZERO + 100_000,
    now: ZERO + 100_000,
    told: recorders,
    awaySince: awaySince === undefined ? undefined : ZERO + awaySince * 1000,
  });
}

/** A generator with a seed: a failure can be looked at again. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

/** Whole seconds with footage, as runs of random length; holes have at least two seconds. */
function randomCoverage(random: (below: number) => number): [number, number][] {
  const spans: [number, number][] = [];
  for (let from = random(20); from < 100;) {
    const to = Math.min(100, from + 1 + random(30));
    spans.push([from, to]);
    from = to + 2 + random(20);
  }
  return spans;
}

const secondsOf = (spans: readonly { from: string; to: string }[]) => {
  const seconds = new Set<number>();
  for (const { from, to } of spans) {
    for (let ms = Date.parse(from); ms < Date.parse(to); ms += 1000)
      seconds.add((ms - ZERO) / 1000);
  }
  return seconds;
};

test('random coverage of several recorders: the union is there, the rest is gaps, each second is played once', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randoms(seed);
    const recorders = Array.from({ length: 2 + random(3) }, () => told(randomCoverage(random)));
    const union = new Set(recorders.flatMap(({ recordings }) => [...secondsOf(recordings)]));
    const story = storyOf(recorders);
    const recorded = secondsOf(story.recordings);
    expect([seed, [...recorded].sort((a, b) => a - b)]).toEqual([
      seed,
      [...union].sort((a, b) => a - b),
    ]);
    const first = Math.min(...union);
    const last = Math.max(...union);
    const gaps = secondsOf(story.gaps);
    for (let second = 0; second < 100; second++) {
      const inside = second >= first && second <= last;
      expect([seed, second, gaps.has(second)]).toEqual([
        seed,
        second,
        inside && !union.has(second),
      ]);
    }

    const plan = planFootage(
      recorders.map((camera, index) => ({ recorder: String(index), camera })),
      { from: ZERO + 5000, to: ZERO + 90_000 },
    );
    const played = new Set<number>();
    let endMs = 0;
    for (const piece of plan) {
      expect(piece.from).toBeGreaterThanOrEqual(endMs);
      expect(piece.to).toBeGreaterThan(piece.from);
      endMs = piece.to;
      const camera = recorders[Number(piece.recorder)] as CameraTimeline;
      const own = secondsOf(camera.recordings);
      for (let ms = piece.from; ms < piece.to; ms += 1000) {
        const second = (ms - ZERO) / 1000;
        if (!own.has(second)) continue;
        expect(played.has(second)).toBe(false);
        played.add(second);
      }
    }
    const wanted = [...union].filter((second) => second >= 5 && second < 90);
    expect([seed, [...played].sort((a, b) => a - b)]).toEqual([seed, wanted.sort((a, b) => a - b)]);
  }
});

test('a move is no gap; the time between two recorders is, by the reason of whoever knows best', () => {
  const north = told([[0, 30]], [[30, 100, 'moved']]);
  const south = told([[40, 60]], [[60, 100, 'camera-down']]);
  expect(storyOf([south, north]).gaps).toEqual([
    { ...span(30, 40), reason: 'moved' },
    { ...span(60, 100), reason: 'camera-down' },
  ]);
  // Killed at 30 and back at 80: its own word for that time counts where nobody had the camera.
  const killed = told(
    [
      [0, 30],
      [80, 100],
    ],
    [[30, 80, 'restart']],
  );
  const stand = told([[50, 85]], [[85, 100, 'moved']]);
  expect(storyOf([killed, stand])).toMatchObject({
    recordings: [{ ...span(0, 30) }, { ...span(50, 100) }],
    gaps: [{ ...span(30, 50), reason: 'restart' }],
  });
});

test('a recorder that does not answer may have what nobody else explains', () => {
  const south = told([[50, 90]], [[90, 100, 'no-motion']]);
  expect(storyOf([south], 10).gaps).toEqual([
    { ...span(10, 50), reason: 'recorder-away' },
    { ...span(90, 100), reason: 'no-motion' },
  ]);
  expect(storyOf([], 10).gaps).toEqual([{ ...span(10, 95), reason: 'recorder-away' }]);
});

test('of one recorder the story is its own, word by word', () => {
  const alone = told([[0, 30]], [[30, 31, 'network']]);
  expect(storyOf([alone])).toBe(alone);
});

test('motion that two recorders saw is told once', () => {
  const motion = (from: number, to: number, peak: number) => ({ ...span(from, to), peak });
  const north = { ...told([[0, 50]]), motion: [motion(1, 5, 0.5), motion(40, 48, 0.2)] };
  const south = { ...told([[45, 100]]), motion: [motion(45, 52, 0.9)] };
  expect(storyOf([south, north]).motion).toEqual([motion(1, 5, 0.5), motion(40, 52, 0.9)]);
});

test('whoever takes over does so where its own footage begins', () => {
  const plan = (...spans: readonly [number, number][]) =>
    planFootage(
      spans.map((one, index) => ({ recorder: String(index), camera: told([one]) })),
      { from: ZERO, to: ZERO + 100_000 },
    ).map(({ recorder, from, to }) => [recorder, (from - ZERO) / 1000, (to - ZERO) / 1000]);
  // Handed over with a moment of both; then one inside the other; then one after the other.
  expect(plan([0, 35], [30, 60])).toEqual([
    ['0', 0, 30],
    ['1', 30, 60],
  ]);
  expect(plan([0, 90], [30, 60])).toEqual([['0', 0, 90]]);
  expect(plan([0, 20], [30, 60])).toEqual([
    ['0', 0, 20],
    ['1', 30, 60],
  ]);
});

test('the sub track plays where nobody has the main track, and only there', () => {
  const north = told([[0, 20]], [], [[0, 60]]);
  const south = told([[40, 60]]);
  const plan = planFootage(
    [
      { recorder: 'north', camera: north },
      { recorder: 'south', camera: south },
    ],
    { from: ZERO, to: ZERO + 100_000 },
  );
  expect(plan).toEqual([
    { recorder: 'north', from: ZERO, to: ZERO + 40_000 },
    { recorder: 'south', from: ZERO + 40_000, to: ZERO + 60_000 },
  ]);
  const story = storyOf([south, north]);
  const period = { from: ZERO, to: ZERO + 80_000, now: ZERO + 100_000 };
  expect(missingFrom([south, north], story, period)).toEqual([
    { from: ZERO + 60_000, to: ZERO + 80_000, reason: 'unknown' },
  ]);
});
