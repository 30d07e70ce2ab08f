// Bounds how many operations of one store directory run at once, so that a disk that hangs cannot
// take every thread of Node's pool, and with it the other disks and the index.

import { NightjarError } from '#base';
import type { ChunkFile, ChunkFiles } from './chunk-files.js';
import type { DiskPace } from './disk-pace.js';

export interface LaneWidths {
  readonly writes: number;
  readonly reads: number;
}

/**
 * Five of eight of Node's threads for writes and two for reads, shared by the directories: the rest
 * stays for the index and everything else.
 */
export function laneWidths(threads: number, directories: number): LaneWidths {
  const share = threads / directories;
  return {
    writes: Math.max(1, Math.floor((share * 5) / 8)),
    reads: Math.max(1, Math.floor(share / 4)),
  };
}

class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #pace: DiskPace | undefined;

  constructor(width: number, pace?: DiskPace) {
    this.#free = width;
    this.#pace = pace;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await (this.#pace === undefined ? action() : this.#pace.time(action));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/**
 * The same files; what touches bytes or syncs waits for its turn, reads apart from writes, whose
 * times go to `pace`.
 */
export function withLanes(files: ChunkFiles, widths: LaneWidths, pace?: DiskPace): ChunkFiles {
  const writes = new Lane(widths.writes, pace);
  const reads = new Lane(widths.reads);
  const laned = (file: ChunkFile, lane: Lane): ChunkFile => {
    /** What waits for its turn, so that it can be let go of before. */
    const waiting = new Set<{ buffers: readonly Uint8Array[] }>();
    let isLeft = false;
    return {
      write: (bytes, position, written) => {
        const turn = { buffers: bytes };
        waiting.add(turn);
        return writes.run(() => {
          waiting.delete(turn);
          if (isLeft) throw new NightjarError('cancelled', 'nobody waits for this write any more');
          return file.write(turn.buffers, position, written);
        });
      },
      read: (buffer, position) => reads.run(() => file.read(buffer, position)),
      sync: () => writes.run(() => file.sync()),
      truncate: (sizeBytes) => writes.run(() => file.truncate(sizeBytes)),
      sizeBytes: () => reads.run(() => file.sizeBytes()),
      close: () => lane.run(() => file.close()),
      leave: () => {
        isLeft = true;
        for (const turn of waiting) turn.buffers = [];
        file.leave?.();
      },
    };
  };
  return {
    ...files,
    create: async (path) => laned(await writes.run(() => files.create(path)), writes),
    open: async (path, mode) => laned(await reads.run(() => files.open(path, mode)), reads),
    syncDirectory: (path) => writes.run(() => files.syncDirectory(path)),
    makeDirectory: (path) => writes.run(() => files.makeDirectory(path)),
    list: (path) => reads.run(() => files.list(path)),
    readText: (path) => reads.run(() => files.readText(path)),
    remove: (path) => reads.run(() => files.remove(path)),
    removeEmptyDirectory: (path) => reads.run(() => files.removeEmptyDirectory(path)),
    space: (path) => reads.run(() => files.space(path)),
    assertWritable: (path) => reads.run(() => files.assertWritable(path)),
  };
}
