// A short queue between the side that decodes and the side that encodes, so that both work at once.

/** Items are owned by the pipe from `push` until they come out; `discard` ends those that never do. */
export class PicturePipe<T> {
  readonly #items: T[] = [];
  readonly #bound: number;
  readonly #discard: (item: T) => void;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(bound: number, discard: (item: T) => void) {
    this.#bound = bound;
    this.#discard = discard;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Waits while the pipe is full. False when nobody will take the item, which is then discarded. */
  async push(item: T): Promise<boolean> {
    while (this.#items.length >= this.#bound && !this.#ended) await this.#change();
    if (this.#ended) {
      this.#discard(item);
      return false;
    }
    this.#items.push(item);
    this.#notify();
    return true;
  }

  /** The next item, which is then the caller's; undefined after the last. */
  async take(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#ended) await this.#change();
    const item = this.#items.shift();
    this.#notify();
    return item;
  }

  /** No more comes in; what is inside may still be taken. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** No more comes in, and what is inside is discarded. */
  destroy(): void {
    this.end();
    for (const item of this.#items.splice(0)) this.#discard(item);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
