// Fills outlines: how much of each pixel of a row lies inside a polygon.

const SAMPLES = 4;

/** One polygon in pixels; `row` is filled anew by each call of `coverRow`. */
export class Outline {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly row: Float32Array;
  readonly #xs: readonly number[];
  readonly #ys: readonly number[];

  constructor(
    points: readonly (readonly [number, number])[],
    scale: number,
    size: { readonly width: number; readonly height: number },
  ) {
    this.#xs = points.map(([x]) => x * scale);
    this.#ys = points.map(([, y]) => y * scale);
    this.left = Math.max(0, Math.floor(Math.min(...this.#xs)));
    this.right = Math.min(size.width - 1, Math.ceil(Math.max(...this.#xs)));
    this.top = Math.max(0, Math.floor(Math.min(...this.#ys)));
    this.bottom = Math.min(size.height - 1, Math.ceil(Math.max(...this.#ys)));
    this.row = new Float32Array(size.width);
  }

  /** The cover of row `y`, 0 to 1, in `row` from `left` to `right`. */
  coverRow(y: number): Float32Array {
    this.row.fill(0);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const crossings = this.#crossingsAt(y + (sample + 0.5) / SAMPLES);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        this.#addSpan(crossings[i] ?? 0, crossings[i + 1] ?? 0);
      }
    }
    return this.row;
  }

  #crossingsAt(y: number): number[] {
    const xs = this.#xs;
    const ys = this.#ys;
    const found: number[] = [];
    for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
      const yi = ys[i] ?? 0;
      const yj = ys[j] ?? 0;
      if (yi > y === yj > y) continue;
      const xi = xs[i] ?? 0;
      found.push((((xs[j] ?? 0) - xi) * (y - yi)) / (yj - yi) + xi);
    }
    return found.sort((a, b) => a - b);
  }

  #addSpan(from: number, to: number): void {
    const first = Math.max(this.left, Math.floor(from));
    const last = Math.min(this.right, Math.floor(to));
    for (let x = first; x <= last; x++) {
      const part = Math.min(to, x + 1) - Math.max(from, x);
      if (part > 0) this.row[x] = Math.min(1, (this.row[x] ?? 0) + part / SAMPLES);
    }
  }
}
