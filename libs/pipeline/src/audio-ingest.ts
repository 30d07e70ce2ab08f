// Lays the sound of one run into records of a second, each of which can be played by itself.

import {
  ADTS_BYTES,
  adtsHeader,
  AudioFrameClock,
  MAX_ADTS_PAYLOAD_BYTES,
  setAdtsLength,
  type AudioFormat,
  type AudioMoment,
  type AudioSink,
} from '#media';
import { CameraClock } from './camera-clock.js';
import type { SlabPool } from './slab-pool.js';
import { TrackRecord } from './track-record.js';
import { ticksToUs } from './units.js';

export type AudioRecord = TrackRecord<AudioFormat>;

/** As for video: what a `kill -9` may cost. */
const RECORD_TICKS_90K = 90_000;
/** A frame that begins this far from where the last one ended follows a hole. */
const HOLE_TICKS = 2700;
const MAX_FRAME_BYTES = 64 * 1024;
/** Sender reports that put the sound further than this from its arrival are wrong. */
const BELIEVABLE_US = 2_000_000;
/** Where sound and picture differ by less, nobody hears it; the clock is not moved. */
const TOLERATED_US = 20_000;
const PICTURE_PATIENCE_US = 5_000_000;
/** Of what the clock is off, so much is made good per record. */
const STEP_US = 20_000;

export interface AudioIngestOptions {
  readonly run: number;
  readonly format: AudioFormat;
  readonly pool: SlabPool;
  /** Where the sound of the last run ended; 0 if there is none. */
  readonly notBeforeUnixUs: number;
  readonly counters: AudioIngestCounters;
  /** UTC of a moment on the picture's clock; undefined as long as that is not settled. */
  videoUnixUs(pts90k: number): number | undefined;
  /** Each frame as soon as it is whole, as it was sent; `utcUs` is provisional in the first moments. */
  onFrame?(frame: { source: Uint8Array; start: number; end: number; utcUs: number }): void;
  /** A closed record in order; the callee retains what it keeps. */
  onRecord(record: AudioRecord): void;
}

export class AudioIngestCounters {
  frames = 0;
  bytes = 0;
  /** Sender reports that were not believed. */
  wrongReports = 0;
  lastFrameUnixUs: number | undefined;
  readonly dropped: Record<string, number> = {};
}

export class AudioIngest implements AudioSink {
  readonly #options: AudioIngestOptions;
  readonly #clock: CameraClock;
  readonly #frameClock: AudioFrameClock;
  readonly #header: Buffer | undefined;
  #unsettled: AudioRecord[] = [];
  #record: AudioRecord | undefined;
  #sequence = 0;
  #videoMinusAudio90k: number | undefined;
  /** What is added to the arrival's clock to be where the picture's is. */
  #shiftUs = 0;
  #handedOut = false;
  #endPts90k = 0;
  #lastEndUnixUs: number;
  #lastReceivedUs = 0;
  #firstReceivedUs: number | undefined;
  #expectedBytes = 16 * 1024;
  #ended = false;

  constructor(options: AudioIngestOptions) {
    this.#options = options;
    this.#clock = new CameraClock(0);
    this.#frameClock = new AudioFrameClock(options.format);
    this.#header = options.format.codec === 'aac' ? adtsHeader(options.format) : undefined;
    this.#lastEndUnixUs = options.notBeforeUnixUs;
  }

  get format(): AudioFormat {
    return this.#options.format;
  }

  /** How much faster than ours the clock of the sound goes, in parts per million. */
  get driftPpm(): number | undefined {
    return this.#clock.driftPpm;
  }

  get run(): number {
    return this.#options.run;
  }

  frame(source: Uint8Array, start: number, end: number, at: AudioMoment): void {
    if (this.#ended) return;
    const { pts90k, receivedAtUnixUs: atUnixUs } = at;
    const { counters } = this.#options;
    const sizeBytes = end - start;
    const mostBytes = this.#header === undefined ? MAX_FRAME_BYTES : MAX_ADTS_PAYLOAD_BYTES;
    if (sizeBytes > mostBytes) {
      counters.dropped['too-large'] = (counters.dropped['too-large'] ?? 0) + 1;
      return;
    }
    this.#clock.observe(pts90k, atUnixUs);
    let record = this.#record;
    if (record !== undefined) {
      const apart = pts90k - this.#endPts90k;
      const { frames } = record;
      const isHole = Math.abs(apart) > HOLE_TICKS;
      // Rounding, and a camera whose clock is not quite that of its samples.
      if (!isHole && apart !== 0) {
        const last = frames.durationOf(frames.count - 1);
        frames.setLastDuration(Math.max(1, last + apart));
      }
      if (isHole || frames.duration90k >= RECORD_TICKS_90K) {
        this.#closeRecord();
        record = undefined;
      }
    }
    record ??= this.#openRecord(pts90k);
    this.#append(record, source, start, end);
    const ticks = Math.round(this.#frameClock.ticks(source, start, end));
    record.frames.endFrame(true, ticks, 0);
    this.#endPts90k = pts90k + ticks;
    this.#lastReceivedUs = atUnixUs;
    counters.frames += 1;
    counters.bytes += sizeBytes;
    counters.lastFrameUnixUs = atUnixUs;
    const utcUs = this.#clock.toUnixUs(pts90k) + this.#shiftUs;
    this.#options.onFrame?.({ source, start, end, utcUs });
    this.#firstReceivedUs ??= atUnixUs;
    if (!this.#clock.settled && this.#clock.isDue(atUnixUs) && this.#mayAnchor(atUnixUs)) {
      this.#settle();
    }
  }

  /** The picture's clock is waited for a while, since sender reports can tell only by it. */
  #mayAnchor(atUnixUs: number): boolean {
    const waitedUs = atUnixUs - (this.#firstReceivedUs ?? atUnixUs);
    return this.#options.videoUnixUs(0) !== undefined || waitedUs > PICTURE_PATIENCE_US;
  }

  align(videoMinusAudio90k: number): void {
    this.#videoMinusAudio90k = videoMinusAudio90k;
  }

  /** What has waited for its next frame is closed when none comes. About once a second. */
  closeStale(nowUnixUs: number): void {
    if (this.#record === undefined || nowUnixUs - this.#lastReceivedUs < 1_000_000) return;
    if (!this.#clock.settled) this.#settle();
    this.#closeRecord();
  }

  /** The run is over: what is whole is handed out. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#clock.settled && this.#record !== undefined) this.#settle();
    this.#closeRecord();
  }

  #openRecord(pts90k: number): AudioRecord {
    const { pool, format } = this.#options;
    const record = new TrackRecord<AudioFormat>({
      pool,
      startsGroup: false,
      format,
      expectedBytes: this.#expectedBytes,
      unitPrefixBytes: 0,
    });
    record.startDts90k = pts90k;
    this.#record = record;
    return record;
  }

  #append(record: AudioRecord, source: Uint8Array, start: number, end: number): void {
    const header = this.#header;
    const headerBytes = header === undefined ? 0 : ADTS_BYTES;
    const sizeBytes = headerBytes + end - start;
    record.reserve(sizeBytes);
    const { piece } = record;
    const at = piece.end;
    if (header !== undefined) {
      header.copy(piece.buffer, at);
      setAdtsLength(piece.buffer, at, end - start);
    }
    piece.buffer.set(source.subarray(start, end), at + headerBytes);
    piece.end = at + sizeBytes;
    record.frames.addNal(sizeBytes);
  }

  #closeRecord(): void {
    const record = this.#record;
    if (record === undefined) return;
    this.#record = undefined;
    this.#expectedBytes = Math.max(4096, record.payloadBytes * 1.25);
    if (this.#clock.settled) this.#handOut(record);
    else this.#unsettled.push(record);
  }

  #settle(): void {
    this.#clock.settle(this.#unsettled[0]?.startDts90k ?? this.#record?.startDts90k ?? 0);
    for (const record of this.#unsettled.splice(0)) this.#handOut(record);
  }

  #handOut(record: AudioRecord): void {
    const { onRecord, run } = this.#options;
    this.#clock.slew(record.startDts90k);
    this.#follow(record.startDts90k);
    const startUnixUs = this.#clock.toUnixUs(record.startDts90k) + this.#shiftUs;
    // Going back is done in steps that nobody hears: a record laps over the last one by no more.
    record.startUnixUs = Math.max(startUnixUs, this.#lastEndUnixUs - STEP_US);
    record.groupStartUnixUs = record.startUnixUs;
    record.run = run;
    record.sequence = this.#sequence++;
    this.#lastEndUnixUs = record.startUnixUs + ticksToUs(record.frames.duration90k);
    this.#handedOut = true;
    onRecord(record);
    record.release();
  }

  /** Moves the clock to where sender reports put it: at once before the first record, else in steps. */
  #follow(pts90k: number): void {
    const offset90k = this.#videoMinusAudio90k;
    if (offset90k === undefined) return;
    const toldUs = this.#options.videoUnixUs(pts90k + offset90k);
    if (toldUs === undefined) return;
    const errorUs = toldUs - this.#clock.toUnixUs(pts90k) - this.#shiftUs;
    if (Math.abs(errorUs + this.#shiftUs) > BELIEVABLE_US) {
      this.#options.counters.wrongReports += 1;
      return;
    }
    if (!this.#handedOut) this.#shiftUs += errorUs;
    else if (Math.abs(errorUs) > TOLERATED_US) {
      this.#shiftUs += Math.max(-STEP_US, Math.min(STEP_US, errorUs));
    }
  }
}
