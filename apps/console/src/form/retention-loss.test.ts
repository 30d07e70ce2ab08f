import { retentionLoss } from './retention-loss.js';

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 10, 21);
const usage = {
  id: 'a',
  bytes: 100e9,
  chunks: 1,
  oldest: new Date(now - 20 * DAY_MS).toISOString(),
  newest: new Date(now).toISOString(),
  bytesPerDay: 5e9,
  retentionDays: 30,
};

test('halving twenty days loses ten days and about half of the bytes', () => {
  const loss = retentionLoss(usage, 10, now);
  expect(loss?.toMs).toBe(now - 10 * DAY_MS);
  expect(loss?.bytes).toBeCloseTo(50e9, -6);
});

test('nothing goes when all of it is younger, or when there is nothing', () => {
  expect(retentionLoss(usage, 21, now)).toBeUndefined();
  expect(retentionLoss(undefined, 1, now)).toBeUndefined();
  expect(retentionLoss({ ...usage, oldest: undefined }, 1, now)).toBeUndefined();
  expect(retentionLoss(usage, Number.NaN, now)).toBeUndefined();
});

test('footage that stopped long ago goes as a whole', () => {
  const old = { ...usage, newest: new Date(now - 15 * DAY_MS).toISOString() };
  expect(retentionLoss(old, 10, now)?.bytes).toBe(100e9);
});
