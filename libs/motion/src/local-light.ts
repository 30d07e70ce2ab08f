// Estimates how the light changed around each tile, so that what is even over a region (a lamp, a
// cloud's edge, a reflection) is not taken for something that moves.

/** A separable box average over the grid; keeps its scratch memory. */
export class LocalLight {
  readonly #columns: number;
  readonly #rows: number;
  readonly #radius: number;
  readonly #rowSums: Float32Array;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#radius = Math.max(2, Math.round(Math.max(columns, rows) / 8));
    this.#rowSums = new Float32Array(columns * rows);
  }

  /** Writes the average of `values` around each tile into `into`; edges use what is there. */
  average(values: Float32Array, into: Float32Array): void {
    const columns = this.#columns;
    const rows = this.#rows;
    const radius = this.#radius;
    const rowSums = this.#rowSums;
    for (let row = 0; row < rows; row++) {
      const base = row * columns;
      let sum = 0;
      for (let column = 0; column < Math.min(radius, columns); column++) {
        sum += values[base + column] as number;
      }
      for (let column = 0; column < columns; column++) {
        if (column + radius < columns) sum += values[base + column + radius] as number;
        if (column - radius - 1 >= 0) sum -= values[base + column - radius - 1] as number;
        const width = Math.min(columns - 1, column + radius) - Math.max(0, column - radius) + 1;
        rowSums[base + column] = sum / width;
      }
    }
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let row = 0; row < Math.min(radius, rows); row++) {
        sum += rowSums[row * columns + column] as number;
      }
      for (let row = 0; row < rows; row++) {
        if (row + radius < rows) sum += rowSums[(row + radius) * columns + column] as number;
        if (row - radius - 1 >= 0) sum -= rowSums[(row - radius - 1) * columns + column] as number;
        const height = Math.min(rows - 1, row + radius) - Math.max(0, row - radius) + 1;
        into[row * columns + column] = sum / height;
      }
    }
  }
}
