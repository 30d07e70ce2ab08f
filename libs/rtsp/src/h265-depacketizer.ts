// H.265 out of RTP payloads (RFC 7798): single NAL units, aggregation packets, fragments.

import type { AccessUnits } from './access-units.js';
import type { Depacketizer } from './rtp-receiver.js';

const AGGREGATION = 48;
const FRAGMENT = 49;
const PACI = 50;
const HEADER_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;

export class H265Depacketizer implements Depacketizer {
  readonly #units: AccessUnits;
  /** Bytes of a decoding order number: there when `sprop-max-don-diff` is above 0. */
  readonly #orderBytes: number;
  #fragmentOpen = false;

  constructor(units: AccessUnits, hasOrderNumbers: boolean) {
    this.#units = units;
    this.#orderBytes = hasOrderNumbers ? 2 : 0;
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    if (end - start <= HEADER_BYTES) return this.#units.malformed();
    const type = ((bytes[start] ?? 0) >> 1) & 63;
    if (type !== FRAGMENT) this.#fragmentOpen = false;
    if (type === FRAGMENT) {
      this.#fragment(bytes, start, end);
    } else if (type === AGGREGATION) {
      this.#aggregate(bytes, start + HEADER_BYTES, end);
    } else if (type < AGGREGATION) {
      this.#single(bytes, start, end);
    } else {
      // 50 (PACI) may carry a unit inside; no camera sends it. The rest is not defined.
      if (type !== PACI) this.#units.malformed();
    }
  }

  interrupted(): void {
    this.#fragmentOpen = false;
  }

  #single(bytes: Uint8Array, start: number, end: number): void {
    const header = bytes[start] ?? 0;
    if (end - start <= HEADER_BYTES + this.#orderBytes) return this.#units.malformed();
    if (this.#orderBytes === 0) {
      this.#units.beginNal(header, bytes, start + 1, end);
    } else {
      // The order number stands between the header and its unit's bytes: the header's second byte
      // moves over it, so that both follow each other.
      const body = start + HEADER_BYTES + this.#orderBytes;
      bytes[body - 1] = bytes[start + 1] ?? 0;
      this.#units.beginNal(header, bytes, body - 1, end);
    }
    this.#units.endNal();
  }

  #fragment(bytes: Uint8Array, start: number, end: number): void {
    const flags = bytes[start + HEADER_BYTES] ?? 0;
    const isStart = (flags & FU_START) !== 0;
    // Only the first fragment of a unit has an order number (4.4.3).
    const body = start + HEADER_BYTES + 1 + (isStart ? this.#orderBytes : 0);
    if (body >= end) return this.#units.malformed();
    if (isStart) {
      if ((flags & 63) >= AGGREGATION) return this.#units.malformed();
      const header = ((bytes[start] ?? 0) & 0x81) | ((flags & 63) << 1);
      // The fragment header is spent: the second byte of the unit's header takes its place.
      bytes[body - 1] = bytes[start + 1] ?? 0;
      this.#units.beginNal(header, bytes, body - 1, end);
      this.#fragmentOpen = true;
    } else if (this.#fragmentOpen) {
      this.#units.appendNal(bytes, body, end);
    } else {
      return this.#units.fragmentWithoutStart();
    }
    if ((flags & FU_END) !== 0) {
      this.#units.endNal();
      this.#fragmentOpen = false;
    }
  }

  #aggregate(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let orderBytes = this.#orderBytes;
    while (at + orderBytes + 2 < end) {
      at += orderBytes;
      // Behind the first unit the order number is a difference of one byte (4.4.2).
      if (orderBytes > 0) orderBytes = 1;
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += 2;
      if (size <= HEADER_BYTES || at + size > end || !isUnit(bytes[at] ?? 0)) break;
      this.#units.beginNal(bytes[at] ?? 0, bytes, at + 1, at + size);
      this.#units.endNal();
      at += size;
    }
    if (at !== end || at === start) this.#units.malformed();
  }
}

/** Types that may stand in an aggregate: those of the H.265 standard itself. */
function isUnit(header: number): boolean {
  return ((header >> 1) & 63) < AGGREGATION;
}
