// Memory for records: buffers in size classes that are used again, so that recording makes no garbage.

import { FrameTable } from '#media';

const SMALLEST_BYTES = 16 * 1024;
/** A buffer of a larger class serves as well, up to this many classes above. */
const CLASSES_ABOVE = 2;

interface SizeClass {
  readonly buffers: Buffer[];
  /** Counts takes: the last one that was served from here. */
  takenAt: number;
}

/** Whoever lays payload into buffers of the pool. */
export interface PayloadHolder {
  readonly payloadBytes: number;
}

/** A peak counts until each buffer in use was given back about so often, twice. */
const GIVES_PER_BUFFER = 8;

/**
 * Keeps freed buffers up to what was in use at the last peak, or `minFreeBytes`: cameras that begin
 * their groups together free much at once and need it again within seconds, and memory given back
 * to the system costs collections of the whole heap. One pool serves a whole recorder.
 */
export class SlabPool {
  readonly #holders = new Set<PayloadHolder>();
  readonly #free = new Map<number, SizeClass>();
  readonly #tables: FrameTable[] = [];
  readonly #minFreeBytes: number;
  #freeBytes = 0;
  #usedBytes = 0;
  #usedCount = 0;
  #gives = 0;
  #takes = 0;
  #peakBytes = 0;
  #formerPeakBytes = 0;

  constructor(minFreeBytes = 6 * 1024 * 1024) {
    this.#minFreeBytes = minFreeBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** What cameras sent and somebody still needs: the rest of the used memory is room. */
  get payloadBytes(): number {
    let bytes = 0;
    for (const holder of this.#holders) bytes += holder.payloadBytes;
    return bytes;
  }

  enter(holder: PayloadHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: PayloadHolder): void {
    this.#holders.delete(holder);
  }

  /** At least `sizeBytes` of memory with whatever it held before. */
  take(sizeBytes: number): Buffer {
    const classBytes = classOf(sizeBytes);
    let buffer: Buffer | undefined;
    let tried = classBytes;
    for (let above = 0; above <= CLASSES_ABOVE && buffer === undefined; above++) {
      const found = this.#free.get(tried);
      buffer = found?.buffers.pop();
      if (buffer !== undefined && found !== undefined) found.takenAt = ++this.#takes;
      tried = classOf(tried + 1);
    }
    if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(classBytes);
    else this.#freeBytes -= buffer.length;
    this.#usedBytes += buffer.length;
    this.#usedCount += 1;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
    return buffer;
  }

  /** `buffer` came from `take` and nobody reads it any more. */
  give(buffer: Buffer): void {
    this.#usedBytes -= buffer.length;
    this.#gives += 1;
    if (this.#gives > GIVES_PER_BUFFER * this.#usedCount) {
      this.#formerPeakBytes = this.#peakBytes;
      this.#peakBytes = this.#usedBytes;
      this.#gives = 0;
    }
    this.#usedCount -= 1;
    const peakBytes = Math.max(this.#peakBytes, this.#formerPeakBytes);
    const bound = Math.max(this.#minFreeBytes, peakBytes - this.#usedBytes);
    this.#freeBytes += buffer.length;
    const known = this.#free.get(buffer.length);
    if (known !== undefined) known.buffers.push(buffer);
    else this.#free.set(buffer.length, { buffers: [buffer], takenAt: this.#takes });
    while (this.#freeBytes > bound) this.#dropOne();
  }

  /** Of the sizes that are kept, the one that nobody asked for longest. */
  #dropOne(): void {
    let oldest: SizeClass | undefined;
    for (const size of this.#free.values()) {
      if (size.buffers.length === 0) continue;
      if (oldest === undefined || size.takenAt < oldest.takenAt) oldest = size;
    }
    this.#freeBytes -= oldest?.buffers.pop()?.length ?? this.#freeBytes;
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
