// A queue with a bound and a policy, consumed as an async iterable.

export type OverflowPolicy = 'drop-oldest' | 'drop-newest';

export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #bound: number;
  readonly #policy: OverflowPolicy;
  #closed = false;
  #dropped = 0;
  #wake: (() => void) | undefined;

  constructor(bound: number, policy: OverflowPolicy) {
    this.#bound = bound;
    this.#policy = policy;
  }

  get length(): number {
    return this.#items.length;
  }

  /** How many items the bound has cost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Returns false when the item, or an older one in its place, was dropped. */
  push(item: T): boolean {
    if (this.#closed) return false;
    let kept = true;
    if (this.#items.length >= this.#bound) {
      this.#dropped += 1;
      kept = false;
      if (this.#policy === 'drop-newest') return false;
      this.#items.shift();
    }
    this.#items.push(item);
    this.#wake?.();
    return kept;
  }

  /** The next item if one is queued, without waiting. */
  take(): T | undefined {
    return this.#items.shift();
  }

  /** Ends the iteration once what is queued has been read. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }
}
