// Decoding times out of presentation times: the n-th smallest, late by the reorder depth.

/** Strictly increasing for any input. */
export class DecodeTimes {
  readonly #reorderFrames: number;
  readonly #window: number[] = [];
  #warmUp = 0;
  #last = -Infinity;

  constructor(reorderFrames: number) {
    this.#reorderFrames = Math.min(reorderFrames, 16);
  }

  /** `frame90k` is the frame duration that is assumed while nothing better is known. */
  next(pts90k: number, frame90k: number): number {
    const depth = this.#reorderFrames;
    let dts = pts90k;
    if (depth > 0) {
      insert(this.#window, pts90k);
      if (this.#window.length > depth) {
        dts = this.#window.shift() ?? pts90k;
      } else {
        dts = (this.#window[0] ?? pts90k) - (depth - this.#warmUp) * frame90k;
        this.#warmUp += 1;
      }
    }
    this.#last = Math.max(dts, this.#last + 1);
    return this.#last;
  }

  /** Frames are missing: what follows begins with a key frame. */
  reset(): void {
    this.#window.length = 0;
    this.#warmUp = 0;
  }
}

function insert(sorted: number[], value: number): void {
  let at = sorted.length;
  while (at > 0 && (sorted[at - 1] ?? 0) > value) at -= 1;
  sorted.splice(at, 0, value);
}
