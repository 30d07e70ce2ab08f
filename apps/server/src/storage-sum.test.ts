// Several recorders on one disk: the disk counts once, a camera with footage on two is one camera.

import type { Storage } from '#contract';
import { addUpStorage } from './storage-sum.js';

const GATE = '00000000-0000-4000-8000-000000000001';
const YARD = '00000000-0000-4000-8000-000000000002';

const NOW = Date.parse('2026-01-10T00:00:00.000Z');

function part(o: {
  path: string;
  device?: string;
  state?: Storage['disks'][number]['state'];
  freeBytes?: number;
  cameras?: Storage['cameras'];
  daysLeft?: number;
}): Storage {
  const { path, device, state = 'ok', freeBytes = 500, cameras = [], daysLeft } = o;
  return {
    disks: [
      {
        path,
        ...(device === undefined ? {} : { device }),
        state,
        ...(state === 'ok' ? {} : { reason: `${path} is ${state}` }),
        sizeBytes: 1000,
        freeBytes,
        footageBytes: 100,
      },
    ],
    watermarks: { lowBytes: 50, criticalBytes: 25, stopBytes: 10 },
    cameras,
    ...(daysLeft === undefined ? {} : { daysLeft }),
    nextDeletions: [],
    scrubs: [],
    warmTiers: [],
  };
}

const use = (id: string, bytes: number, bytesPerDay: number, day: number) => ({
  ...{ id, bytes, chunks: 1, bytesPerDay, retentionDays: 30 },
  oldest: `2026-01-0${day}T00:00:00.000Z`,
  newest: `2026-01-0${day + 1}T00:00:00.000Z`,
});

test('two recorders on one disk share its space, its worst state and its days', () => {
  const sum = addUpStorage(
    [
      {
        recorder: 'one',
        answer: part({
          ...{ path: '/data/store', device: 'box:1', daysLeft: 5 },
          cameras: [use(GATE, 70, 100, 3)],
        }),
      },
      {
        recorder: 'two',
        answer: part({
          ...{ path: '/data/store/two', device: 'box:1', state: 'low', freeBytes: 490 },
          ...{ daysLeft: 4.9 },
          cameras: [use(GATE, 30, 999, 1), use(YARD, 100, 96, 2)],
        }),
      },
    ],
    (camera) => (camera === GATE ? 'one' : 'two'),
    NOW,
  );
  expect(sum.disks).toEqual([
    {
      ...{ path: '/data/store', device: 'box:1', state: 'low', reason: '/data/store/two is low' },
      ...{ sizeBytes: 1000, freeBytes: 490, footageBytes: 200 },
    },
  ]);
  // What a camera brings is what its present recorder says, and both fill the same 490 bytes.
  expect(sum.daysLeft).toBeCloseTo(490 / 196);
  expect(sum.cameras).toEqual([
    {
      ...{ id: GATE, bytes: 100, chunks: 2, bytesPerDay: 100, retentionDays: 30 },
      ...{ oldest: '2026-01-01T00:00:00.000Z', newest: '2026-01-04T00:00:00.000Z' },
    },
    use(YARD, 100, 96, 2),
  ]);
});

test('disks of different machines stay two, and the first to fill up tells the days', () => {
  const sum = addUpStorage(
    [
      { recorder: 'one', answer: part({ path: '/data/store', device: 'box:1', daysLeft: 9 }) },
      { recorder: 'two', answer: part({ path: '/data/store', device: 'crate:1', daysLeft: 4 }) },
      { recorder: 'three', answer: part({ path: '/data/store' }) },
    ],
    () => undefined,
    NOW,
  );
  expect(sum.disks).toHaveLength(3);
  expect(sum.daysLeft).toBe(4);
});

test('two that share a disk fill it together: days and what goes next follow from both', () => {
  const watermarks = { lowBytes: 100, criticalBytes: 50, stopBytes: 20 };
  const camera = (id: string, forecastDays: number) => ({
    ...{ ...use(id, 100, 20, 1), forecastDays, limitedBy: 'age' as const },
    ...{ brings: [{ kind: 'all' as const, bytesPerDay: 20, days: 30 }] },
  });
  const alone = (id: string, at: string): Storage => {
    const told = part({ path: '/data/store', device: 'box:1', cameras: [camera(id, 30)] });
    return {
      ...{ ...told, disks: told.disks.map((disk) => ({ ...disk, watermarks })) },
      nextDeletions: [{ camera: id, at, bytes: 10, rule: 'disk-space' }],
    };
  };
  const sum = addUpStorage(
    [
      { recorder: 'one', answer: alone(GATE, '2026-01-30T00:00:00.000Z') },
      { recorder: 'two', answer: alone(YARD, '2026-01-10T00:00:00.000Z') },
    ],
    (id) => (id === GATE ? 'one' : 'two'),
    NOW,
  );
  // 200 of footage and 400 above the low mark, at 40 a day.
  expect(sum.cameras.map(({ forecastDays = 0 }) => Math.round(forecastDays))).toEqual([15, 15]);
  expect(sum.cameras.map(({ limitedBy }) => limitedBy)).toEqual(['disk-space', 'disk-space']);
  expect(sum.nextDeletions.map(({ at }) => at)).toEqual([
    '2026-01-10T00:00:00.000Z',
    '2026-01-20T00:00:00.000Z',
  ]);
  expect(sum).not.toHaveProperty('stopsInDays');
});
