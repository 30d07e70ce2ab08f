// Chunks of a track that were left because their disk hangs: what becomes of them when it answers.

import type { Log } from '#base';
import { isSameRecord, type ChunkInfo, type RecordNumber, type WrittenRecord } from './chunk-info.js'; // prettier-ignore
import type { GroupPlace, OpenChunk } from './open-chunk.js';
import type { SealChain } from './seal-chain.js';

interface Left {
  readonly chunk: OpenChunk;
  /** From here on it is to be written again. */
  readonly again: GroupPlace;
  /** Its last record. */
  readonly until: RecordNumber;
  /** Whether it is: told by the next record of the track. */
  isWrittenAgain: boolean | undefined;
  /** The index was told of its end. */
  isTold: boolean;
}

/** What the index is to be told, together with the records that lie elsewhere now. */
export interface LeftRows {
  readonly chunks: ChunkInfo[];
  readonly removedChunks: number[];
}

export class LeftChunks {
  readonly #chain: SealChain;
  readonly #log: Log;
  readonly #left = new Set<Left>();
  readonly #settling = new Set<Promise<void>>();

  constructor(options: { readonly chain: SealChain; readonly log: Log }) {
    this.#chain = options.chain;
    this.#log = options.log;
  }

  /** `again` is where it is to be written again from, if it is. */
  add(chunk: OpenChunk, again: GroupPlace | undefined): void {
    this.#chain.await(chunk.id);
    const until = chunk.lastRecord;
    if (again === undefined || until === undefined) this.#settle(chunk, { kept: chunk.safe });
    else this.#left.add({ chunk, again, until, isWrittenAgain: undefined, isTold: false });
  }

  /** It was closed when its disk hung, and may yet be cut by that. */
  addClosing(chunk: OpenChunk): void {
    this.#chain.await(chunk.id);
    this.#end(chunk, async () => {
      await chunk.idle();
      if (chunk.safe?.sealed === false) this.#chain.leave(chunk.safe, chunk.directory);
    });
  }

  /** A record was written to another chunk. */
  follow(record: RecordNumber): void {
    for (const left of this.#left) {
      if (left.isWrittenAgain !== undefined) continue;
      left.isWrittenAgain = isSameRecord(left.again, record);
      if (!left.isWrittenAgain) this.#settle(left.chunk, { left, kept: left.chunk.safe });
    }
  }

  /** What is safe elsewhere has no need to be here. */
  takeSafe(records: readonly WrittenRecord[]): LeftRows {
    const rows: LeftRows = { chunks: [], removedChunks: [] };
    for (const left of this.#left) {
      const { chunk, again, until } = left;
      if (left.isWrittenAgain !== true) continue;
      const behind = records.filter((record) => record.chunk.id > chunk.id);
      const kept = chunk.keptBefore(again);
      if (!left.isTold && behind.some(({ record }) => isSameRecord(record, again))) {
        left.isTold = true;
        if (kept !== undefined) rows.chunks.push(kept);
        else if (chunk.safe !== undefined) rows.removedChunks.push(chunk.id);
      }
      const isCovered = behind.some(({ record }) => isAtOrBehind(record, until));
      // Where what was written again is lost, what lies here is all there is.
      if (isCovered) this.#settle(chunk, { left, kept: left.isTold ? kept : chunk.safe });
    }
    return rows;
  }

  /** No more records come: what is not safe elsewhere stays as it is, for recovery. */
  close(): void {
    for (const left of this.#left) {
      const { chunk, isWrittenAgain } = left;
      if (isWrittenAgain === undefined) this.#settle(chunk, { left, kept: chunk.safe });
      else {
        this.#left.delete(left);
        this.#end(chunk, async () => {
          await chunk.idle();
          await chunk.close();
        });
      }
    }
  }

  /** Waits for the chunks whose disk has answered, or will. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  #settle(chunk: OpenChunk, { left, kept }: { left?: Left; kept: ChunkInfo | undefined }): void {
    if (left !== undefined) this.#left.delete(left);
    this.#end(chunk, async () => {
      await chunk.idle();
      try {
        await chunk.cutTo(kept);
      } finally {
        await chunk.close();
        if (kept?.sealed === false) this.#chain.leave(kept, chunk.directory);
      }
    });
  }

  #end(chunk: OpenChunk, work: () => Promise<void>): void {
    const settling = work()
      .catch((error: unknown) => {
        this.#log.warn({ err: error, path: chunk.path }, 'could not end a chunk that was left');
      })
      .finally(() => {
        this.#chain.stopAwaiting(chunk.id);
        this.#settling.delete(settling);
      });
    this.#settling.add(settling);
  }
}

/** Later runs have higher numbers. */
function isAtOrBehind(a: RecordNumber, b: RecordNumber): boolean {
  return a.run === b.run ? a.sequence >= b.sequence : a.run > b.run;
}
