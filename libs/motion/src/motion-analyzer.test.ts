import { fitLight } from './light-fit.js';
import {
  ALL_OF_FIVE,
  GROUP_BEGINNINGS,
  KEY_FRAMES,
  movingTimes,
  SyntheticScene,
  watch,
  type SceneOptions,
  type Thing,
} from './synthetic-scene.test-support.js';

// Jest looks globals up anew each time, which is slow in loops over pixels.
const { exp, floor, max, min, round, sin } = Math;

const SAMPLINGS = [
  ['five a second', ALL_OF_FIVE],
  ['the beginnings of groups', GROUP_BEGINNINGS],
  ['key frames', KEY_FRAMES],
] as const;
const FROM_S = 8;

/** Walks along a line at so many pixels a second, from `FROM_S` on. */
function walker(o: {
  width: number;
  height: number;
  luma: number;
  speed: number;
  y?: number;
}): Thing {
  const at = (timeS: number) => {
    const x = 10 + (timeS - FROM_S) * o.speed;
    return timeS < FROM_S || x > 310 ? undefined : ([x, o.y ?? 120] as const);
  };
  return { width: o.width, height: o.height, luma: o.luma, at };
}

const step = (from: number, to: number) => (timeS: number) => (timeS >= FROM_S ? to : from);
const flash = (to: number, lastsS: number) => (timeS: number) =>
  timeS >= FROM_S && timeS < FROM_S + lastsS ? to : 0;

describe('nothing moves', () => {
  const quiet: [string, SceneOptions][] = [
    ['without noise', {}],
    ['with the noise of a night', { noise: 15 }],
    ['while the sun goes', { noise: 2, gain: (t) => 1 - 0.4 * min(1, t / 16) }],
    ['while clouds pass', { noise: 2, gain: (t) => 1 + 0.25 * sin(t / 3) }],
    [
      'while the exposure is set in steps',
      { noise: 2, gain: (t) => 1 + 0.06 * (floor(t / 3) % 4) },
    ],
    ['in a short flash', { noise: 2, offset: flash(80, 0.25) }],
    ['in a long flash', { noise: 2, offset: flash(60, 1.5) }],
    ['when it is white for a moment', { noise: 2, offset: flash(250, 0.5) }],
    ['when the light goes on', { noise: 2, gain: step(0.12, 1) }],
    ['when the light goes off', { noise: 2, gain: step(1, 0.35) }],
    [
      'when the camera changes its tone curve',
      { noise: 2, shade: (l, _x, _y, t) => (t < FROM_S ? l : 255 * (max(0, l) / 255) ** 0.7) },
    ],
    [
      "when a cloud's shadow crosses",
      {
        noise: 2,
        shade: (l, x, _y, t) => l * (1 - 0.3 / (1 + exp(-(t * 15 - x) / 30))),
      },
    ],
    [
      'when one tile is hot',
      {
        noise: 2,
        shade: (l, x, y, t) =>
          x >= 100 && x < 104 && y >= 60 && y < 64 && floor(t * 5) % 3 === 0 ? 250 : l,
      },
    ],
    [
      'when key frames are coded differently',
      {
        noise: 2,
        shade: (l, x, y, t) => (round(t * 10) % 20 === 0 ? l + 4 * sin(x / 3) * sin(y / 3) : l),
      },
    ],
  ];
  test.each(quiet)('%s', (_name, options) => {
    for (const [, sampling] of SAMPLINGS) {
      const seen = watch(new SyntheticScene(options), { untilS: 14, sampling });
      expect(movingTimes(seen)).toEqual([]);
    }
  });

  test('leaves that keep moving are learned', () => {
    const shade = (l: number, x: number, y: number, t: number) =>
      y < 70 && x < 90 ? l + 14 * sin(t * 2.1 + x / 6) * sin(y / 5 + t * 1.3) : l;
    const seen = watch(new SyntheticScene({ noise: 2, shade }), { untilS: 36 });
    expect(movingTimes(seen).filter((timeS) => timeS > 20)).toEqual([]);
  });
});

describe('something moves', () => {
  const dark = { width: 6, height: 14, luma: 60, speed: 20 };
  const moving: [string, SceneOptions][] = [
    ['a far walker', { noise: 2, things: [walker(dark)] }],
    [
      'a very small walker',
      { noise: 2, things: [walker({ ...dark, width: 4, height: 10, luma: 40 })] },
    ],
    ['a walker of little contrast', { noise: 2, things: [walker({ ...dark, luma: 120 })] }],
    ['a walker at night', { noise: 8, things: [walker(dark)] }],
    ['a walker at dusk', { noise: 2, gain: () => 0.3, things: [walker(dark)] }],
    ['a walker before a hedge', { noise: 2, things: [walker({ ...dark, luma: 40, y: 50 })] }],
    [
      'a walker under clouds',
      { noise: 2, gain: (t) => 1 + 0.25 * sin(t / 3), things: [walker(dark)] },
    ],
    ['a slow creeper', { noise: 2, things: [walker({ ...dark, width: 8, height: 18, speed: 2 })] }],
    ['a runner', { noise: 2, things: [walker({ ...dark, width: 8, height: 18, speed: 60 })] }],
    ['a lorry', { noise: 2, things: [walker({ width: 180, height: 150, luma: 60, speed: 40 })] }],
  ];
  test.each(moving)('%s is seen in time', (_name, options) => {
    for (const [, sampling] of SAMPLINGS) {
      const seen = watch(new SyntheticScene(options), { untilS: 13, sampling });
      const times = movingTimes(seen);
      expect(times[0]).toBeGreaterThanOrEqual(FROM_S);
      expect(times[0]).toBeLessThanOrEqual(FROM_S + 4);
    }
  });

  test.each(SAMPLINGS)(
    'an ordinary walker is reported throughout, seen by %s',
    (_name, sampling) => {
      const scene = new SyntheticScene({ noise: 2, things: [walker(dark)] });
      const seen = watch(scene, { untilS: 27, sampling });
      const during = seen.filter(({ timeS }) => timeS >= FROM_S + 0.5 && timeS <= FROM_S + 14.5);
      expect(during.filter(({ sample }) => !sample.moving)).toEqual([]);
      expect(movingTimes(seen).at(-1)).toBeLessThan(FROM_S + 16.5);
      for (const { sample } of during) expect(sample.level).toBeGreaterThan(0.5);
    },
  );

  test('the cells are where it moves', () => {
    const scene = new SyntheticScene({ noise: 2, things: [walker({ ...dark, y: 130 })] });
    const at = watch(scene, { untilS: 17 }).find(({ timeS }) => timeS === 16);
    const cells = Array.from({ length: 144 }, (_, cell) => cell).filter(
      (cell) => ((at?.sample.cells[cell >> 3] ?? 0) >> (cell & 7)) & 1,
    );
    // It stands at x 170, y 130 of 320x180: column 8, row 6.
    expect(cells).toContain(6 * 16 + 8);
    expect(cells.length).toBeLessThanOrEqual(6);
    expect(at?.sample.cells).toHaveLength(18);
  });

  test('what comes and stays is absorbed, and seen again when it goes', () => {
    const at = (timeS: number) => {
      const drivenS = min(4, max(0, timeS - FROM_S)) + max(0, timeS - 40);
      return timeS < FROM_S ? undefined : ([10 + 30 * drivenS, 120] as const);
    };
    const scene = new SyntheticScene({
      noise: 2,
      things: [{ width: 40, height: 20, luma: 60, at }],
    });
    const times = movingTimes(watch(scene, { untilS: 55 }));
    expect(times.some((timeS) => timeS < FROM_S + 1)).toBe(true);
    expect(times.filter((timeS) => timeS > 16 && timeS < 40)).toEqual([]);
    expect(times.some((timeS) => timeS >= 40 && timeS < 41.5)).toBe(true);
    expect(times.filter((timeS) => timeS > 52)).toEqual([]);
  });

  test('a flash does not hide who walks', () => {
    const offset = (timeS: number) => (timeS >= FROM_S - 1 && timeS < FROM_S - 0.6 ? 80 : 0);
    const scene = new SyntheticScene({ noise: 2, offset, things: [walker(dark)] });
    expect(movingTimes(watch(scene, { untilS: 12 }))[0]).toBeLessThan(FROM_S + 2);
  });
});

describe('settings', () => {
  const right = [
    [0.6, 0],
    [1, 0],
    [1, 1],
    [0.6, 1],
  ] as const;
  const scene = () =>
    new SyntheticScene({
      noise: 2,
      things: [walker({ width: 6, height: 14, luma: 60, speed: 20 })],
    });

  test('a zone and a mask say where to look', () => {
    const sensitivity = 0.5;
    const zoned = movingTimes(
      watch(scene(), { untilS: 25, settings: { sensitivity, zones: [right] } }),
    );
    // It enters the zone, at 60 % of 320 pixels, nine seconds after it came.
    expect(zoned[0]).toBeGreaterThan(FROM_S + 8);
    expect(zoned[0]).toBeLessThan(FROM_S + 11);
    const masked = movingTimes(
      watch(scene(), { untilS: 25, settings: { sensitivity, masks: [right] } }),
    );
    expect(masked[0]).toBeLessThan(FROM_S + 2);
    expect(masked.at(-1)).toBeLessThan(FROM_S + 11);
  });

  test('sensitivity shifts what is seen', () => {
    const faint = () =>
      new SyntheticScene({
        noise: 2,
        things: [walker({ width: 5, height: 10, luma: 138, speed: 20 })],
      });
    const seen = [0, 0.5, 1].map(
      (sensitivity) =>
        movingTimes(watch(faint(), { untilS: 18, settings: { sensitivity } })).length,
    );
    expect(seen[0]).toBeLessThan(seen[1] ?? 0);
    expect(seen[1]).toBeLessThan(seen[2] ?? 0);
  });
});

describe('fitLight', () => {
  const before = Float32Array.from({ length: 4000 }, (_, tile) => 40 + ((tile * 37) % 150));
  const none = new Uint8Array(before.length);

  test('finds gain and offset, though a third of the picture is something else', () => {
    const now = before.map((luma, tile) => (tile % 3 === 0 ? 90 : luma * 1.2 - 12));
    const found = fitLight(now, before, none);
    expect(found?.gain).toBeCloseTo(1.2, 1);
    expect(found?.offset).toBeCloseTo(-12, 0);
  });

  test('says that it does not know when most of the picture is something else', () => {
    const now = before.map((_, tile) => (tile * 101) % 233);
    expect(fitLight(now, before, none)).toBeUndefined();
  });
});
