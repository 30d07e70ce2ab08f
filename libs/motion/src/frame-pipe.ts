// The recorder's end of the pipe into a detector: gathers messages into slabs, one write per turn
// of the event loop, and never holds more than its bound.

import type { Writable } from 'node:stream';
import { HEAD_BYTES, FRAME_HEAD_BYTES, MOST_MESSAGE_BYTES, writeFrame } from './wire.js';

const SLAB_BYTES = 256 * 1024;
const MOST_SPARE_SLABS = 4;
/** Bytes that the detector has not reported as read: about a second of its work. */
const MOST_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export interface PipedFrame {
  readonly channel: number;
  readonly flags: number;
  readonly atUnixUs: number;
  readonly data: Uint8Array;
}

export class FramePipe {
  readonly #stream: Writable;
  readonly #spare: Buffer[] = [];
  #slab: Buffer | undefined;
  #filled = 0;
  #sentBytes = 0;
  #consumedBytes = 0;
  #scheduled = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  get inFlightBytes(): number {
    return this.#sentBytes - this.#consumedBytes;
  }

  consumed(totalBytes: number): void {
    this.#consumedBytes = Math.min(totalBytes, this.#sentBytes);
  }

  /** Copies the frame; false, without a copy, when too much is on its way already. */
  sendFrame(frame: PipedFrame): boolean {
    const bytes = HEAD_BYTES + FRAME_HEAD_BYTES + frame.data.length;
    const waiting = this.inFlightBytes;
    if (bytes > MOST_MESSAGE_BYTES) return false;
    // A frame larger than the bound still gets through when it is alone.
    if (waiting > 0 && waiting + bytes > MOST_IN_FLIGHT_BYTES) return false;
    const slab = this.#room(bytes);
    this.#filled = writeFrame(slab, this.#filled, frame);
    this.#sentBytes += bytes;
    return true;
  }

  /** Small messages always go: there are few. */
  send(message: Buffer): void {
    const slab = this.#room(message.length);
    message.copy(slab, this.#filled);
    this.#filled += message.length;
    this.#sentBytes += message.length;
  }

  #room(bytes: number): Buffer {
    if (this.#slab !== undefined && this.#filled + bytes > this.#slab.length) this.#flush();
    if (this.#slab === undefined) {
      this.#slab =
        bytes > SLAB_BYTES
          ? Buffer.allocUnsafeSlow(bytes)
          : (this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#filled = 0;
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
    return this.#slab;
  }

  #flush(): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    this.#slab = undefined;
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#stream.write(slab.subarray(0, this.#filled), () => {
      if (slab.length === SLAB_BYTES && this.#spare.length < MOST_SPARE_SLABS) {
        this.#spare.push(slab);
      }
    });
  }
}
