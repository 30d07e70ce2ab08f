// When disks are full, and what then remains, against sums done by hand.

import type { SpaceUser } from './space-forecast.js';
import { forecastStorage, reachByKind, type StorageUse } from './storage-forecast.js';

const user = (id: string, rest: Partial<SpaceUser> = {}): SpaceUser => ({
  ...{ id, inflows: [{ bytesPerDay: 20, days: 30 }], givesSpace: true, ...rest },
});
const disk = { freeBytes: 500, lowBytes: 100, stopBytes: 20 };
const forecast = (use: Partial<StorageUse>) =>
  forecastStorage({ users: [user('a')], disks: [disk], footageBytes: 0, warm: [], ...use });

test('users of the same disks fill them together', () => {
  const users = [user('a'), user('b')];
  const { reach, ...days } = forecast({ users, footageBytes: 200 });
  // 200 of footage and 400 above the low mark, at 40 a day.
  expect(reach.get('a')?.days).toBeCloseTo(15, 6);
  expect(reach.get('b')).toEqual(reach.get('a'));
  expect(days).toEqual({ daysLeft: 12.5, lowInDays: 10, stopsInDays: undefined });
  const two = forecast({ users, disks: [disk, { ...disk, freeBytes: 50 }], footageBytes: 200 });
  // The second is low: 50 less above the mark, 50 more in all.
  expect(two).toMatchObject({ daysLeft: 13.75, lowInDays: 8.75 });
});

test('what must stay and does not fit stops recording at the reserve', () => {
  const keeper = user('a', { givesSpace: false });
  expect(forecast({ users: [keeper] })).toMatchObject({ lowInDays: 20, stopsInDays: 24 });
  expect(forecast({ users: [keeper], footageBytes: 200 }).stopsInDays).toBeUndefined();
  const full = [{ ...disk, freeBytes: 10 }];
  expect(forecast({ users: [keeper], disks: full })).toMatchObject({
    lowInDays: 0,
    stopsInDays: 0,
  });
});

test('a warm tier holds more; of several on the same directories the room counts once', () => {
  const reach = (warm: StorageUse['warm']) => forecast({ warm }).reach.get('a')?.days ?? 0;
  expect(reach([])).toBeCloseTo(20, 6);
  expect(reach([{ bytes: 40, roomBytes: 60 }])).toBeCloseTo(25, 6);
  expect(
    reach([
      { bytes: 20, roomBytes: 60 },
      { bytes: 20, roomBytes: 80 },
    ]),
  ).toBeCloseTo(25, 6);
  // One that takes nothing promises nothing.
  expect(reach([{ bytes: 100 }])).toBeCloseTo(20, 6);
});

test('while nothing comes nothing is foretold', () => {
  const idle = user('a', { inflows: [{ bytesPerDay: 0, days: 30 }] });
  const { reach, daysLeft, stopsInDays } = forecast({ users: [idle], disks: [] });
  expect([daysLeft, stopsInDays]).toEqual([undefined, undefined]);
  expect(reach.get('a')).toEqual({ days: Infinity, limitedBy: 'age' });
});

test('each kind reaches as far as its rule and the space let it', () => {
  const bytesPerDay = 1;
  expect(
    reachByKind([{ kind: 'all', bytesPerDay, days: 7 }], { days: 5, limitedBy: 'disk-space' }),
  ).toEqual({ forecastDays: 5, limitedBy: 'disk-space' });
  expect(
    reachByKind(
      [
        { kind: 'all', bytesPerDay, days: 7 },
        { kind: 'motion', bytesPerDay, days: 30 },
        { kind: 'lowres', bytesPerDay, days: 60 },
      ],
      { days: 40, limitedBy: 'disk-space' },
    ),
  ).toEqual({
    ...{ forecastDays: 7, forecastMotionDays: 30, forecastLowresDays: 40 },
    limitedBy: 'disk-space',
  });
});
