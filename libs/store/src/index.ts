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
  ScannedChunk,
  StoreDirectory,
  SyncResult,
  WrittenRecord,
} from './chunk-info.js';
export { ChunkStore, type ChunkStoreOptions, type KnownChunks } from './chunk-store.js';
export { foldGroups } from './group-rows.js';
export { sealOf } from './seal.js';
export type { TrackWriter } from './track-writer.js';
export type { ReadRecords } from './chunk-reader.js';
export { verifyChunk, type ChunkVerification, type DamagedRange } from './verify-chunk.js';
