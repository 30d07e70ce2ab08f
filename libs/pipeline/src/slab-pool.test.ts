// Memory is used again: recording in a steady state takes nothing from the system.

import { SlabPool } from './slab-pool.js';

test('what was in use at the peak is kept and used again', () => {
  const pool = new SlabPool(0);
  const sizes = Array.from({ length: 60 }, (_, index) => 200_000 + index * 11_000);
  let known: Set<Buffer> | undefined;
  for (let round = 0; round < 5; round++) {
    const taken = sizes.map((size) => pool.take(size));
    for (const [index, buffer] of taken.entries()) {
      expect(buffer.length).toBeGreaterThanOrEqual(sizes[index] ?? 0);
    }
    expect(new Set(taken).size).toBe(sizes.length);
    const fresh = taken.filter((buffer) => known?.has(buffer) === false);
    expect(fresh).toEqual([]);
    known = new Set([...(known ?? []), ...taken]);
    for (const buffer of taken) pool.give(buffer);
  }
  expect(pool.usedBytes).toBe(0);
});

test('a peak that does not come again is given back in time', () => {
  const pool = new SlabPool(0);
  const peak = Array.from({ length: 100 }, () => pool.take(1_000_000));
  for (const buffer of peak) pool.give(buffer);
  const before = pool.freeBytes;
  for (let turn = 0; turn < 50_000; turn++) pool.give(pool.take(1_000_000));
  expect(pool.freeBytes).toBeLessThan(before / 5);
  const rest = Array.from({ length: 100 }, () => pool.take(1_000_000));
  for (const buffer of rest) pool.give(buffer);
  expect(pool.usedBytes).toBe(0);
});
