// The sound of one publication: from audio messages to the listener's sink. It never disturbs the picture.

import type { Clock } from '#base';
import {
  aacFormat,
  AudioFrameClock,
  plainAudioFormat,
  type AudioFormat,
  type AudioSink,
} from '#media';
import { countIn, RtpTimeline, type AudioCounters } from '#rtsp';
import { readAudioTag, type AudioTag } from './audio-tag.js';

const TICKS_PER_SECOND = 1000;
const G711_RATE = 8000;
const OPUS_RATE = 48_000;
/** RFC 7845, 5.1: where an Opus head tells its channels. */
const OPUS_CHANNELS_AT = 9;
/** RTMP counts whole milliseconds: what differs by less from the frames' own time is rounding. */
const ROUNDING_90K = 135;

export interface PushAudioOptions {
  readonly counters: AudioCounters;
  readonly clock: Clock;
  /** The sink, once the picture's run has begun; undefined before. */
  begin(format: AudioFormat): AudioSink | undefined;
  /** The picture's time of a timestamp; undefined before its first frame. */
  videoTimeOf(timestamp: number): number | undefined;
}

export class PushAudio {
  readonly #options: PushAudioOptions;
  readonly #timeline = new RtpTimeline(TICKS_PER_SECOND);
  readonly #at = { pts90k: 0, receivedAtUnixUs: 0 };
  #name: string | undefined;
  #fault: string | undefined;
  #format: AudioFormat | undefined;
  #frameClock: AudioFrameClock | undefined;
  #sink: AudioSink | undefined;
  #changed = false;
  #next90k: number | undefined;
  #offset90k: number | undefined;

  constructor(options: PushAudioOptions) {
    this.#options = options;
    options.counters.jitter.restart();
  }

  /** How it is coded, once some came. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Why it is not recorded, as a sentence. */
  get fault(): string | undefined {
    return this.#fault;
  }

  receive(timestamp: number, bytes: Uint8Array, start: number, end: number): void {
    const { counters } = this.#options;
    counters.packets += 1;
    counters.bytes += end - start;
    const tag = readAudioTag(bytes, start, end);
    if (tag === undefined) {
      counters.malformedPackets += 1;
      return;
    }
    this.#name ??= tag.name;
    if (tag.kind === 'config') this.#configure(tag, bytes.subarray(tag.at, end));
    else if (tag.kind === 'frame' && tag.at < end) this.#frame(timestamp, tag, bytes, end);
  }

  #configure(tag: AudioTag, config: Uint8Array): void {
    if (tag.coding === 'aac') {
      const format = aacFormat(config);
      if (format === undefined) this.#fault = 'its AAC is of a kind that is not recorded';
      else this.#take(format);
    } else if (tag.coding === 'opus') {
      const channels = config[OPUS_CHANNELS_AT] ?? 2;
      this.#take(plainAudioFormat('opus', OPUS_RATE, channels === 1 ? 1 : 2));
    }
  }

  #take(format: AudioFormat): void {
    const before = this.#format;
    if (before === undefined) {
      this.#format = format;
      this.#frameClock = new AudioFrameClock(format);
      return;
    }
    const same =
      before.codec === format.codec &&
      before.channels === format.channels &&
      Buffer.compare(before.config, format.config) === 0;
    // A run has one format of sound: another one begins with the next run.
    this.#changed = !same;
  }

  #frame(timestamp: number, tag: AudioTag, bytes: Uint8Array, end: number): void {
    const { counters, clock, begin } = this.#options;
    if (this.#format === undefined && (tag.coding === 'pcma' || tag.coding === 'pcmu')) {
      this.#take(plainAudioFormat(tag.coding, G711_RATE, tag.channels));
    }
    if (tag.coding === undefined) {
      this.#fault ??= `${tag.name} is not recorded; choose AAC in the publisher's settings`;
      return countIn(counters.dropped, 'unsupported');
    }
    const format = this.#format;
    const ticks = this.#frameClock?.ticks(bytes, tag.at, end) ?? 0;
    if (format === undefined) return countIn(counters.dropped, 'before-configuration');
    if (this.#changed || format.codec !== tag.coding) {
      return countIn(counters.dropped, 'format-changed');
    }
    if (ticks === 0) {
      counters.malformedPackets += 1;
      return;
    }
    const jumps = this.#timeline.jumps;
    const atMs = clock.monotonicMs();
    const told90k = this.#timeline.next(timestamp, atMs);
    counters.jitter.frame(told90k, atMs);
    counters.clockJumps += this.#timeline.jumps - jumps;
    const expected90k = this.#next90k ?? told90k;
    const pts90k = Math.abs(told90k - expected90k) <= ROUNDING_90K ? expected90k : told90k;
    this.#next90k = pts90k + ticks;
    this.#sink ??= begin(format);
    if (this.#sink === undefined) return countIn(counters.dropped, 'before-picture');
    this.#align(this.#sink, timestamp);
    counters.frames += 1;
    this.#at.pts90k = Math.round(pts90k);
    this.#at.receivedAtUnixUs = clock.nowUnixUs();
    this.#sink.frame(bytes, tag.at, end, this.#at);
  }

  /** Both count the same milliseconds; their times differ only where one of them jumped. */
  #align(sink: AudioSink, timestamp: number): void {
    const video90k = this.#options.videoTimeOf(timestamp);
    const audio90k = this.#timeline.at(timestamp);
    if (video90k === undefined || audio90k === undefined) return;
    const offset90k = Math.round(video90k - audio90k);
    if (offset90k === this.#offset90k) return;
    this.#offset90k = offset90k;
    sink.align(offset90k);
  }
}
