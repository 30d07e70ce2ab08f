// Page-aligned memory through which records go to disk past the page cache, and to the thread that
// hashes them.

import { HashThread } from './hash-thread.js';

declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number; shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

/** What every disk takes as a unit; many take less. */
export const BLOCK_BYTES = 4096;
/** A record larger than a slot goes in pieces. */
export const SLOT_BYTES = 1024 * 1024;
const WASM_PAGE_BYTES = 65_536;
/** Operations under way at once; what was never taken is not resident. */
export const SLOTS = 48;

/** Slots are taken last in, first out, so that few are ever touched. Whoever finds none waits. */
class Staging {
  readonly #memory: SharedArrayBuffer;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((slot: Buffer) => void)[] = [];
  /** Slots that are being hashed, oldest first. */
  readonly #hashing: { readonly slot: Buffer; readonly piece: number }[] = [];
  #thread: HashThread | undefined;

  constructor() {
    // The memory of a WebAssembly is the only one that JavaScript gets aligned.
    const pages = (SLOTS * SLOT_BYTES) / WASM_PAGE_BYTES;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
    for (let slot = SLOTS - 1; slot >= 0; slot--) {
      this.#free.push(Buffer.from(this.#memory, slot * SLOT_BYTES, SLOT_BYTES));
    }
  }

  /** Made when the first hash is; another one where it failed. */
  get thread(): HashThread {
    if (this.#thread === undefined || this.#thread.failed) {
      this.#thread = new HashThread(this.#memory, () => {
        this.#reclaim();
        // It tells once, perhaps of something else than a slot, and who got one may keep it for long.
        this.#watch();
      });
    }
    return this.#thread;
  }

  take(): Buffer | Promise<Buffer> {
    this.#reclaim();
    return (
      this.#free.pop() ??
      new Promise((resolve) => {
        this.#waiting.push(resolve);
        this.#watch();
      })
    );
  }

  give(slot: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }

  /** As `give`, as soon as `piece` of `thread` is hashed. */
  giveWhenHashed(slot: Buffer, thread: HashThread, piece: number): void {
    // The pieces of a thread that failed are not waited for, nor counted by the next one.
    if (thread !== this.#thread) return this.give(slot);
    this.#hashing.push({ slot, piece });
    this.#watch();
  }

  #watch(): void {
    if (this.#waiting.length === 0 || this.#hashing.length === 0) return;
    this.#thread?.tellWhenDone();
    // It may have been done before it was asked to tell.
    this.#reclaim();
  }

  #reclaim(): void {
    for (let first = this.#hashing[0]; first !== undefined; first = this.#hashing[0]) {
      if (this.#thread?.isDone(first.piece) === false) break;
      this.#hashing.shift();
      this.give(first.slot);
    }
  }
}

let shared: Staging | undefined;

/** One for all stores of the process, made when the first file needs it. */
export function staging(): Staging {
  return (shared ??= new Staging());
}

/**
 * Copies into a slot. JavaScript's own copies into shared memory go byte by byte; the native fill of
 * Buffer does not.
 */
export function putInSlot(slot: Buffer, bytes: Uint8Array, at: number): void {
  if (bytes.length > 0) slot.fill(bytes, at, at + bytes.length);
}
