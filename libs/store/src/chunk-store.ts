// The set of store directories: opens, recovers, reads, scans and deletes chunks.

import { NightjarError, type Clock, type Log } from '#base';
import type { TrackName } from '#media';
import type { ChunkFiles } from './chunk-files.js';
import type {
  ChunkInfo,
  ChunkPlace,
  ParsedRecord,
  ScannedChunk,
  StoreDirectory,
} from './chunk-info.js';
import type { TrackWriter } from './track-writer.js';

export interface ChunkStoreOptions {
  readonly directories: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** A chunk ends at the group start that would pass this size; 10 MB. */
  readonly chunkBytes?: number;
  /** A chunk ends at the first group start this long after its beginning; 15 minutes. */
  readonly chunkSeconds?: number;
  /**
   * Identities by configured path, as `directories` gave them last time: a path that had an
   * identity is never initialised again, even when it looks new (its disk is not mounted).
   */
  readonly expected?: ReadonlyMap<string, string>;
  readonly files?: ChunkFiles;
}

export class ChunkStore {
  /**
   * Makes or verifies the identity of each directory. A directory that is missing, wrong or
   * read-only is refused and stays in `directories` as failed; throws failed-precondition when none
   * is left.
   */
  static open(_options: ChunkStoreOptions): Promise<ChunkStore> {
    throw notBuilt();
  }

  get directories(): readonly StoreDirectory[] {
    throw notBuilt();
  }

  /** Looks at every directory again: space, and whether a failed one is back. Never throws. */
  refresh(): Promise<void> {
    throw notBuilt();
  }

  /**
   * Compares `known` (the index's unsealed chunks, with their safe sizes) and the newest files of
   * each track with the disk, cuts torn records, and yields what is to be indexed. To be finished
   * before the first `openTrack`.
   */
  recover(_known: AsyncIterable<ChunkInfo> | Iterable<ChunkInfo>): AsyncIterable<ScannedChunk> {
    throw notBuilt();
  }

  /** Seals what recovery left unsealed, one by one; yields the rows to put. For the background. */
  sealRecovered(): AsyncIterable<ChunkInfo> {
    throw notBuilt();
  }

  /** One writer per camera track at a time. No I/O. */
  openTrack(_track: { readonly camera: string; readonly track: TrackName }): TrackWriter {
    throw notBuilt();
  }

  /** One pread of whole records; the caller owns the bytes. Throws data-loss when a CRC differs. */
  readRecords(_chunk: ChunkPlace, _offset: number, _length: number): Promise<ParsedRecord[]> {
    throw notBuilt();
  }

  /** Gives the bytes freed: 0 when it was gone already. Removes an emptied date directory. */
  deleteChunk(_chunk: ChunkPlace): Promise<number> {
    throw notBuilt();
  }

  /** Every chunk on every directory, oldest date first per track; changes nothing. */
  scanAll(): AsyncIterable<ScannedChunk> {
    throw notBuilt();
  }

  /** Waits for what is under way; writers are closed by who opened them. */
  close(): Promise<void> {
    throw notBuilt();
  }
}

function notBuilt(): NightjarError {
  return new NightjarError('unsupported', 'the store is being built');
}
