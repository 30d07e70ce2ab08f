// A record while it is filled, kept in memory and written: its bytes, its frames, who still needs it.

import {
  RECORD_HEADROOM_BYTES,
  type FrameTable,
  type MediaFormat,
  type MediaRecord,
  type VideoFormat,
} from '#media';
import type { SlabPool } from './slab-pool.js';
import { ticksToUs } from './units.js';

export interface TrackRecordOptions<F extends MediaFormat> {
  readonly pool: SlabPool;
  readonly startsGroup: boolean;
  readonly format: F;
  /** A guess of the payload's size, for its first piece. */
  readonly expectedBytes: number;
  /** Sound has no start codes in front of its frames. */
  readonly unitPrefixBytes?: 0;
}

/**
 * Larger payloads lie in several pieces: of a record that is being filled half is room on average,
 * and room for a second of 4 Mbit/s is half a megabyte.
 */
export const PIECE_BYTES = 256 * 1024;
/** What comes behind the expected end goes into pieces of half and a quarter. */
const LEAST_PIECE_BYTES = PIECE_BYTES / 4;

/** Part of a payload: `buffer` from `start` to `end`. No frame lies in two pieces. */
export interface Piece {
  readonly buffer: Buffer;
  readonly start: number;
  end: number;
}

/**
 * Counted references: born with one, of its ingest. Whoever keeps it beyond a callback retains it;
 * the last release gives the memory back, and after that nothing of it may be read.
 */
export class TrackRecord<F extends MediaFormat = VideoFormat> implements MediaRecord {
  /** Run and sequence are set when the record is closed. */
  run = 0;
  sequence = 0;
  startsGroup: boolean;
  readonly format: F;
  readonly frames: FrameTable;
  /** Set when the first frame is whole. */
  startDts90k = 0;
  /** Set when the record is closed and the run's clock is settled. */
  startUnixUs = 0;
  groupStartUnixUs = 0;
  /** Dropped frames precede the first frame, so no duration reaches over to it. */
  followsHole = false;
  /** The next record starts a group; false also where that is not known. */
  endsGroup = false;
  /** The last one, which is being filled. */
  piece: Piece;
  readonly pieces: Piece[];
  readonly #pool: SlabPool;
  readonly #expectedBytes: number;
  /** Of the pieces before the last one. */
  #fullBytes = 0;
  #references = 1;

  constructor(options: TrackRecordOptions<F>) {
    this.startsGroup = options.startsGroup;
    this.format = options.format;
    this.#pool = options.pool;
    this.#expectedBytes = options.expectedBytes;
    this.frames = options.pool.takeTable(options.unitPrefixBytes);
    const sizeBytes = Math.min(PIECE_BYTES, RECORD_HEADROOM_BYTES + options.expectedBytes);
    this.piece = this.#newPiece(sizeBytes, RECORD_HEADROOM_BYTES);
    this.pieces = [this.piece];
    this.#pool.enter(this);
  }

  get buffer(): Buffer {
    return this.#first.buffer;
  }

  get payloadStart(): number {
    return this.#first.start;
  }

  get payloadEnd(): number {
    return this.#first.end;
  }

  get rest(): readonly Buffer[] {
    return this.pieces.slice(1).map(({ buffer, start, end }) => buffer.subarray(start, end));
  }

  get payloadBytes(): number {
    return this.#fullBytes + this.piece.end - this.piece.start;
  }

  /** Memory, with its room. */
  get sizeBytes(): number {
    return this.pieces.reduce((sum, { buffer }) => sum + buffer.length, 0);
  }

  /** UTC where the last frame ends. */
  get endUnixUs(): number {
    return this.startUnixUs + ticksToUs(this.frames.duration90k);
  }

  /**
   * Makes room for `sizeBytes` behind the end of the last piece. What lies there from `unitStart` on
   * is an access unit that is not whole: where there is no room it begins the next piece. Gives
   * where it begins now.
   */
  reserve(sizeBytes: number, unitStart = this.piece.end): number {
    const { piece } = this;
    if (piece.end + sizeBytes <= piece.buffer.length) return unitStart;
    const unitBytes = piece.end - unitStart;
    // A unit that fills a piece by itself grows in its place.
    const isAlone = unitStart === piece.start;
    const start = isAlone ? piece.start : 0;
    const neededBytes = start + unitBytes + sizeBytes;
    const standardBytes = Math.min(this.#nextPieceBytes, piece.buffer.length);
    const next = this.#newPiece(
      neededBytes <= standardBytes ? standardBytes : Math.ceil(neededBytes * 1.5),
      start,
    );
    piece.buffer.copy(next.buffer, start, unitStart, piece.end);
    next.end += unitBytes;
    if (isAlone) {
      this.#pool.give(piece.buffer);
      this.pieces.pop();
    } else {
      piece.end = unitStart;
      this.#fullBytes += piece.end - piece.start;
    }
    this.pieces.push(next);
    this.piece = next;
    return start;
  }

  retain(): this {
    this.#references += 1;
    return this;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references > 0) return;
    this.#pool.leave(this);
    for (const { buffer } of this.pieces) this.#pool.give(buffer);
    this.#pool.giveTable(this.frames);
  }

  get #nextPieceBytes(): number {
    const leftBytes = this.#expectedBytes - this.payloadBytes;
    if (leftBytes > PIECE_BYTES / 2) return PIECE_BYTES;
    return leftBytes > LEAST_PIECE_BYTES ? PIECE_BYTES / 2 : LEAST_PIECE_BYTES;
  }

  get #first(): Piece {
    return this.pieces[0] ?? this.piece;
  }

  #newPiece(sizeBytes: number, start: number): Piece {
    return { buffer: this.#pool.take(sizeBytes), start, end: start };
  }
}

/** A record of video or of sound. */
export type KeptRecord = TrackRecord<MediaFormat>;
