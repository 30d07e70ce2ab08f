// The video of one run: from RTP packets to the listener's sink.

import type { Clock } from '#base';
import { ParameterSets, type VideoFormat } from '#media';
import { AccessUnits } from './access-units.js';
import { H264Depacketizer } from './h264-depacketizer.js';
import { H265Depacketizer } from './h265-depacketizer.js';
import type { MediaHandler } from './media-handler.js';
import { readU32, RtpReceiver } from './rtp-receiver.js';
import { RtpTimeline } from './rtp-timeline.js';
import { parameterSetsOf, type VideoChoice } from './sdp.js';
import { readRtcp } from './sender-report.js';
import type { StreamCounters, StreamInfo, StreamListener } from './stream-face.js';

export interface VideoReceiverOptions {
  readonly video: VideoChoice;
  /** Asked for when the run begins. */
  info(): Omit<StreamInfo, 'format'>;
  readonly listener: StreamListener;
  readonly counters: StreamCounters;
  readonly clock: Clock;
  /** The run begins: called before `onStart`. */
  onBegin(): void;
  /** A sender report: the same moment on the camera's wall clock and on the picture's. */
  onReport(unixMs: number, pts90k: number): void;
  /** The camera said goodbye. */
  onBye(): void;
}

export class VideoReceiver implements MediaHandler {
  readonly #options: VideoReceiverOptions;
  readonly #sets: ParameterSets;
  readonly #units: AccessUnits;
  readonly #timeline: RtpTimeline;
  readonly #receiver: RtpReceiver;
  #playing = false;
  #begun = false;
  #ended = false;

  constructor(options: VideoReceiverOptions) {
    this.#options = options;
    const { video, counters, clock } = options;
    const { coding } = video;
    this.#sets = new ParameterSets(video.codec);
    for (const set of parameterSetsOf(coding)) this.#sets.put(set);
    this.#timeline = new RtpTimeline(coding.clockRate);
    this.#units = new AccessUnits({
      sets: this.#sets,
      timeline: this.#timeline,
      counters,
      monotonicMs: () => clock.monotonicMs(),
      nowUnixUs: () => clock.nowUnixUs(),
      onFormat: (format) => this.#format(format),
    });
    const orderNumbers = Number(coding.parameters.get('sprop-max-don-diff') ?? 0) > 0;
    this.#receiver = new RtpReceiver({
      payloadType: coding.payloadType,
      units: this.#units,
      counters,
      depacketizer:
        video.codec === 'h264'
          ? new H264Depacketizer(this.#units)
          : new H265Depacketizer(this.#units, orderNumbers),
    });
  }

  /** `onStart` was called. */
  get begun(): boolean {
    return this.#begun;
  }

  /** PLAY was answered, or the first packet is here before the answer. */
  playing(): void {
    if (this.#playing || this.#ended) return;
    this.#playing = true;
    const format = this.#sets.format();
    if (format !== undefined) this.#units.begin(format, this.#begin(format));
  }

  onRtp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    if (!this.#playing) this.playing();
    this.#receiver.receive(bytes, start, end);
  }

  arrived(packet: Uint8Array): void {
    const { counters, video, clock } = this.#options;
    const { payloadType, clockRate } = video.coding;
    if (((packet[1] ?? 0) & 127) !== payloadType) return;
    counters.jitter.packet(readU32(packet, 4), clockRate, clock.monotonicMs());
  }

  onRtcp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    const facts = readRtcp(bytes, start, end);
    if (facts?.unixMs !== undefined && this.#begun) {
      this.#options.listener.onClock?.(facts.unixMs - this.#options.clock.nowUnixMs());
    }
    const pts90k = this.#timeline.at(facts?.rtpTimestamp ?? 0);
    if (facts?.unixMs !== undefined && pts90k !== undefined) {
      this.#options.onReport(facts.unixMs, pts90k);
    }
    if (facts?.bye === true) this.#options.onBye();
  }

  /** The run is over; nothing is called after it. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#units.end();
  }

  #format(format: VideoFormat) {
    if (!this.#begun) return this.#begin(format);
    this.#options.listener.onFormat(format);
    return undefined;
  }

  #begin(format: VideoFormat) {
    this.#begun = true;
    this.#options.onBegin();
    return this.#options.listener.onStart({ format, ...this.#options.info() });
  }
}
