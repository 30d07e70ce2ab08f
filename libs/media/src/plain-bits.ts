// Bits and Exp-Golomb codes of bytes without emulation prevention.

/** Reads bits and Exp-Golomb codes; past the end it reads zeros. */
export class PlainBits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#at++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  /** False once more was read than there is. */
  get isWhole(): boolean {
    return this.#at <= this.#bytes.length * 8;
  }

  skip(count: number): void {
    this.#at += count;
  }

  ue(): number {
    let zeros = 0;
    while (zeros < 32 && this.bits(1) === 0) zeros += 1;
    return 2 ** zeros - 1 + this.bits(zeros);
  }
}
