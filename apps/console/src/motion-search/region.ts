// The searched part of a picture: whole cells of the motion grid, written as the door wants it.

import { CELL_COLUMNS, CELL_ROWS } from '#contract';

/** Cells from `column`, `row` on; both sizes are at least 1. */
export interface CellRegion {
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

const cellAt = (share: number, count: number): number =>
  Math.max(0, Math.min(count - 1, Math.floor(share * count)));

/** The cells between two points of the picture (0..1), in any order. */
export function regionBetween(
  a: readonly [number, number],
  b: readonly [number, number],
): CellRegion {
  const columns = [cellAt(a[0], CELL_COLUMNS), cellAt(b[0], CELL_COLUMNS)];
  const rows = [cellAt(a[1], CELL_ROWS), cellAt(b[1], CELL_ROWS)];
  const column = Math.min(...columns);
  const row = Math.min(...rows);
  return {
    column,
    row,
    columns: Math.max(...columns) - column + 1,
    rows: Math.max(...rows) - row + 1,
  };
}

/** `x,y,w,h` in 0..1; undefined for the whole picture. */
export function regionQuery(region: CellRegion | undefined): string | undefined {
  if (region === undefined) return undefined;
  const whole = region.columns === CELL_COLUMNS && region.rows === CELL_ROWS;
  if (whole) return undefined;
  return [
    region.column / CELL_COLUMNS,
    region.row / CELL_ROWS,
    region.columns / CELL_COLUMNS,
    region.rows / CELL_ROWS,
  ]
    .map((value) => value.toFixed(5))
    .join(',');
}

/** The rectangle of a cell by its index, in cells. */
export const cellPlace = (index: number): { column: number; row: number } => ({
  column: index % CELL_COLUMNS,
  row: Math.floor(index / CELL_COLUMNS),
});
