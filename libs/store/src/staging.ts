// Page-aligned memory through which records go to disk past the page cache.

declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
};

/** What every disk takes as a unit; many take less. */
export const BLOCK_BYTES = 4096;
/** A record larger than a slot goes in pieces. */
export const SLOT_BYTES = 1024 * 1024;
const WASM_PAGE_BYTES = 65_536;
/** Operations under way at once; what was never taken is not resident. */
const SLOTS = 48;

/** Slots are taken last in, first out, so that few are ever touched. Whoever finds none waits. */
class Staging {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((slot: Buffer) => void)[] = [];

  constructor() {
    // The memory of a WebAssembly is the only one that JavaScript gets aligned.
    const pages = (SLOTS * SLOT_BYTES) / WASM_PAGE_BYTES;
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    for (let slot = SLOTS - 1; slot >= 0; slot--) {
      this.#free.push(Buffer.from(buffer, slot * SLOT_BYTES, SLOT_BYTES));
    }
  }

  take(): Buffer | Promise<Buffer> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(slot: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }
}

let shared: Staging | undefined;

/** One for all stores of the process, made when the first file needs it. */
export function staging(): Staging {
  return (shared ??= new Staging());
}
