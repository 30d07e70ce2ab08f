// Reads RTP packets (RFC 3550): headers, order, losses; payloads go to the depacketizer.

import type { AccessUnits } from './access-units.js';
import type { StreamCounters } from './stream-face.js';

/** What one codec's payload format asks for. */
export interface Depacketizer {
  /** A payload of at least one byte; `bytes` may be changed in place. */
  payload(bytes: Uint8Array, start: number, end: number): void;
  /** The packets that follow do not continue those before. */
  interrupted(): void;
}

const HEADER_BYTES = 12;
/** RFC 3550, A.1: further back is no late packet but another beginning. */
const MAX_MISORDER = 100;
const MAX_DROPOUT = 3000;
/** A source that was left comes back only when so many packets came from nobody else. */
const MAX_STRANGERS = 100;

export interface RtpReceiverOptions {
  readonly payloadType: number;
  readonly depacketizer: Depacketizer;
  readonly units: AccessUnits;
  readonly counters: StreamCounters;
}

/** Packets come in the order in which they were sent, some of them missing. */
export class RtpReceiver {
  readonly #options: RtpReceiverOptions;
  #sequence = -1;
  #ssrc = 0;
  /** The source before this one: two that take turns must not break each other off for ever. */
  #formerSsrc = -1;
  #strangers = 0;
  #restart = -1;

  constructor(options: RtpReceiverOptions) {
    this.#options = options;
  }

  /** One packet in `bytes` from `start` to `end`; nothing of it is kept. */
  receive(bytes: Uint8Array, start: number, end: number): void {
    const { counters, units, depacketizer } = this.#options;
    const first = bytes[start] ?? 0;
    if (end - start < HEADER_BYTES || first >> 6 !== 2) {
      counters.malformedPackets += 1;
      return;
    }
    const second = bytes[start + 1] ?? 0;
    if ((second & 127) !== this.#options.payloadType) return;
    counters.packets += 1;
    counters.bytes += end - start;
    const bodyStart = payloadStart(bytes, start, end);
    const bodyEnd = (first & 0x20) === 0 ? end : end - (bytes[end - 1] ?? 0);
    if (bodyStart > bodyEnd || ((first & 0x20) !== 0 && bodyEnd === end)) {
      counters.malformedPackets += 1;
      return;
    }
    const sequence = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    const ssrc = readU32(bytes, start + 8);
    const lost = this.#follow(sequence, ssrc);
    if (lost < 0) return;
    if (lost > 0) depacketizer.interrupted();
    units.beginPacket(readU32(bytes, start + 4), lost > 0);
    // An empty payload is legal: it keeps a path open.
    if (bodyEnd > bodyStart) depacketizer.payload(bytes, bodyStart, bodyEnd);
    units.endPacket((second & 0x80) !== 0);
  }

  /** How many packets are missing before this one; -1 when it is late or doubled. */
  #follow(sequence: number, ssrc: number): number {
    const { counters, units, depacketizer } = this.#options;
    if (this.#sequence < 0) {
      this.#sequence = sequence;
      this.#ssrc = ssrc;
      return 0;
    }
    if (ssrc !== this.#ssrc) {
      if (ssrc === this.#formerSsrc && ++this.#strangers < MAX_STRANGERS) return -1;
      this.#formerSsrc = this.#ssrc;
      this.#strangers = 0;
      this.#ssrc = ssrc;
      this.#sequence = sequence;
      depacketizer.interrupted();
      units.breakOff();
      return 0;
    }
    this.#strangers = 0;
    const ahead = (sequence - this.#sequence) & 0xffff;
    if (ahead > 0 && ahead < MAX_DROPOUT) {
      this.#sequence = sequence;
      this.#restart = -1;
      counters.lostPackets += ahead - 1;
      return ahead - 1;
    }
    if (ahead === 0 || ahead > 0x10000 - MAX_MISORDER) return -1;
    // Two in a row from a far place: the camera counts anew from there.
    if (sequence !== this.#restart) {
      this.#restart = (sequence + 1) & 0xffff;
      counters.lostPackets += 1;
      return -1;
    }
    this.#restart = -1;
    this.#sequence = sequence;
    depacketizer.interrupted();
    return 1;
  }
}

/** Behind the header, its contributing sources and its extension; past `end` when it is cut. */
export function payloadStart(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] ?? 0;
  let at = start + HEADER_BYTES + (first & 15) * 4;
  if ((first & 0x10) === 0) return at;
  if (at + 4 > end) return end + 1;
  at += 4 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) * 4;
  return at > end ? end + 1 : at;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
