// Lays the bytes of one run of a track into records: finds groups, times frames, cuts records.

import { nalKind, type FrameDropReason, type FrameSink, type VideoFormat } from '#media';
import { CameraClock } from './camera-clock.js';
import { DecodeTimes } from './decode-times.js';
import { GroupLengths } from './group-lengths.js';
import { isRecoveryPoint } from './recovery-point.js';
import type { SlabPool } from './slab-pool.js';
import { PIECE_BYTES, TrackRecord } from './track-record.js';
import { ticksToUs, usToTicks } from './units.js';

/** A record is cut at this length: what a `kill -9` may cost, since memory is lost with it. */
export const RECORD_TICKS_90K = 90_000;
/** Larger access units are no video. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** A record is cut before it outgrows this, whatever its duration. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;
/** A stream that shows no IDR for so long refreshes gradually: its recovery points are keys. */
const IDR_PATIENCE_TICKS = 10 * 90_000;
/** More than any reordering. */
const JUMP_BACK_TICKS = 90_000;
const JUMP_AHEAD_TICKS = 10 * 90_000;
const DEFAULT_FRAME_TICKS = 3600;

/** Valid during the callback only: the next frame uses the same object. */
export interface PublishedFrame {
  record: TrackRecord;
  index: number;
  key: boolean;
  /** Presentation time. */
  utcUs: number;
  dts90k: number;
  ctsOffset90k: number;
  /** What the next frame's time will probably make of it. */
  expectedDuration90k: number;
  /** The access unit in Annex B is `buffer` from `start` to `end`. */
  buffer: Buffer;
  start: number;
  end: number;
}

export interface IngestOptions {
  readonly run: number;
  readonly format: VideoFormat;
  readonly pool: SlabPool;
  /** Where the footage of the track's last run ended; 0 if there is none. */
  readonly notBeforeUnixUs: number;
  readonly counters: IngestCounters;
  /** Each frame as soon as it is whole. */
  onFrame(frame: PublishedFrame): void;
  /** A closed record in order; the callee retains what it keeps. */
  onRecord(record: TrackRecord): void;
}

/** Of a track, over all its runs. */
export class IngestCounters {
  frames = 0;
  bytes = 0;
  keyFrames = 0;
  /** How often the camera set its clock. */
  clockJumps = 0;
  readonly dropped: Record<string, number> = {};
  lastFrameUnixUs: number | undefined;
  readonly groups = new GroupLengths();

  drop(reason: string): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }
}

export class TrackIngest implements FrameSink {
  readonly #options: IngestOptions;
  readonly #clock: CameraClock;
  readonly #decodeTimes: DecodeTimes;
  readonly #frame: Partial<PublishedFrame> = {};
  /** Closed records that wait for the clock to settle. */
  #unsettled: TrackRecord[] = [];
  #format: VideoFormat;
  #record: TrackRecord | undefined;
  /** A full record whose last duration the next frame will tell. */
  #closing: TrackRecord | undefined;
  #run: number;
  #sequence = 0;
  #lastHandedOut: { run: number; format: VideoFormat } | undefined;
  #expectedBytes = PIECE_BYTES;
  #cutDue = false;
  #waitForKey = true;
  #followsHole = false;

  // The open access unit; places are of the record's last piece.
  #unitStart = 0;
  #nalStart = -1;
  #unitIsKey = false;
  #unitHasRecoveryPoint = false;
  #unitTooLarge = false;

  // Time.
  #shift90k = 0;
  #lastPts90k: number | undefined;
  #firstSeenPts90k: number | undefined;
  #lastSeenPts90k = 0;
  #lastReceivedUs = 0;
  #lastDts90k = 0;
  #frameTicks: number;
  #groupStartDts90k = 0;
  /** The group that records are handed out of. */
  #closingGroup = { dts90k: 0, unixUs: 0 };
  #idrSeen = false;
  #ended = false;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#format = options.format;
    this.#run = options.run;
    this.#clock = new CameraClock(options.notBeforeUnixUs);
    this.#decodeTimes = new DecodeTimes(options.format.reorderFrames);
    const fps = options.format.nominalFps ?? 0;
    this.#frameTicks = fps >= 1 && fps <= 240 ? Math.round(90_000 / fps) : DEFAULT_FRAME_TICKS;
  }

  get format(): VideoFormat {
    return this.#format;
  }

  /** A new format begins a new run, so that a run can be played with one initialisation. */
  get run(): number {
    return this.#run;
  }

  /** How much faster than ours the camera's clock goes, in parts per million. */
  get driftPpm(): number | undefined {
    return this.#clock.driftPpm;
  }

  /** UTC of a moment on the camera's clock as it came; undefined until the clock is settled. */
  unixUsOf(pts90k: number): number | undefined {
    return this.#clock.settled ? this.#clock.toUnixUs(pts90k + this.#shift90k) : undefined;
  }

  /** The record being filled; its frames are whole, an access unit behind them may not be. */
  get openRecord(): TrackRecord | undefined {
    return this.#record;
  }

  /** Applies from the next key frame on. */
  setFormat(format: VideoFormat): void {
    this.#format = format;
  }

  beginNal(firstByte: number): void {
    if (this.#unitTooLarge) return;
    let record = this.#record;
    if (this.#nalStart >= 0) this.#closeNal();
    else if (this.#cutDue && record !== undefined) record = this.#cutHere(record);
    record ??= this.#openRecord(false);
    const { codec } = record.format;
    if (!this.#unitIsKey && this.#isKey(codec, firstByte)) {
      this.#unitIsKey = true;
      if (record.frames.count > 0 || record.format !== this.#format) {
        record = this.#moveUnit(record);
      }
      // Also where it was cut for its length just here, as in groups of whole seconds.
      if (this.#closing !== undefined) this.#closing.endsGroup = true;
    }
    this.#reserve(record, 5);
    const { piece } = record;
    const at = piece.end;
    piece.buffer.writeUInt32BE(1, at);
    piece.buffer[at + 4] = firstByte;
    this.#nalStart = at;
    piece.end = at + 5;
  }

  appendNal(source: Uint8Array, start: number, end: number): void {
    const record = this.#record;
    if (record === undefined || this.#unitTooLarge) return;
    const sizeBytes = end - start;
    if (record.piece.end + sizeBytes - this.#unitStart > MAX_FRAME_BYTES) {
      this.#unitTooLarge = true;
      return;
    }
    this.#reserve(record, sizeBytes);
    const { piece } = record;
    // Buffer.copy makes no object per packet, as set(subarray) would.
    if (source instanceof Buffer) source.copy(piece.buffer, piece.end, start, end);
    else piece.buffer.set(source.subarray(start, end), piece.end);
    piece.end += sizeBytes;
  }

  endFrame(pts90k: number, receivedAtUnixUs: number): void {
    const record = this.#record;
    if (record === undefined || this.#nalStart < 0) return;
    if (this.#unitTooLarge) return this.dropFrame('too-large');
    this.#closeNal();
    const key = this.#unitIsKey;
    this.#firstSeenPts90k ??= pts90k;
    this.#lastSeenPts90k = pts90k;
    if (this.#waitForKey && !key) {
      this.#options.counters.drop('before-key-frame');
      return this.#forgetUnit();
    }
    const pts = this.#steadyPts(pts90k, receivedAtUnixUs);
    if (this.#waitForKey) this.#decodeTimes.reset();
    this.#clock.observe(pts, receivedAtUnixUs);
    const dts = this.#decodeTimes.next(pts, this.#frameTicks);
    this.#noteDuration(record, dts);
    this.#waitForKey = false;
    if (record.frames.count === 0) {
      record.startDts90k = dts;
      record.startsGroup = key;
      record.followsHole = this.#followsHole;
      this.#followsHole = false;
    }
    if (key) this.#beginGroup(dts);
    record.frames.endFrame(key, this.#frameTicks, pts - dts);
    const { counters } = this.#options;
    counters.frames += 1;
    counters.bytes += record.piece.end - this.#unitStart;
    counters.lastFrameUnixUs = receivedAtUnixUs;
    this.#lastDts90k = dts;
    this.#publish(record, key, pts, dts);
    this.#unitStart = record.piece.end;
    this.#resetUnit();
    this.#cutDue =
      dts + this.#frameTicks - record.startDts90k >= RECORD_TICKS_90K ||
      record.payloadBytes > MAX_RECORD_BYTES;
    if (!this.#clock.settled && this.#clock.isDue(receivedAtUnixUs)) this.#settle();
  }

  dropFrame(reason: FrameDropReason): void {
    this.#options.counters.drop(reason);
    this.#forgetUnit();
    // Nothing that follows can be decoded: what is whole need not wait for it.
    this.#waitForKey = true;
    this.#followsHole = true;
    this.#closeAll();
  }

  /**
   * Closes what has waited for its next frame, so that a stalled camera's last second is not kept
   * in memory. Called about once a second.
   */
  closeStale(nowUnixUs: number): void {
    if (this.#nalStart >= 0 || this.#lastPts90k === undefined) return;
    if (nowUnixUs - this.#lastReceivedUs < 1_000_000) return;
    if (ticksToUs(this.#frameTicks) * 2 > nowUnixUs - this.#lastReceivedUs) return;
    if (!this.#clock.settled) this.#settle();
    this.#closeAll();
  }

  /** The run is over: what is whole is handed out, the rest is forgotten. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forgetUnit();
    if (!this.#clock.settled && this.#lastPts90k !== undefined) this.#settle();
    this.#closeAll();
    this.#record?.release();
    this.#record = undefined;
  }

  #isKey(codec: VideoFormat['codec'], firstByte: number): boolean {
    const kind = nalKind(codec, firstByte);
    if (kind === 'key-slice') {
      this.#idrSeen = true;
      return true;
    }
    if (!this.#unitHasRecoveryPoint || this.#idrSeen) return false;
    const seen = this.#lastSeenPts90k - (this.#firstSeenPts90k ?? this.#lastSeenPts90k);
    const patienceOver = seen > IDR_PATIENCE_TICKS;
    return patienceOver && kind === 'slice';
  }

  #closeNal(): void {
    const record = this.#record;
    if (record === undefined || this.#nalStart < 0) return;
    const { buffer, end } = record.piece;
    record.frames.addNal(end - this.#nalStart - 4);
    if (!this.#idrSeen && record.format.codec === 'h264') {
      const header = buffer[this.#nalStart + 4] ?? 0;
      if ((header & 31) === 6) {
        this.#unitHasRecoveryPoint ||= isRecoveryPoint(buffer, this.#nalStart + 4, end);
      }
    }
    this.#nalStart = -1;
  }

  /** Room behind the open unit, which may move for it. */
  #reserve(record: TrackRecord, sizeBytes: number): void {
    if (record.piece.end + sizeBytes <= record.piece.buffer.length) return;
    const unitStart = record.reserve(sizeBytes, this.#unitStart);
    if (this.#nalStart >= 0) this.#nalStart += unitStart - this.#unitStart;
    this.#unitStart = unitStart;
  }

  #openRecord(startsGroup: boolean): TrackRecord {
    const record = new TrackRecord({
      pool: this.#options.pool,
      startsGroup,
      format: this.#format,
      expectedBytes: this.#expectedBytes,
    });
    this.#record = record;
    this.#unitStart = record.piece.end;
    this.#cutDue = false;
    return record;
  }

  /** Between two access units: the next one goes into a new record. */
  #cutHere(record: TrackRecord): TrackRecord {
    this.#closing = record;
    this.#expectedBytes = Math.max(
      record.payloadBytes * 1.125,
      this.#expectedBytes * 0.9,
      16 * 1024,
    );
    return this.#openRecord(false);
  }

  /** The open access unit turned out to be a key frame: its first NAL units move with it. */
  #moveUnit(from: TrackRecord): TrackRecord {
    const prefixStart = this.#unitStart;
    const { piece } = from;
    const prefixEnd = piece.end;
    const sizes: number[] = [];
    for (let nal = from.frames.firstNalOf(from.frames.count); nal < from.frames.nalCount; nal++) {
      sizes.push(from.frames.nalSizeOf(nal));
    }
    from.frames.discardOpenFrame();
    piece.end = prefixStart;
    const empty = from.frames.count === 0;
    const to = empty ? this.#openRecord(true) : this.#cutHere(from);
    to.startsGroup = true;
    this.#reserve(to, prefixEnd - prefixStart);
    piece.buffer.copy(to.piece.buffer, to.piece.end, prefixStart, prefixEnd);
    to.piece.end += prefixEnd - prefixStart;
    for (const size of sizes) to.frames.addNal(size);
    if (empty) from.release();
    return to;
  }

  /** The camera's time without the jumps of a camera that restarts its clock. */
  #steadyPts(pts90k: number, receivedAtUnixUs: number): number {
    let pts = pts90k + this.#shift90k;
    if (this.#lastPts90k !== undefined) {
      const delta = pts - this.#lastPts90k;
      const passed = Math.max(0, usToTicks(receivedAtUnixUs - this.#lastReceivedUs));
      if (delta < -JUMP_BACK_TICKS || (delta > JUMP_AHEAD_TICKS && passed < delta / 2)) {
        const wanted = Math.max(this.#frameTicks, passed);
        this.#shift90k += wanted - delta;
        pts = this.#lastPts90k + wanted;
        this.#options.counters.clockJumps += 1;
      }
    }
    this.#lastPts90k = Math.max(this.#lastPts90k ?? -Infinity, pts);
    this.#lastReceivedUs = receivedAtUnixUs;
    return pts;
  }

  /** The new frame's time says how long the one before it lasts. */
  #noteDuration(record: TrackRecord, dts: number): void {
    const holder = this.#closing ?? (record.frames.count > 0 ? record : undefined);
    if (holder === undefined) return;
    const lasted = dts - this.#lastDts90k;
    holder.frames.setLastDuration(lasted);
    // A pause is no frame rate.
    if (lasted <= 4 * 90_000) this.#frameTicks = lasted;
    if (this.#closing !== undefined) this.#close(this.#closing);
    this.#closing = undefined;
  }

  #beginGroup(dts: number): void {
    const { counters } = this.#options;
    if (counters.keyFrames > 0 && this.#groupStartDts90k > 0) {
      counters.groups.add(dts - this.#groupStartDts90k);
    }
    counters.keyFrames += 1;
    this.#groupStartDts90k = dts;
    this.#clock.slew(dts);
  }

  #publish(record: TrackRecord, key: boolean, pts: number, dts: number): void {
    const frame = this.#frame as PublishedFrame;
    frame.record = record;
    frame.index = record.frames.count - 1;
    frame.key = key;
    frame.utcUs = this.#clock.toUnixUs(pts);
    frame.dts90k = dts;
    frame.ctsOffset90k = pts - dts;
    frame.expectedDuration90k = this.#frameTicks;
    frame.buffer = record.piece.buffer;
    frame.start = this.#unitStart;
    frame.end = record.piece.end;
    this.#options.onFrame(frame);
  }

  #closeAll(): void {
    if (this.#closing !== undefined) this.#close(this.#closing);
    this.#closing = undefined;
    const record = this.#record;
    if (record === undefined || record.frames.count === 0) return;
    this.#record = undefined;
    this.#close(record);
  }

  /** Within a group time is exactly linear, so that a playback needs no more than its start. */
  #close(record: TrackRecord): void {
    if (!this.#clock.settled) {
      this.#unsettled.push(record);
      return;
    }
    const dts90k = record.startDts90k;
    if (record.startsGroup) {
      this.#closingGroup = { dts90k, unixUs: this.#clock.toUnixUs(dts90k) };
    }
    const group = this.#closingGroup;
    record.groupStartUnixUs = group.unixUs;
    record.startUnixUs = group.unixUs + ticksToUs(dts90k - group.dts90k);
    const last = this.#lastHandedOut;
    if (last !== undefined && last.format !== record.format) {
      this.#run += 1;
      this.#sequence = 0;
    }
    this.#lastHandedOut = { run: this.#run, format: record.format };
    record.run = this.#run;
    record.sequence = this.#sequence++;
    this.#options.onRecord(record);
    record.release();
  }

  #settle(): void {
    const first = this.#unsettled[0] ?? this.#closing ?? this.#record;
    this.#clock.settle(first?.startDts90k ?? 0);
    const waiting = this.#unsettled;
    this.#unsettled = [];
    for (const record of waiting) this.#close(record);
  }

  #forgetUnit(): void {
    const record = this.#record;
    if (record !== undefined) {
      record.frames.discardOpenFrame();
      record.piece.end = this.#unitStart;
    }
    this.#resetUnit();
  }

  #resetUnit(): void {
    this.#nalStart = -1;
    this.#unitIsKey = false;
    this.#unitHasRecoveryPoint = false;
    this.#unitTooLarge = false;
  }
}
