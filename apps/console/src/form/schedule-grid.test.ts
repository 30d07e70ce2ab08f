import { isWhole, paint, toSchedule, toWeekGrid, WEEK_HOURS } from './schedule-grid.js';

test('entries become hours and hours become the same entries', () => {
  const schedule = [
    { fromMinute: 0, toMinute: 480, mode: 'continuous' as const },
    { fromMinute: 480, toMinute: 540, mode: 'off' as const },
    { fromMinute: 9960, toMinute: 10_080, mode: 'motion' as const },
  ];
  const grid = toWeekGrid(schedule);
  expect(grid).toHaveLength(WEEK_HOURS);
  expect(grid[7]).toBe('continuous');
  expect(grid[8]).toBe('off');
  expect(grid[9]).toBeUndefined();
  expect(toSchedule(grid)).toEqual(schedule);
});

test('an hour takes what covers at least half of it', () => {
  const grid = toWeekGrid([{ fromMinute: 0, toMinute: 90, mode: 'off' }]);
  expect([grid[0], grid[1], grid[2]]).toEqual(['off', 'off', undefined]);
  expect(isWhole([{ fromMinute: 0, toMinute: 90, mode: 'off' }])).toBe(false);
  expect(isWhole(undefined)).toBe(true);
});

test('painting fills a rectangle of days and hours, drawn in any direction', () => {
  const empty = toWeekGrid(undefined);
  const painted = paint(empty, { from: 2 * 24 + 10, to: 8 }, 'continuous');
  expect(toSchedule(painted)).toEqual([
    { fromMinute: 480, toMinute: 660, mode: 'continuous' },
    { fromMinute: 1920, toMinute: 2100, mode: 'continuous' },
    { fromMinute: 3360, toMinute: 3540, mode: 'continuous' },
  ]);
  expect(toSchedule(paint(painted, { from: 0, to: 167 }, undefined))).toEqual([]);
});
