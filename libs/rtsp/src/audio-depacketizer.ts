// Sound out of RTP payloads: RFC 3640 (AAC), RFC 3016 (AAC as LATM), and packets that are one frame.

import type { AacLayout, AudioChoice } from './audio-choice.js';

/** Gives whole frames; `index` counts those that begin in the packet. */
export interface AudioFrames {
  frame(bytes: Uint8Array, start: number, end: number, index: number): void;
  malformed(): void;
  /** A frame of which a part is missing. */
  broken(): void;
}

export interface AudioDepacketizer {
  /** A payload of at least one byte; `marker` ends a frame that several packets hold. */
  payload(bytes: Uint8Array, start: number, end: number, marker: boolean): void;
  /** The packets that follow do not continue those before. */
  interrupted(): void;
}

const MAX_FRAME_BYTES = 64 * 1024;
const MAX_FRAMES_A_PACKET = 256;

export function audioDepacketizer(
  packing: AudioChoice['packing'],
  frames: AudioFrames,
): AudioDepacketizer {
  if (packing.kind === 'aac') return new AacDepacketizer(packing.layout, frames);
  if (packing.kind === 'latm') return new LatmDepacketizer(packing.config.subFrames, frames);
  return {
    payload: (bytes, start, end) => frames.frame(bytes, start, end, 0),
    interrupted: () => undefined,
  };
}

/** Parts of a frame that is longer than a packet. */
class Assembly {
  bytes = Buffer.alloc(4096);
  length = 0;

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    this.bytes.set(source.subarray(start, end), this.length);
    this.length = needed;
  }
}

/** RFC 3640, 3.2: the length of all headers in bits, the headers, auxiliary data, the access units. */
class AacDepacketizer implements AudioDepacketizer {
  readonly #layout: AacLayout;
  readonly #frames: AudioFrames;
  readonly #assembly = new Assembly();
  /** Of the access unit that is open over packets; 0 when none is. */
  #openBytes = 0;
  /** A part is missing, and that is counted. */
  #lost = false;

  constructor(layout: AacLayout, frames: AudioFrames) {
    this.#layout = layout;
    this.#frames = frames;
  }

  payload(bytes: Uint8Array, start: number, end: number, marker: boolean): void {
    const sizes = this.#sizes(bytes, start, end);
    if (sizes === undefined) return this.#malformed();
    let at = sizes.dataAt;
    const [first = 0] = sizes.list;
    if (this.#openBytes > 0) {
      if (sizes.list.length === 1 && first === this.#openBytes) {
        return this.#goOn(bytes, at, end, marker);
      }
      this.interrupted();
    }
    if (sizes.list.length === 1 && first > end - at) {
      if (first > MAX_FRAME_BYTES) return this.#malformed();
      this.#assembly.length = 0;
      // The end of one whose beginning is lost; that loss may be counted already.
      if (marker) return this.#lost ? this.#goneBy() : this.#frames.broken();
      this.#openBytes = first;
      return this.#goOn(bytes, at, end, marker);
    }
    this.#lost = false;
    for (const [index, size] of sizes.list.entries()) {
      if (size === 0 || at + size > end) return this.#malformed();
      this.#frames.frame(bytes, at, at + size, index);
      at += size;
    }
  }

  interrupted(): void {
    if (this.#openBytes > 0) {
      this.#frames.broken();
      this.#lost = true;
    }
    this.#openBytes = 0;
  }

  #goneBy(): void {
    this.#lost = false;
  }

  #goOn(bytes: Uint8Array, start: number, end: number, marker: boolean): void {
    this.#assembly.append(bytes, start, end);
    if (this.#assembly.length > this.#openBytes) return this.#malformed();
    if (this.#assembly.length < this.#openBytes) {
      if (marker) this.interrupted();
      return;
    }
    const whole = this.#openBytes;
    this.#openBytes = 0;
    this.#frames.frame(this.#assembly.bytes, 0, whole, 0);
  }

  #malformed(): void {
    this.#openBytes = 0;
    this.#frames.malformed();
  }

  #sizes(bytes: Uint8Array, start: number, end: number) {
    const layout = this.#layout;
    const { sizeBits, indexBits, indexDeltaBits, constantBytes } = layout;
    const perHeader = sizeBits + indexBits + layout.ctsBits + layout.dtsBits;
    const hasHeaders = perHeader > 0 || layout.randomAccess || layout.streamStateBits > 0;
    let dataAt = start;
    let at = start * 8;
    let headersEnd = at;
    if (hasHeaders) {
      if (end - start < 2) return undefined;
      headersEnd = (start + 2) * 8 + ((bytes[start] ?? 0) << 8) + (bytes[start + 1] ?? 0);
      at = (start + 2) * 8;
      dataAt = (headersEnd + 7) >> 3;
      if (dataAt > end) return undefined;
    }
    const read = (count: number) => {
      let value = 0;
      for (let index = 0; index < count; index++, at++) {
        value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
      }
      return value;
    };
    const list: number[] = [];
    while (at < headersEnd && list.length < MAX_FRAMES_A_PACKET) {
      const size = sizeBits > 0 ? read(sizeBits) : constantBytes;
      read(list.length === 0 ? indexBits : indexDeltaBits);
      if (layout.ctsBits > 0 && read(1) === 1) read(layout.ctsBits);
      if (layout.dtsBits > 0 && read(1) === 1) read(layout.dtsBits);
      if (layout.randomAccess) read(1);
      read(layout.streamStateBits);
      // A header that is cut is padding.
      if (at <= headersEnd) list.push(size);
    }
    if (layout.auxiliaryBits > 0) {
      at = dataAt * 8;
      const auxiliary = read(layout.auxiliaryBits);
      dataAt = (at + auxiliary + 7) >> 3;
      if (dataAt > end) return undefined;
    }
    if (!hasHeaders) {
      const count = Math.floor((end - dataAt) / constantBytes);
      for (let index = 0; index < count; index++) list.push(constantBytes);
    }
    return list.length === 0 ? undefined : { list, dataAt };
  }
}

/** RFC 3016, 4: one AudioMuxElement in one packet or several, the last with the marker. */
class LatmDepacketizer implements AudioDepacketizer {
  readonly #subFrames: number;
  readonly #frames: AudioFrames;
  readonly #assembly = new Assembly();
  #lost = false;

  constructor(subFrames: number, frames: AudioFrames) {
    this.#subFrames = subFrames;
    this.#frames = frames;
  }

  payload(bytes: Uint8Array, start: number, end: number, marker: boolean): void {
    if (!this.#lost) this.#assembly.append(bytes, start, end);
    if (this.#assembly.length > MAX_FRAME_BYTES) {
      this.#assembly.length = 0;
      this.#lost = true;
    }
    if (!marker) return;
    const { bytes: whole, length } = this.#assembly;
    const lost = this.#lost;
    this.#assembly.length = 0;
    this.#lost = false;
    if (lost) return this.#frames.broken();
    let at = 0;
    for (let index = 0; index < this.#subFrames; index++) {
      let size = 0;
      let byte = 255;
      while (byte === 255 && at < length) {
        byte = whole[at++] ?? 0;
        size += byte;
      }
      if (size === 0 || at + size > length) return this.#frames.malformed();
      this.#frames.frame(whole, at, at + size, index);
      at += size;
    }
  }

  interrupted(): void {
    // What was lost may have been the end of one element and the beginning of the next.
    this.#lost = this.#assembly.length > 0;
    this.#assembly.length = 0;
  }
}
