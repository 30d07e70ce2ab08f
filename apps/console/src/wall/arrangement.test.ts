import {
  arrange,
  DEFAULT_ARRANGEMENT,
  gridOf,
  neighbour,
  pageOf,
  readArrangement,
  swap,
} from './arrangement.js';

test('saved order first, then the rest by name, without the hidden and the deleted', () => {
  const arrangement = { grid: 'auto' as const, order: ['c', 'gone', 'a'], hidden: ['d'] };
  expect(arrange(['a', 'b', 'c', 'd'], arrangement)).toEqual(['c', 'a', 'b']);
});

test('torn storage gives the default', () => {
  expect(readArrangement(null)).toBe(DEFAULT_ARRANGEMENT);
  expect(readArrangement('{"grid":')).toBe(DEFAULT_ARRANGEMENT);
  expect(readArrangement('{"grid":"9","order":[],"hidden":[]}')).toBe(DEFAULT_ARRANGEMENT);
});

test('the automatic grid is as small as it can be', () => {
  const size = (count: number) => {
    const { columns, rows } = gridOf('auto', count);
    return `${columns}x${rows}`;
  };
  expect([0, 1, 2, 3, 4, 5, 7, 10, 13, 40].map(size)).toEqual([
    '1x1',
    '1x1',
    '2x1',
    '2x2',
    '2x2',
    '3x2',
    '3x3',
    '4x3',
    '4x4',
    '4x4',
  ]);
  expect(gridOf('3', 1)).toEqual({ columns: 3, rows: 3 });
});

test('pages stay in range', () => {
  expect(pageOf(['a', 'b', 'c'], 2, 9)).toEqual({ pages: 2, current: 1, ids: ['c'] });
  expect(pageOf([], 4, 0)).toEqual({ pages: 1, current: 0, ids: [] });
});

test('tiles swap and arrows stop at edges', () => {
  expect(swap(['a', 'b', 'c'], 'a', 'c')).toEqual(['c', 'b', 'a']);
  expect(neighbour(0, 'ArrowLeft', { count: 4, columns: 2 })).toBe(0);
  expect(neighbour(0, 'ArrowDown', { count: 4, columns: 2 })).toBe(2);
  expect(neighbour(2, 'ArrowDown', { count: 4, columns: 2 })).toBe(2);
});
