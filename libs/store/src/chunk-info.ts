// What is known of chunks and records: the values that cross the store's face.

import type { AudioFormat, FrameTable, MediaCodec, TrackName, VideoCodec } from '#media';

/** Where a chunk lies: enough to read or delete it. */
export interface ChunkPlace {
  readonly id: number;
  /** Identity (UUID) of the store directory. */
  readonly store: string;
  /** Relative to the store directory, with forward slashes. */
  readonly path: string;
}

/** A chunk as the index keeps it, and as a scan of the file gives it. */
export interface ChunkInfo extends ChunkPlace {
  readonly camera: string;
  readonly track: TrackName;
  readonly codec: MediaCodec;
  /** Start of the earliest record. */
  readonly firstUnixUs: number;
  /** End of the latest record. */
  readonly lastUnixUs: number;
  /** Bytes that are safe on disk. */
  readonly sizeBytes: number;
  readonly sealed: boolean;
  /** Hex; of every byte in front of the seal. Only for sealed chunks. */
  readonly sha256?: string;
  /** Hex; the seal of the track's chunk before. Absent for the first chunk of a chain. */
  readonly previousSeal?: string;
}

/** The facts of a record that its header holds, without the frame table. */
export interface RecordFacts {
  readonly run: number;
  readonly sequence: number;
  readonly startsGroup: boolean;
  readonly groupStartUnixUs: number;
  readonly startUnixUs: number;
  readonly startDts90k: number;
  readonly duration90k: number;
  readonly frameCount: number;
}

/** Where a record lies. `length` covers its header and its payload. */
export interface WrittenRecord {
  readonly chunk: ChunkInfo;
  readonly offset: number;
  readonly length: number;
  readonly record: RecordFacts;
}

interface ReadRecord {
  readonly offset: number;
  readonly length: number;
  readonly camera: string;
  readonly track: TrackName;
  readonly record: RecordFacts;
  readonly frames: FrameTable;
  /** A view into the buffer of the read, which belongs to the caller. */
  readonly payload: Buffer;
}

/** A record of video read back; its CRCs match. */
export interface ParsedRecord extends ReadRecord {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
}

/** A record of sound read back; its CRCs match. AAC frames begin with their ADTS headers. */
export interface ParsedAudio extends ReadRecord {
  readonly format: AudioFormat;
}

/** The records of one group that lie together in one chunk: the timeline's group row. */
export interface RecordedGroup {
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

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a scan of a chunk file found. */
export interface ScannedChunk {
  readonly chunk: ChunkInfo;
  /** What can be played and is to be indexed, in file order. */
  readonly records: readonly WrittenRecord[];
  /** `cut`: bytes behind the last valid record were torn. `missing`: the index knows it, the disk does not. */
  readonly state: 'intact' | 'cut' | 'damaged' | 'missing';
  /** Bytes behind the last valid record; recovery has taken them off the file. */
  readonly tornBytes: number;
  /** Stretches between valid records that are none, or that lost the beginning of their group. */
  readonly damaged: readonly ByteRange[];
}

/** A record by its number within its run. */
export type RecordNumber = Pick<RecordFacts, 'run' | 'sequence'>;

export function isSameRecord(a: RecordNumber, b: RecordNumber): boolean {
  return a.run === b.run && a.sequence === b.sequence;
}

/** From which record on its disk has it to be written again; where it is not, time is lost. */
export interface RecordToRepeat extends RecordNumber {
  /** Where what is not safe begins. */
  readonly fromUnixUs: number;
}

/** What became safe with one sync, and the chunks whose rows must be put in the same LSM batch. */
export interface SyncResult {
  readonly records: readonly WrittenRecord[];
  /** One that is smaller than it was has its end elsewhere, among `records`. */
  readonly chunks: readonly ChunkInfo[];
  /** Ids of chunks all of which lies elsewhere: their rows are to go in the same batch. */
  readonly removedChunks?: readonly number[];
  /** Their disk hangs: the records from this one on are to be written again before any other. */
  readonly again?: RecordToRepeat;
}

export interface StoreDirectory {
  readonly path: string;
  /** Absent while the directory was refused. */
  readonly id?: string;
  /** One that is `slow` is written to, and gets no new chunks while there is another. */
  readonly state: 'ok' | 'slow' | 'full' | 'failed';
  readonly reason?: string;
  /** The same for directories on one file system. */
  readonly device?: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
}
