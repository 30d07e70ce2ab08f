// Puts NAL units together to access units and hands them to the sink, or says why not.

import {
  isFirstSlice,
  nalHeaderBytes,
  nalKind,
  slicePpsId,
  type FrameDropReason,
  type FrameSink,
  type NalKind,
  type ParameterSets,
  type VideoFormat,
} from '#media';
import { HeldUnits } from './held-units.js';
import type { RtpTimeline } from './rtp-timeline.js';
import { countIn, type StreamCounters } from './stream-face.js';

/** Larger access units are no video; the pipeline's bound is the same. */
const MAX_UNIT_BYTES = 8 * 1024 * 1024;
const REORDER_WINDOW = 16;
/** Holds the fields of a slice header up to the id of its picture parameter set. */
const SLICE_HEAD_BYTES = 16;

export interface AccessUnitsOptions {
  readonly sets: ParameterSets;
  readonly timeline: RtpTimeline;
  readonly counters: StreamCounters;
  monotonicMs(): number;
  nowUnixUs(): number;
  /** The first format, or a changed one: the sink for what follows, undefined to go on with none. */
  onFormat(format: VideoFormat): FrameSink | undefined;
}

/**
 * `idle`: no slice of the unit came yet. `open`: the sink gets it. `skipped`: it is damaged or
 * unwanted, and the rest of it is passed over.
 */
type State = 'idle' | 'open' | 'skipped';

/**
 * Parameter sets and SEI that precede the first slice are held back until it shows whether the unit
 * is a key frame: then a new format is announced before, and the sets come first.
 */
export class AccessUnits {
  readonly #options: AccessUnitsOptions;
  readonly #held: HeldUnits;
  readonly #headerBytes: number;
  #sink: FrameSink | undefined;
  #format: VideoFormat | undefined;
  #formatVersion = -1;
  #formatPps: number | undefined;

  #state: State = 'idle';
  #timestamp: number | undefined;
  #endedTimestamp: number | undefined;
  #unitBytes = 0;
  #unitIsKey = false;
  /** Where bytes of the open NAL unit go. */
  #nal: 'none' | 'sink' | 'held' | 'nowhere' = 'none';
  /** Packets are missing before what comes next. */
  #lossBefore = false;
  /** Nothing came yet: the camera may have begun in the middle of a unit. */
  #atStart = true;
  /** Seen to be set within a unit: only timestamps tell where one ends. */
  #markerLies = false;

  readonly #recentPts = new Float64Array(REORDER_WINDOW);
  #recentCount = 0;
  #learnedReorder = 0;

  constructor(options: AccessUnitsOptions) {
    this.#options = options;
    options.counters.jitter.restart();
    this.#held = new HeldUnits(options.sets);
    this.#headerBytes = nalHeaderBytes(options.sets.codec);
  }

  /** The sink of a run whose format was known before the first packet. */
  begin(format: VideoFormat, sink: FrameSink): void {
    this.#format = format;
    this.#formatVersion = this.#options.sets.version;
    this.#sink = sink;
  }

  /** A packet of this timestamp comes; `lost` when packets before it are missing. */
  beginPacket(timestamp: number, lost: boolean): void {
    if (timestamp !== this.#timestamp) {
      if (this.#state !== 'idle') {
        if (lost) this.#damage('packet-lost');
        this.endUnit();
      }
      this.#timestamp = timestamp;
    } else if (lost && this.#state !== 'idle') {
      this.#damage('packet-lost');
    }
    if (lost) {
      // Within a unit whose beginning was there, the loss is that unit's alone.
      if (this.#state === 'idle') this.#lossBefore = true;
      if (this.#nal === 'held') this.#held.discardOpen();
      this.#nal = 'none';
    }
  }

  /** The packet carried the marker bit: it is the last of its access unit. */
  endPacket(marker: boolean): void {
    if (marker && !this.#markerLies && this.#state !== 'idle') this.endUnit();
  }

  /**
   * A NAL unit begins. The bytes from `start` to `end` follow its first byte; enough of a slice's
   * header must be among them.
   */
  beginNal(firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#nal !== 'none') this.#damage('malformed');
    const { codec } = this.#options.sets;
    const kind = nalKind(codec, firstByte);
    if (kind === 'delimiter') {
      this.#nal = 'nowhere';
      return;
    }
    if (kind === 'slice' || kind === 'key-slice') {
      this.#beginSlice(kind, firstByte, bytes, start);
    } else if (this.#state === 'idle' || kind === 'set') {
      // A set behind a slice belongs to the next unit.
      this.#nal = 'held';
      if (!this.#held.begin(firstByte)) this.#malformed();
    } else {
      this.#beginInSink(firstByte);
    }
    this.appendNal(bytes, start, end);
  }

  appendNal(bytes: Uint8Array, start: number, end: number): void {
    if (this.#nal === 'sink') {
      this.#unitBytes += end - start;
      if (this.#unitBytes > MAX_UNIT_BYTES) this.#damage('too-large');
      else this.#sink?.appendNal(bytes, start, end);
    } else if (this.#nal === 'held' && !this.#held.append(bytes, start, end)) {
      this.#malformed();
    }
  }

  endNal(): void {
    if (this.#nal === 'held') this.#held.end();
    this.#nal = 'none';
  }

  /** A packet came that cannot be read. */
  malformed(): void {
    this.#malformed();
  }

  /** A fragment came whose beginning did not. */
  fragmentWithoutStart(): void {
    if (this.#atStart || this.#lossBefore || this.#state === 'skipped') return;
    this.#malformed();
  }

  /** The source is another one from here on. */
  breakOff(): void {
    this.#damage('packet-lost');
    this.endUnit();
    this.#held.clear();
    this.#nal = 'none';
    this.#lossBefore = true;
    this.#options.timeline.breakOff();
  }

  /** The access unit ends here, whole or not. */
  endUnit(): void {
    if (this.#state === 'idle') return;
    if (this.#nal === 'sink') this.#damage('malformed');
    if (this.#nal === 'held') this.#held.discardOpen();
    this.#nal = 'none';
    const { timeline, counters } = this.#options;
    const jumps = timeline.jumps;
    const atMs = this.#options.monotonicMs();
    const pts90k = timeline.next(this.#timestamp ?? 0, atMs);
    counters.jitter.frame(pts90k, atMs);
    counters.clockJumps += timeline.jumps - jumps;
    if (this.#state === 'open') {
      counters.frames += 1;
      this.#learnReorder(pts90k);
      this.#sink?.endFrame(pts90k, this.#options.nowUnixUs());
    }
    this.#state = 'idle';
    this.#endedTimestamp = this.#timestamp;
  }

  /** The run is over: what the sink has of an open unit is to be forgotten. */
  end(): void {
    if (this.#state === 'open') this.#sink?.dropFrame('packet-lost');
    this.#state = 'skipped';
    this.#sink = undefined;
    this.#nal = 'nowhere';
  }

  #beginSlice(kind: NalKind, firstByte: number, bytes: Uint8Array, start: number): void {
    if (this.#state === 'idle') {
      const at = start + this.#headerBytes - 1;
      if (!this.#mayBegin(kind, isFirstSlice(bytes[at] ?? 0))) this.#state = 'skipped';
      else this.#beginUnit(kind, firstByte, bytes, at);
    }
    this.#beginInSink(firstByte);
  }

  /** Whether an access unit that begins with this slice can be whole and of use. */
  #mayBegin(kind: NalKind, first: boolean): boolean {
    const lossBefore = this.#lossBefore;
    this.#lossBefore = false;
    if (this.#atStart) {
      this.#atStart = false;
      if (!first) return false;
    }
    // A picture in front is missing or its tail is: only a whole key frame mends that.
    if (lossBefore && !(first && kind === 'key-slice')) {
      this.#reportLost('packet-lost');
      return false;
    }
    if (!first) {
      // A slice in the middle of its picture, right behind a marker: that marker was none.
      if (this.#timestamp === this.#endedTimestamp) this.#markerLies = true;
      this.#reportLost('malformed');
      return false;
    }
    return true;
  }

  #beginUnit(kind: NalKind, firstByte: number, bytes: Uint8Array, at: number): void {
    this.#unitIsKey = kind === 'key-slice';
    this.#unitBytes = 0;
    // A stream that refreshes gradually has no key frames: its sets come with other pictures.
    if (this.#unitIsKey || this.#options.sets.version !== this.#formatVersion) {
      this.#takeFormat(firstByte, bytes.subarray(at, at + SLICE_HEAD_BYTES));
    }
    if (this.#sink === undefined) {
      countIn(this.#options.counters.dropped, 'before-parameter-sets');
      this.#held.clear();
      this.#state = 'skipped';
      return;
    }
    this.#state = 'open';
    const { parameterSets } = this.#format ?? { parameterSets: [] };
    if (this.#unitIsKey) {
      for (const set of parameterSets) {
        this.#sink.beginNal(set[0] ?? 0);
        this.#sink.appendNal(set, 1, set.length);
      }
    }
    this.#unitBytes += this.#held.flushTo(this.#sink, this.#unitIsKey ? parameterSets : []);
  }

  /** Before a picture: announces its format when it is not the last one. */
  #takeFormat(firstByte: number, payload: Uint8Array): void {
    const { sets } = this.#options;
    const ppsId = slicePpsId(sets.codec, firstByte, payload);
    if (sets.version === this.#formatVersion && ppsId === this.#formatPps) {
      if (this.#learnedReorder <= (this.#format?.reorderFrames ?? 0)) return;
    }
    this.#formatVersion = sets.version;
    this.#formatPps = ppsId;
    let format = sets.format(ppsId);
    if (format === undefined) return;
    if (this.#learnedReorder > format.reorderFrames && sets.reorderingIsOpen(format)) {
      format = { ...format, reorderFrames: this.#learnedReorder };
    } else {
      this.#learnedReorder = 0;
    }
    if (this.#format !== undefined && sameFormat(format, this.#format)) return;
    this.#format = format;
    this.#sink = this.#options.onFormat(format) ?? this.#sink;
  }

  /** An SPS that is silent about reordering is mended by what the timestamps show. */
  #learnReorder(pts90k: number): void {
    if (this.#unitIsKey) this.#recentCount = 0;
    let later = 0;
    const count = Math.min(this.#recentCount, REORDER_WINDOW);
    for (let index = 0; index < count; index++) {
      if ((this.#recentPts[index] ?? 0) > pts90k) later += 1;
    }
    this.#recentPts[this.#recentCount++ % REORDER_WINDOW] = pts90k;
    if (later > this.#learnedReorder) this.#learnedReorder = later;
  }

  #beginInSink(firstByte: number): void {
    if (this.#state !== 'open') {
      this.#nal = 'nowhere';
      return;
    }
    this.#nal = 'sink';
    this.#unitBytes += 1;
    this.#sink?.beginNal(firstByte);
  }

  /** A unit is lost of which the sink has seen nothing. */
  #reportLost(reason: FrameDropReason): void {
    countIn(this.#options.counters.dropped, reason);
    this.#sink?.dropFrame(reason);
  }

  #damage(reason: FrameDropReason): void {
    if (this.#nal === 'held') this.#held.discardOpen();
    if (this.#state === 'open') {
      this.#state = 'skipped';
      this.#reportLost(reason);
    }
    this.#nal = 'nowhere';
  }

  #malformed(): void {
    this.#options.counters.malformedPackets += 1;
    if (this.#state === 'idle') this.#lossBefore = true;
    this.#damage('malformed');
    this.#nal = 'none';
  }
}

function sameFormat(a: VideoFormat, b: VideoFormat): boolean {
  if (a === b) return true;
  if (a.reorderFrames !== b.reorderFrames || a.parameterSets.length !== b.parameterSets.length) {
    return false;
  }
  return a.parameterSets.every(
    (set, index) => Buffer.compare(set, b.parameterSets[index] ?? set) === 0,
  );
}
