// Footage on disk: append-only chunk files that any player can play, their recovery after a crash,
// reading, scrubbing and deleting. The room owns every byte below the store directories and nothing
// else; it keeps no index (the timeline does), knows no policy, and never decodes a picture.

export type { ChunkFile, ChunkFiles, DirectoryEntry } from './chunk-files.js';
export type {
  ByteRange,
  ChunkInfo,
  ChunkPlace,
  ParsedAudio,
  ParsedRecord,
  RecordedGroup,
  RecordFacts,
  RecordNumber,
  RecordToRepeat,
  ScannedChunk,
  StoreDirectory,
  SyncResult,
  WrittenRecord,
} from './chunk-info.js';
export { isSameRecord } from './chunk-info.js';
export { ChunkStore, type ListedPlace } from './chunk-store.js';
export { STORE_IDENTITY_FILE } from './store-directory.js';
export type { ChunkStoreOptions, KnownChunks } from './chunk-store-options.js';
export { foldGroups } from './group-rows.js';
export { recordsEndOf, sealOf } from './seal.js';
export type { TrackWriter } from './track-writer.js';
export type { ReadRecords } from './chunk-reader.js';
export { ALL_SHARDS, DATA_SHARDS } from './erasure.js';
export { nodeFiles } from './node-files.js';
export { replaceWarmDirectory, WARM_IDENTITY_FILE } from './warm-directories.js';
export { slotOf as warmSlotOf } from './warm-places.js';
export type { StripeHealth, WarmTier } from './warm-tier.js';
export { verifyChunk, type ChunkVerification, type DamagedRange } from './verify-chunk.js';
