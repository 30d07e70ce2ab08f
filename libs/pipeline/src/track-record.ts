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
  /** A guess of the payload's size; the buffer grows when it is wrong. */
  readonly expectedBytes: number;
  /** Sound has no start codes in front of its frames. */
  readonly unitPrefixBytes?: 0;
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
  readonly payloadStart = RECORD_HEADROOM_BYTES;
  /** Set when the first frame is whole. */
  startDts90k = 0;
  /** Set when the record is closed and the run's clock is settled. */
  startUnixUs = 0;
  groupStartUnixUs = 0;
  /** Dropped frames precede the first frame, so no duration reaches over to it. */
  followsHole = false;
  /** The next record starts a group; false also where that is not known. */
  endsGroup = false;
  buffer: Buffer;
  payloadEnd: number;
  readonly #pool: SlabPool;
  #references = 1;

  constructor(options: TrackRecordOptions<F>) {
    this.startsGroup = options.startsGroup;
    this.format = options.format;
    this.#pool = options.pool;
    this.frames = options.pool.takeTable(options.unitPrefixBytes);
    this.buffer = options.pool.take(RECORD_HEADROOM_BYTES + options.expectedBytes);
    this.payloadEnd = this.payloadStart;
    this.#pool.enter(this);
  }

  get payloadBytes(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** UTC where the last frame ends. */
  get endUnixUs(): number {
    return this.startUnixUs + ticksToUs(this.frames.duration90k);
  }

  /** Makes room for `sizeBytes` behind `payloadEnd`; what is there keeps its place. */
  reserve(sizeBytes: number): void {
    const neededBytes = this.payloadEnd + sizeBytes;
    if (neededBytes <= this.buffer.length) return;
    const larger = this.#pool.take(Math.max(neededBytes, Math.ceil(this.buffer.length * 1.5)));
    this.buffer.copy(larger, this.payloadStart, this.payloadStart, this.payloadEnd);
    this.#pool.give(this.buffer);
    this.buffer = larger;
  }

  retain(): this {
    this.#references += 1;
    return this;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references > 0) return;
    this.#pool.leave(this);
    this.#pool.give(this.buffer);
    this.#pool.giveTable(this.frames);
  }
}

/** A record of video or of sound. */
export type KeptRecord = TrackRecord<MediaFormat>;
