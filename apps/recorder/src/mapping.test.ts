// What crosses the recorder's door: regions as cells, gaps as a header of bounded length.

import { gapsHeader, regionCells } from './mapping.js';

function cellsOf(region: readonly [number, number, number, number]): number[] {
  const bits = regionCells(region, 16, 9);
  return Array.from({ length: 144 }, (_, cell) => cell).filter(
    (cell) => ((bits[cell >> 3] ?? 0) >> (cell & 7)) & 1,
  );
}

test('a region is the cells that it touches', () => {
  expect(cellsOf([0, 0, 1, 1])).toHaveLength(144);
  expect(cellsOf([0, 0, 1 / 16, 1 / 9])).toEqual([0]);
  expect(cellsOf([0.5, 0.5, 0.01, 0.01])).toEqual([72]);
  expect(cellsOf([15.5 / 16, 8.5 / 9, 0.5 / 16, 0.5 / 9])).toEqual([143]);
  expect(cellsOf([0.9 / 16, 0, 0.2 / 16, 0.1])).toEqual([0, 1]);
});

test('the header of gaps does not grow without end', () => {
  expect(gapsHeader([])).toBeUndefined();
  const gaps = Array.from({ length: 500 }, (_, index) => ({
    fromUnixUs: index * 10_000_000,
    toUnixUs: index * 10_000_000 + 5_000_000,
    reason: 'no-motion',
  }));
  const items = gapsHeader(gaps)?.split(', ') ?? [];
  expect(items).toHaveLength(101);
  expect(items[0]).toBe('1970-01-01T00:00:00.000Z/1970-01-01T00:00:05.000Z;no-motion');
  expect(items[100]).toBe('1970-01-01T00:16:40.000Z/1970-01-01T01:23:15.000Z;several');
});
