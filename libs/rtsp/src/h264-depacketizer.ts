// H.264 out of RTP payloads (RFC 6184): single NAL units, STAP-A, FU-A.

import type { AccessUnits } from './access-units.js';
import type { Depacketizer } from './rtp-receiver.js';

const STAP_A = 24;
const FU_A = 28;
const FU_START = 0x80;
const FU_END = 0x40;

export class H264Depacketizer implements Depacketizer {
  readonly #units: AccessUnits;
  #fragmentOpen = false;

  constructor(units: AccessUnits) {
    this.#units = units;
  }

  payload(bytes: Uint8Array, start: number, end: number): void {
    const header = bytes[start] ?? 0;
    const type = header & 31;
    if (type !== FU_A) this.#fragmentOpen = false;
    if (isUnit(header)) {
      this.#units.beginNal(header, bytes, start + 1, end);
      this.#units.endNal();
    } else if (type === FU_A) {
      this.#fragment(bytes, start, end);
    } else if (type === STAP_A) {
      this.#aggregate(bytes, start + 1, end);
    } else {
      // Type 0 and what only interleaved mode may send.
      this.#units.malformed();
    }
  }

  interrupted(): void {
    this.#fragmentOpen = false;
  }

  #fragment(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 2) return this.#units.malformed();
    const flags = bytes[start + 1] ?? 0;
    if ((flags & FU_START) !== 0) {
      if (end - start < 3 || !isUnit(flags)) return this.#units.malformed();
      const header = ((bytes[start] ?? 0) & 0xe0) | (flags & 31);
      this.#units.beginNal(header, bytes, start + 2, end);
      this.#fragmentOpen = true;
    } else if (this.#fragmentOpen) {
      this.#units.appendNal(bytes, start + 2, end);
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
    while (at + 2 < end) {
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += 2;
      if (size === 0 || at + size > end || !isUnit(bytes[at] ?? 0)) break;
      this.#units.beginNal(bytes[at] ?? 0, bytes, at + 1, at + size);
      this.#units.endNal();
      at += size;
    }
    if (at !== end || at === start) this.#units.malformed();
  }
}

/** Types that may stand in a fragment or an aggregate: those of the H.264 standard itself. */
function isUnit(header: number): boolean {
  const type = header & 31;
  return type >= 1 && type <= 23;
}
