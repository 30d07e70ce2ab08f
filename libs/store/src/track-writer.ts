// Writes the records of one camera track, chunk after chunk.

import { NightjarError } from '#base';
import type { MediaRecord } from '#media';
import type { ChunkInfo, SyncResult } from './chunk-info.js';

/**
 * `write` and `sync` may overlap each other; calls of the same method are queued. Errors:
 * resource-exhausted (disk full), unavailable (I/O error), failed-precondition (directory gone,
 * read-only, or a record that does not start a group where one must).
 */
export class TrackWriter {
  /** The chunk being written, if one is open; `sizeBytes` is what is safe. */
  get chunk(): ChunkInfo | undefined {
    throw notBuilt();
  }

  /**
   * Lays the header into the record's headroom and writes both with one pwrite; begins a new chunk
   * at 10 MB, 15 minutes, a codec change or a clock that went back, always at a group start. The
   * bytes are not safe before the next `sync`. The record's buffer must stay as it is until the
   * promise settles. After an error the record is not in the chunk, and only a record that starts a
   * group is taken next.
   */
  write(_record: MediaRecord): Promise<void> {
    throw notBuilt();
  }

  /**
   * fdatasync; gives what became safe since the last sync. After an error none of it is safe, all
   * of it is cut off, and the error's context says from when to when (`fromUnixUs`, `toUnixUs`).
   */
  sync(): Promise<SyncResult> {
    throw notBuilt();
  }

  /**
   * Seals the chunk when it is old enough and nothing was written for 15 s; a track that records
   * on is rotated by `write`. What it did comes with the next `sync`.
   */
  sealIfDue(_nowUnixUs: number): Promise<boolean> {
    throw notBuilt();
  }

  /** Seals the open chunk, if any; its row comes with the next `sync`. */
  seal(): Promise<void> {
    throw notBuilt();
  }

  /** Seals and syncs; the last rows to put. */
  close(): Promise<SyncResult> {
    throw notBuilt();
  }
}

function notBuilt(): NightjarError {
  return new NightjarError('unsupported', 'the store is being built');
}
