// The rows of the timeline: what crosses the room's face.

import type { MediaCodec, TrackName } from '#media';

/** A group (key frame to the next key frame) as it lies in one chunk. */
export interface GroupRow {
  readonly camera: string;
  readonly track: TrackName;
  readonly startUnixUs: number;
  readonly durationUs: number;
  readonly run: number;
  readonly chunkId: number;
  readonly offset: number;
  readonly length: number;
  readonly frameCount: number;
  readonly startDts90k: number;
}

/** Mirrors the store's ChunkInfo. */
export interface ChunkRow {
  readonly id: number;
  readonly store: string;
  readonly path: string;
  readonly camera: string;
  readonly track: TrackName;
  readonly codec: MediaCodec;
  readonly firstUnixUs: number;
  readonly lastUnixUs: number;
  readonly sizeBytes: number;
  readonly sealed: boolean;
  readonly sha256?: string;
  readonly previousSeal?: string;
}

export interface RecordingSpan {
  readonly track: TrackName;
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

/** A motion event; `camera` and `startUnixUs` name it, so that a longer one replaces a shorter. */
export interface MotionRow {
  readonly camera: string;
  readonly startUnixUs: number;
  readonly endUnixUs: number;
  /** 0..1, kept in steps of 1/65535. */
  readonly peak: number;
  /** 18 bytes: bit `i & 7` of byte `i >> 3` is cell i of 16 x 9. */
  readonly cells: Uint8Array;
}

/** A time without a recording; `camera` and `startUnixUs` name it. */
export interface GapRow {
  readonly camera: string;
  readonly startUnixUs: number;
  /** Undefined while the gap is still open. */
  readonly endUnixUs: number | undefined;
  readonly reason: string;
}

export interface NewDeletion {
  readonly atUnixUs: number;
  readonly camera: string;
  readonly track: TrackName;
  readonly chunkPath: string;
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly bytes: number;
  readonly rule: string;
  /** Hex; the deleted chunk's seal, so that the chain over it can still be proved. */
  readonly seal?: string;
}

export interface DeletionRow extends NewDeletion {
  /** Opaque, in order of time: the cursor that goes on behind this row. */
  readonly id: string;
}

/** Mirrors the contract's RecorderHold. */
export interface HoldRow {
  readonly id: string;
  readonly cameras: readonly string[];
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
}

export interface CameraUsage {
  readonly camera: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly oldestUnixUs: number;
  readonly newestUnixUs: number;
}

/** Everything in it becomes visible at once. */
export interface TimelineBatch {
  /** A row with the key of another (camera, track, start, chunk) is that group, grown. */
  readonly groups?: readonly GroupRow[];
  readonly chunks?: readonly ChunkRow[];
  /** Ids: all of such a chunk lies in others now. */
  readonly removedChunks?: readonly number[];
  /** A gap that begins behind an open one closes it there. */
  readonly gaps?: readonly GapRow[];
  readonly removedGaps?: readonly Pick<GapRow, 'camera' | 'startUnixUs'>[];
  readonly motion?: readonly MotionRow[];
  readonly deletions?: readonly NewDeletion[];
}

export interface MotionQuery {
  readonly cameras: readonly string[];
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  /** 18 bytes: only events that moved in one of these cells, or whose place is not known. */
  readonly cells?: Uint8Array;
  readonly minLevel?: number;
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** Newest first. */
export interface MotionPage {
  readonly items: MotionRow[];
  /** Present when there may be more. */
  readonly cursor?: string;
}
