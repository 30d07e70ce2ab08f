// The face of the index: one LSM, what exists when.

import { NightjarError, type Clock, type Log } from '#base';
import type { TrackName } from '#media';
import type {
  CameraUsage,
  ChunkRow,
  DeletionRow,
  GapRow,
  GroupRow,
  HoldRow,
  MotionPage,
  MotionQuery,
  NewDeletion,
  RecordingSpan,
  TimelineBatch,
} from './rows.js';

export interface TimelineOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface GroupsQuery {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly limit?: number;
  /** Newest first. */
  readonly reverse?: boolean;
}

export interface ChunksOptions {
  readonly track?: TrackName;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export class Timeline {
  /** Throws failed-precondition when another process holds it, data-loss when it is corrupt. */
  static open(_options: TimelineOptions): Promise<Timeline> {
    throw notBuilt();
  }

  /** One atomic batch; with `sync` it survives a power cut before the promise resolves. */
  commit(_batch: TimelineBatch, _options?: { readonly sync?: boolean }): Promise<void> {
    throw notBuilt();
  }

  /** Every group that overlaps [from, to), oldest first. */
  groups(_camera: string, _track: TrackName, _query: GroupsQuery): Promise<GroupRow[]> {
    throw notBuilt();
  }

  /** The group that contains the moment; the one that began last, where several do. */
  groupAt(_camera: string, _track: TrackName, _atUnixUs: number): Promise<GroupRow | undefined> {
    throw notBuilt();
  }

  /** A hole below one second does not split a span. Cut to [from, to). */
  recordings(_camera: string, _fromUnixUs: number, _toUnixUs: number): Promise<RecordingSpan[]> {
    throw notBuilt();
  }

  gaps(_camera: string, _fromUnixUs: number, _toUnixUs: number): Promise<GapRow[]> {
    throw notBuilt();
  }

  openGap(_camera: string): GapRow | undefined {
    throw notBuilt();
  }

  /** Newest first; an event counts when it overlaps [from, to). */
  motion(_query: MotionQuery): Promise<MotionPage> {
    throw notBuilt();
  }

  /** Moves fresh motion rows into packed days; gives how many. Called every few minutes. */
  packMotion(): Promise<number> {
    throw notBuilt();
  }

  chunk(_id: number): Promise<ChunkRow | undefined> {
    throw notBuilt();
  }

  unsealedChunks(): Promise<ChunkRow[]> {
    throw notBuilt();
  }

  /** Chunks of a camera, oldest first. */
  chunksOf(_camera: string, _options?: ChunksOptions): Promise<ChunkRow[]> {
    throw notBuilt();
  }

  /** Chunks of all cameras that ended before the moment, oldest day first; none that is held. */
  chunksExpiring(_beforeUnixUs: number, _limit: number): Promise<ChunkRow[]> {
    throw notBuilt();
  }

  usage(): Promise<CameraUsage[]> {
    throw notBuilt();
  }

  /**
   * In one batch: removes the chunk's row and group rows, trims spans to what is left, records the
   * deletion. False when there is no such chunk. Throws failed-precondition when a hold covers it.
   */
  dropChunk(_id: number, _deletion: NewDeletion): Promise<boolean> {
    throw notBuilt();
  }

  /** Oldest first; `after` is the id of the last row seen. */
  deletions(_options: { after?: string; limit: number }): Promise<DeletionRow[]> {
    throw notBuilt();
  }

  /** Forgets motion and closed gaps of a camera that ended before the moment. */
  forget(_camera: string, _beforeUnixUs: number): Promise<void> {
    throw notBuilt();
  }

  /** Replaces the whole set; safe when the promise resolves. */
  putHolds(_holds: readonly HoldRow[]): Promise<void> {
    throw notBuilt();
  }

  holds(): readonly HoldRow[] {
    throw notBuilt();
  }

  isHeld(_camera: string, _fromUnixUs: number, _toUnixUs: number): boolean {
    throw notBuilt();
  }

  getSetting(_key: string): Promise<Uint8Array | undefined> {
    throw notBuilt();
  }

  /** Safe when the promise resolves. `undefined` removes it. */
  putSetting(_key: string, _value: Uint8Array | undefined): Promise<void> {
    throw notBuilt();
  }

  /** The last mark, of this process or of the one before. */
  lastAlive(): number | undefined {
    throw notBuilt();
  }

  markAlive(_unixUs: number): Promise<void> {
    throw notBuilt();
  }

  close(): Promise<void> {
    throw notBuilt();
  }
}

function notBuilt(): NightjarError {
  return new NightjarError('unsupported', 'the timeline is being built');
}
