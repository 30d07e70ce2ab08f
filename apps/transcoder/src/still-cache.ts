// Stills that were taken lately, in memory: bounded by bytes, the least used go first.

export class StillCache {
  readonly #maxBytes: number;
  readonly #stills = new Map<string, Buffer>();
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  find(key: string): Buffer | undefined {
    const still = this.#stills.get(key);
    if (still === undefined) return undefined;
    this.#stills.delete(key);
    this.#stills.set(key, still);
    return still;
  }

  put(key: string, still: Buffer): void {
    this.#remove(key);
    this.#stills.set(key, still);
    this.#sizeBytes += still.length;
    for (const oldest of this.#stills.keys()) {
      if (this.#sizeBytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#sizeBytes -= this.#stills.get(key)?.length ?? 0;
    this.#stills.delete(key);
  }
}
