// Reads bits and Exp-Golomb codes of a NAL unit, stepping over emulation prevention bytes.

import { NightjarError } from '#base';

/** Throws `invalid-argument` when read past the end, so that no parser can run away. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #bit = 0;
  #zeros = 0;

  /** Begins at byte `start` of the unit, behind its header. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#skipPrevention();
  }

  bit(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new NightjarError('invalid-argument', 'expected more bits, found the end of the unit', {
        sizeBytes: this.#bytes.length,
      });
    }
    const value = (byte >> (7 - this.#bit)) & 1;
    this.#bit += 1;
    if (this.#bit === 8) {
      this.#bit = 0;
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
      this.#at += 1;
      this.#skipPrevention();
    }
    return value;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** Up to 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    for (let index = 0; index < count; index++) this.bit();
  }

  /** Unsigned Exp-Golomb, ue(v). */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 32) {
        throw new NightjarError('invalid-argument', 'expected an Exp-Golomb code, found zeros');
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb, se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? -(code / 2) : (code + 1) / 2;
  }

  #skipPrevention(): void {
    if (this.#zeros >= 2 && this.#bytes[this.#at] === 3) {
      this.#at += 1;
      this.#zeros = 0;
    }
  }
}
