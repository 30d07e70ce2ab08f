// What exists when: groups, chunks, recording spans, gaps, motion, holds and deletions of one
// recorder, in one LSM. The room owns its directory and nothing else; it never opens a chunk file,
// decides no retention, and gives no row of footage whose bytes were not safe first (S1).

export type {
  CameraUsage,
  ChunkRow,
  DeletionRow,
  GapRow,
  GroupRow,
  HoldRow,
  MotionPage,
  MotionQuery,
  MotionRow,
  NewDeletion,
  RecordingSpan,
  TimelineBatch,
} from './rows.js';
export type { ChunksQuery } from './chunk-index.js';
export type { GroupsQuery } from './group-index.js';
export { knownDirectories, rememberDirectories } from './known-directories.js';
export { Timeline, type TimelineOptions } from './timeline.js';
