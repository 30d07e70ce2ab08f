// Memory for records: buffers in size classes that are used again, so that recording makes no garbage.

import { FrameTable } from '#media';

const SMALLEST_BYTES = 32 * 1024;

/** Freed buffers beyond the bound go back to the system. One pool serves a whole recorder. */
export class SlabPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #tables: FrameTable[] = [];
  readonly #maxFreeBytes: number;
  #freeBytes = 0;
  #usedBytes = 0;

  constructor(maxFreeBytes = 24 * 1024 * 1024) {
    this.#maxFreeBytes = maxFreeBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** At least `sizeBytes` of memory with whatever it held before. */
  take(sizeBytes: number): Buffer {
    const classBytes = classOf(sizeBytes);
    this.#usedBytes += classBytes;
    const buffer = this.#free.get(classBytes)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(classBytes);
    this.#freeBytes -= classBytes;
    return buffer;
  }

  /** `buffer` came from `take` and nobody reads it any more. */
  give(buffer: Buffer): void {
    this.#usedBytes -= buffer.length;
    if (this.#freeBytes + buffer.length > this.#maxFreeBytes) return;
    this.#freeBytes += buffer.length;
    const list = this.#free.get(buffer.length);
    if (list === undefined) this.#free.set(buffer.length, [buffer]);
    else list.push(buffer);
  }

  takeTable(unitPrefixBytes = 4): FrameTable {
    const table = this.#tables.pop() ?? new FrameTable();
    table.unitPrefixBytes = unitPrefixBytes;
    return table;
  }

  giveTable(table: FrameTable): void {
    table.clear();
    if (this.#tables.length < 4096) this.#tables.push(table);
  }
}

/** Four classes per power of two: at most a fifth is wasted. */
function classOf(sizeBytes: number): number {
  if (sizeBytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const step = 2 ** (Math.floor(Math.log2(sizeBytes - 1)) - 2);
  return Math.ceil(sizeBytes / step) * step;
}
