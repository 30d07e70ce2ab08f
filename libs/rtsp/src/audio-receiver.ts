// The sound of one run: from RTP packets to the listener's audio sink. It never disturbs the picture.

import type { Clock, Log } from '#base';
import { AudioFrameClock, type AudioSink } from '#media';
import type { AudioChoice } from './audio-choice.js';
import {
  audioDepacketizer,
  type AudioDepacketizer,
  type AudioFrames,
} from './audio-depacketizer.js';
import type { MediaHandler } from './media-handler.js';
import { payloadStart, readU32 } from './rtp-receiver.js';
import { RtpTimeline } from './rtp-timeline.js';
import { readRtcp } from './sender-report.js';
import { countIn, type AudioCounters } from './stream-face.js';

const HEADER_BYTES = 12;
/** As for video: further ahead, or further behind, is another beginning. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

export interface AudioReceiverOptions {
  readonly choice: AudioChoice;
  readonly counters: AudioCounters;
  readonly clock: Clock;
  readonly log: Log;
  /** The sink, once the picture's run has begun; undefined before. */
  begin(): AudioSink | undefined;
  /** A sender report: the same moment on the camera's wall clock and on the sound's. */
  onReport(unixMs: number, pts90k: number): void;
}

export class AudioReceiver implements MediaHandler, AudioFrames {
  readonly #options: AudioReceiverOptions;
  readonly #timeline: RtpTimeline;
  readonly #frameClock: AudioFrameClock;
  readonly #depacketizer: AudioDepacketizer;
  readonly #at = { pts90k: 0, receivedAtUnixUs: 0 };
  #sink: AudioSink | undefined;
  #sequence = -1;
  #ssrc = 0;
  #pts90k = 0;
  /** Of the frames given out of this packet. */
  #elapsedTicks = 0;
  #jumps = 0;
  #ended = false;

  constructor(options: AudioReceiverOptions) {
    this.#options = options;
    const { choice } = options;
    options.counters.jitter.restart();
    this.#timeline = new RtpTimeline(choice.coding.clockRate);
    this.#frameClock = new AudioFrameClock(choice.format);
    this.#depacketizer = audioDepacketizer(choice.packing, this);
  }

  get sink(): AudioSink | undefined {
    return this.#sink;
  }

  onRtp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    try {
      this.#receive(bytes, start, end);
    } catch (error) {
      this.#ended = true;
      this.#options.log.error({ err: error }, 'the sound of a stream broke and is left out');
    }
  }

  arrived(packet: Uint8Array): void {
    const { counters, choice, clock } = this.#options;
    const { payloadType, clockRate } = choice.coding;
    if (((packet[1] ?? 0) & 127) !== payloadType) return;
    counters.jitter.packet(readU32(packet, 4), clockRate, clock.monotonicMs());
  }

  onRtcp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    const { unixMs, rtpTimestamp = 0 } = readRtcp(bytes, start, end) ?? {};
    const pts90k = this.#timeline.at(rtpTimestamp);
    if (unixMs !== undefined && pts90k !== undefined) this.#options.onReport(unixMs, pts90k);
  }

  end(): void {
    this.#ended = true;
  }

  frame(bytes: Uint8Array, start: number, end: number): void {
    const { counters, clock } = this.#options;
    const ticks = this.#frameClock.ticks(bytes, start, end);
    this.#at.pts90k = Math.round(this.#pts90k + this.#elapsedTicks);
    this.#at.receivedAtUnixUs = clock.nowUnixUs();
    this.#elapsedTicks += ticks;
    if (ticks === 0) return this.malformed();
    this.#sink ??= this.#options.begin();
    if (this.#sink === undefined) return countIn(counters.dropped, 'before-picture');
    counters.frames += 1;
    this.#sink.frame(bytes, start, end, this.#at);
  }

  malformed(): void {
    this.#options.counters.malformedPackets += 1;
  }

  broken(): void {
    countIn(this.#options.counters.dropped, 'packet-lost');
  }

  #receive(bytes: Uint8Array, start: number, end: number): void {
    const { counters, choice, clock } = this.#options;
    const first = bytes[start] ?? 0;
    if (end - start < HEADER_BYTES || first >> 6 !== 2) return this.malformed();
    const second = bytes[start + 1] ?? 0;
    if ((second & 127) !== choice.coding.payloadType) return;
    counters.packets += 1;
    counters.bytes += end - start;
    const bodyStart = payloadStart(bytes, start, end);
    const padded = (first & 0x20) !== 0;
    const bodyEnd = padded ? end - (bytes[end - 1] ?? 0) : end;
    if (bodyStart > bodyEnd || (padded && bodyEnd === end)) return this.malformed();
    const sequence = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    if (!this.#follow(sequence, readU32(bytes, start + 8)) || bodyEnd === bodyStart) return;
    const atMs = clock.monotonicMs();
    this.#pts90k = this.#timeline.next(readU32(bytes, start + 4), atMs);
    counters.jitter.frame(this.#pts90k, atMs);
    counters.clockJumps += this.#timeline.jumps - this.#jumps;
    this.#jumps = this.#timeline.jumps;
    this.#elapsedTicks = 0;
    this.#depacketizer.payload(bytes, bodyStart, bodyEnd, (second & 0x80) !== 0);
  }

  /** False for a packet that is late or doubled. */
  #follow(sequence: number, ssrc: number): boolean {
    const ahead = (sequence - this.#sequence) & 0xffff;
    const isFirst = this.#sequence < 0;
    if (!isFirst && ssrc === this.#ssrc) {
      if (ahead === 0 || ahead > 0x10000 - MAX_MISORDER) return false;
      if (ahead < MAX_DROPOUT) {
        this.#options.counters.lostPackets += ahead - 1;
        if (ahead > 1) this.#depacketizer.interrupted();
        this.#sequence = sequence;
        return true;
      }
    }
    this.#sequence = sequence;
    this.#ssrc = ssrc;
    if (isFirst) return true;
    this.#depacketizer.interrupted();
    this.#timeline.breakOff();
    return true;
  }
}
