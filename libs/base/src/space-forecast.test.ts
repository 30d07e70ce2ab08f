// Forecasts against sums done by hand.

import { fitsAtLeast, forecastReach, type SpaceUser } from './space-forecast.js';

const user = (id: string, rest: Partial<SpaceUser> = {}): SpaceUser => ({
  ...{ id, inflows: [{ bytesPerDay: 10, days: 30 }], givesSpace: true, ...rest },
});

const reach = (users: SpaceUser[], capacity: number) =>
  Object.fromEntries(
    [...forecastReach(users, capacity)].map(([id, { days, limitedBy }]) => [
      id,
      [days === Infinity ? days : Number(days.toFixed(6)), limitedBy],
    ]),
  );

test('with room for all, age decides', () => {
  expect(reach([user('a'), user('b')], 600)).toEqual({
    a: [Infinity, 'age'],
    b: [Infinity, 'age'],
  });
});

test('without, all that give reach equally far back', () => {
  expect(reach([user('a'), user('b')], 400)).toEqual({
    a: [20, 'disk-space'],
    b: [20, 'disk-space'],
  });
  // What one keeps by its rules the others give.
  const keeper = user('b', { givesSpace: false });
  expect(reach([user('a'), keeper], 400)).toEqual({ a: [10, 'disk-space'], b: [Infinity, 'age'] });
  const young = user('b', { minDays: 25 });
  expect(reach([user('a'), young], 400)).toEqual({
    a: [15, 'disk-space'],
    b: [25, 'disk-space'],
  });
});

test('what is kept shorter leaves its room to what is kept longer', () => {
  // 80 a day for 7 days, 10 for 30 where something moved, 1 for 90 in low resolution.
  const inflows = [
    { bytesPerDay: 80, days: 7 },
    { bytesPerDay: 10, days: 30 },
    { bytesPerDay: 1, days: 90 },
  ];
  const all = 560 + 300 + 90;
  expect(reach([user('a', { inflows })], all)).toEqual({ a: [Infinity, 'age'] });
  // 40 too few: low resolution reaches 50 days; 100 too few: movement loses days, too.
  expect(reach([user('a', { inflows })], all - 40)).toEqual({ a: [50, 'disk-space'] });
  expect(reach([user('a', { inflows })], all - 71)).toEqual({ a: [29, 'disk-space'] });
  expect(reach([user('a', { inflows, maxBytes: all - 40 })], 1e9)).toEqual({
    a: [50, 'camera-bytes'],
  });
});

test('the narrower of its own bytes and the disks holds; a camera that brings nothing has no limit', () => {
  expect(reach([user('a', { maxBytes: 100 }), user('b')], 350)).toEqual({
    a: [10, 'camera-bytes'],
    b: [25, 'disk-space'],
  });
  const inflows = [{ bytesPerDay: 0, days: 30 }];
  expect(reach([user('a', { inflows }), user('b')], 100)).toEqual({
    a: [Infinity, 'age'],
    b: [10, 'disk-space'],
  });
});

test('what may not go for space may not fit', () => {
  const users = [user('a', { givesSpace: false }), user('b', { minDays: 5 })];
  expect(fitsAtLeast(users, 350)).toBe(true);
  expect(fitsAtLeast(users, 349)).toBe(false);
});
