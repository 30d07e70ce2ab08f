import { motionQuerySchema } from '#contract';
import { cellPlace, regionBetween, regionQuery } from './region.js';

test('a drag in any direction covers whole cells', () => {
  const region = { column: 4, row: 1, columns: 4, rows: 4 };
  expect(regionBetween([0.26, 0.12], [0.48, 0.5])).toEqual(region);
  expect(regionBetween([0.48, 0.5], [0.26, 0.12])).toEqual(region);
  expect(regionBetween([0.999, 0.999], [2, 2])).toEqual({
    column: 15,
    row: 8,
    columns: 1,
    rows: 1,
  });
});

test('every region is one that the door accepts', () => {
  for (let column = 0; column < 16; column += 1) {
    for (let row = 0; row < 9; row += 1) {
      const region = regionQuery({ column, row, columns: 16 - column, rows: 9 - row });
      const query = {
        cameras: '8c5ac9d4-5a2e-4c3e-9c43-0c4e1d6d3a11',
        from: 0,
        to: 1000,
        ...(region === undefined ? {} : { region }),
      };
      expect(motionQuerySchema.safeParse(query).success).toBe(true);
    }
  }
});

test('the whole picture is no region', () => {
  expect(regionQuery(undefined)).toBeUndefined();
  expect(regionQuery({ column: 0, row: 0, columns: 16, rows: 9 })).toBeUndefined();
  expect(cellPlace(17)).toEqual({ column: 1, row: 1 });
});
