// Gathers changed tiles that touch into blobs, and weighs them.

export interface Blob {
  readonly tiles: Int32Array;
  /** How far its tiles lie above the threshold, summed. */
  readonly score: number;
}

export interface BlobRules {
  /** A tile takes part from this strength on. */
  readonly low: number;
  /** At least one tile must reach this. */
  readonly high: number;
  /** No tile counts for more than this. */
  readonly cap: number;
  readonly leastTiles: number;
}

export class BlobFinder {
  readonly #columns: number;
  readonly #rows: number;
  readonly #seen: Uint8Array;
  readonly #stack: Int32Array;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#seen = new Uint8Array(columns * rows);
    this.#stack = new Int32Array(columns * rows);
  }

  /**
   * Blobs of tiles whose `strength` reaches `rules.low`, touching also by corners. The strength of
   * tiles that do not take part is zero.
   */
  find(strength: Float32Array, rules: BlobRules): Blob[] {
    const seen = this.#seen.fill(0);
    const blobs: Blob[] = [];
    for (let tile = 0; tile < seen.length; tile++) {
      if (seen[tile] === 1 || (strength[tile] as number) < rules.high) continue;
      const blob = this.#grow(tile, strength, rules);
      if (blob.tiles.length >= rules.leastTiles) blobs.push(blob);
    }
    return blobs;
  }

  #grow(start: number, strength: Float32Array, rules: BlobRules): Blob {
    const columns = this.#columns;
    const seen = this.#seen;
    const stack = this.#stack;
    let score = 0;
    let taken = 0;
    let size = 1;
    stack[0] = start;
    seen[start] = 1;
    // The stack is never popped, only read on: at the end it is the list of the blob's tiles.
    while (taken < size) {
      const tile = stack[taken++] as number;
      score += Math.min(strength[tile] as number, rules.cap) - rules.low;
      const column = tile % columns;
      const row = (tile - column) / columns;
      for (let y = Math.max(0, row - 1); y <= Math.min(this.#rows - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
          const next = y * columns + x;
          if (seen[next] === 1 || (strength[next] as number) < rules.low) continue;
          seen[next] = 1;
          stack[size++] = next;
        }
      }
    }
    return { tiles: stack.slice(0, size), score };
  }
}
