// Which files of a track a recovery has to look at: those that the index does not have, or has open.

import type { ChunkInfo } from './chunk-info.js';
import type { TrackIdentity } from './record-header.js';
import type { ChunkDirectory, ListedChunk } from './store-directory.js';

/** A track with more chunks than this behind its index needs a rebuild, not a recovery. */
const MAX_UNINDEXED_CHUNKS = 64;
/** So many indexed chunks in a row, from the newest back, mean that the older ones are too. */
const INDEXED_IN_A_ROW = 2;

export interface IndexedChunks {
  readonly unsealed: ReadonlyMap<number, ChunkInfo>;
  readonly find: (id: number) => Promise<ChunkInfo | undefined>;
  /** The index may lack any chunk with a higher id. */
  readonly provenId?: number;
}

export interface UnindexedChunks {
  /** Oldest first. */
  readonly chunks: readonly ListedChunk[];
  readonly newestId: number;
  readonly isTooMuch: boolean;
}

/** From the newest back, until the index has what it finds. */
export async function listUnindexed(
  directory: ChunkDirectory,
  identity: TrackIdentity,
  known: IndexedChunks,
): Promise<UnindexedChunks> {
  const found: ListedChunk[] = [];
  let newestId = 0;
  let unindexed = 0;
  let inARow = 0;
  for await (const listed of directory.chunks(identity, 'newest-first')) {
    newestId = Math.max(newestId, listed.id);
    const isUnsealed = known.unsealed.has(listed.id);
    const isIndexed = isUnsealed || (await known.find(listed.id)) !== undefined;
    if (!isIndexed || isUnsealed) found.push(listed);
    if (!isIndexed) unindexed += 1;
    inARow = isIndexed ? inARow + 1 : 0;
    const isProven = listed.id <= (known.provenId ?? Infinity);
    if ((inARow >= INDEXED_IN_A_ROW && isProven) || unindexed > MAX_UNINDEXED_CHUNKS) break;
  }
  return { chunks: found.reverse(), newestId, isTooMuch: unindexed > MAX_UNINDEXED_CHUNKS };
}
