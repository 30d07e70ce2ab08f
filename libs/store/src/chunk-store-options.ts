// What a store is opened with, and what it is told of the index.

import type { Clock, Log } from '#base';
import type { ChunkFiles } from './chunk-files.js';
import type { ChunkInfo } from './chunk-info.js';
import type { WarmTierOptions } from './warm-tier.js';

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
  /** Of a disk's size: with less than this free, no footage is written to it. Default: 0. */
  readonly reserveBytes?: (sizeBytes: number) => number;
  /** No other process may have the directories open meanwhile: for whoever writes. */
  readonly exclusive?: boolean;
  /** How many threads Node's pool has (UV_THREADPOOL_SIZE); 4. `laneWidths` shares them out. */
  readonly threads?: number;
  /** Where sealed chunks may move to, as stripes. */
  readonly warm?: Pick<WarmTierOptions, 'directories' | 'expected'>;
  /** Where a test stands between the store and the disk. */
  readonly files?: ChunkFiles;
}

/** What the index knows, as recovery asks for it. */
export interface KnownChunks {
  /** Rows of unsealed chunks, and of others that lack rows; `sizeBytes` is where to scan from. */
  readonly unsealed: Iterable<ChunkInfo>;
  /** Every chunk with this id or a lower one is in the index. */
  readonly provenId?: number;
  /** The row of a chunk, if the index has one. */
  readonly find: (id: number) => Promise<ChunkInfo | undefined>;
}
