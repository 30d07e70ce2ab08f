import { retryDelayMs } from './retry-delay.js';

test('doubles up to ten seconds and never more', () => {
  const at = (attempt: number) => retryDelayMs(attempt, () => 0);
  expect([0, 1, 2, 3, 4, 5, 50].map(at)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  expect(retryDelayMs(0, () => 1)).toBe(400);
});
