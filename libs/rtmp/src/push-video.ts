// The video of one publication: from video messages to the listener's sink.

import type { Clock } from '#base';
import { ParameterSets, nalHeaderBytes, nalKind, type VideoCodec, type VideoFormat } from '#media';
import {
  AccessUnits,
  RtpTimeline,
  type StreamCounters,
  type StreamInfo,
  type StreamListener,
} from '#rtsp';
import { readConfigurationRecord } from './configuration-record.js';
import { protocolError } from './publish-error.js';
import { readVideoTag } from './video-tag.js';

const TICKS_PER_SECOND = 1000;

export interface PushVideoOptions {
  readonly listener: StreamListener;
  readonly counters: StreamCounters;
  readonly clock: Clock;
  /** Asked when the run begins. */
  info(): Omit<StreamInfo, 'format'>;
  /** The run begins: called before `onStart`. */
  onBegin(): void;
}

export class PushVideo {
  readonly #options: PushVideoOptions;
  readonly #timeline = new RtpTimeline(TICKS_PER_SECOND);
  #codec: VideoCodec | undefined;
  #sets: ParameterSets | undefined;
  #units: AccessUnits | undefined;
  #lengthBytes = 4;
  #begun = false;
  #ended = false;

  constructor(options: PushVideoOptions) {
    this.#options = options;
  }

  /** `onStart` was called. */
  get begun(): boolean {
    return this.#begun;
  }

  /** On the picture's clock; undefined before the first frame. */
  timeOf(timestamp: number): number | undefined {
    return this.#timeline.at(timestamp);
  }

  /** Throws what ends the publication: another codec, or what cannot be read at all. */
  receive(timestamp: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    const { counters } = this.#options;
    counters.packets += 1;
    counters.bytes += end - start;
    const tag = readVideoTag(bytes, start, end);
    if (tag.kind === 'nothing') return;
    if (this.#codec !== undefined && tag.codec !== this.#codec) {
      throw protocolError(`the publisher changed from ${this.#codec} to ${tag.codec}`);
    }
    if (tag.kind === 'config') {
      this.#configure(tag.codec, bytes.subarray(tag.at, end));
    } else if (this.#units === undefined) {
      // Nobody knows yet how long the lengths are.
      counters.dropped['before-parameter-sets'] =
        (counters.dropped['before-parameter-sets'] ?? 0) + 1;
    } else {
      this.#units.beginPacket((timestamp + tag.offsetMs) >>> 0, false);
      this.#takeUnits(this.#units, tag, bytes, end);
      // Its end, unless the publisher sends the slices of a picture one by one.
      this.#units.endPacket(true);
    }
  }

  /** A video message was given up in the middle. */
  aborted(): void {
    this.#units?.malformed();
  }

  /** The publication is over; nothing is called after it. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#units?.end();
  }

  #configure(codec: VideoCodec, record: Uint8Array): void {
    const { counters, clock } = this.#options;
    const { lengthBytes, units } = readConfigurationRecord(codec, record);
    this.#codec = codec;
    this.#lengthBytes = lengthBytes;
    const sets = (this.#sets ??= new ParameterSets(codec));
    for (const unit of units) sets.put(unit);
    this.#units ??= new AccessUnits({
      sets,
      timeline: this.#timeline,
      counters,
      monotonicMs: () => clock.monotonicMs(),
      nowUnixUs: () => clock.nowUnixUs(),
      onFormat: (format) => this.#format(format),
    });
  }

  #takeUnits(
    units: AccessUnits,
    { codec, at: start }: { readonly codec: VideoCodec; readonly at: number },
    bytes: Uint8Array,
    end: number,
  ): void {
    const lengthBytes = this.#lengthBytes;
    const headerBytes = nalHeaderBytes(codec);
    let at = start;
    while (at < end) {
      if (at + lengthBytes > end) return units.malformed();
      let size = 0;
      for (let index = 0; index < lengthBytes; index++) size = size * 256 + (bytes[at++] ?? 0);
      if (at + size > end) return units.malformed();
      if (size === 0) continue;
      const first = bytes[at] ?? 0;
      const kind = nalKind(codec, first);
      const isSlice = kind === 'slice' || kind === 'key-slice';
      if (size < headerBytes + (isSlice ? 1 : 0)) return units.malformed();
      units.beginNal(first, bytes, at + 1, at + size);
      units.endNal();
      at += size;
    }
  }

  #format(format: VideoFormat) {
    const { listener, onBegin, info } = this.#options;
    if (this.#begun) {
      listener.onFormat(format);
      return undefined;
    }
    this.#begun = true;
    onBegin();
    return listener.onStart({ format, ...info() });
  }
}
