// A sink that keeps nothing and checks the order and the ranges of what it is given.

import type { FrameSink } from '../../libs/media/src/index.js';
import { Violation } from './fuzz-engine.js';

export class CheckingSink implements FrameSink {
  frames = 0;
  dropped = 0;
  /** Of the frame that is being put together. */
  openBytes = 0;
  #units = 0;
  #last = '';

  beginNal(firstByte: number): void {
    if (firstByte < 0 || firstByte > 255) throw new Violation('a NAL header that is no byte');
    this.#units += 1;
    this.openBytes += 1;
    this.#last = 'beginNal';
  }

  appendNal(source: Uint8Array, start: number, end: number): void {
    if (this.#units === 0) throw new Violation('bytes without a NAL unit');
    if (start < 0 || end < start || end > source.length) {
      throw new Violation(`bytes ${start} to ${end} of ${source.length}`);
    }
    this.openBytes += end - start;
    this.#last = 'appendNal';
  }

  endFrame(pts90k: number): void {
    if (this.#units === 0) throw new Violation(`a frame without a NAL unit, after ${this.#last}`);
    if (!Number.isSafeInteger(pts90k)) throw new Violation(`a time that is none: ${pts90k}`);
    this.frames += 1;
    this.#reset('endFrame');
  }

  dropFrame(): void {
    this.dropped += 1;
    this.#reset('dropFrame');
  }

  #reset(last: string): void {
    this.#units = 0;
    this.openBytes = 0;
    this.#last = last;
  }
}
