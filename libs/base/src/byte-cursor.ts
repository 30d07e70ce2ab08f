// Writing and reading small binary forms: big-endian integers and LEB128 varints up to 2^53 - 1.

import { NightjarError } from './errors.js';

/** Grows as needed. `reset` keeps the memory, so that one writer serves a hot path. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
    return this;
  }

  /** Eight bytes; `value` is an integer from 0 to 2^53 - 1. */
  u64(value: number): this {
    assertUnsigned(value);
    this.#reserve(8);
    this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), this.#length);
    this.#length = this.#bytes.writeUInt32BE(value % 2 ** 32, this.#length + 4);
    return this;
  }

  /** Seven bits a byte, lowest first. Throws `invalid-argument` for what is no unsigned integer. */
  varint(value: number): this {
    assertUnsigned(value);
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A varint of 2v for v >= 0 and of -2v - 1 for v < 0; |v| up to 2^52 - 1. */
  zigzag(value: number): this {
    return this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  bytes(source: Uint8Array): this {
    this.#reserve(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
    return this;
  }

  /** UTF-8 behind a varint of its bytes. */
  text(value: string): this {
    const bytes = Buffer.from(value);
    return this.varint(bytes.length).bytes(bytes);
  }

  /** A view that the next `reset` may overwrite. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  copy(): Buffer {
    return Buffer.from(this.view());
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.view());
    this.#bytes = larger;
  }
}

/** Throws `data-loss` wherever the bytes end early or hold no such value. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  u64(): number {
    const at = this.#advance(8);
    const value = this.#bytes.readUInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw damaged('a number below 2^53', at);
    return value;
  }

  varint(): number {
    const start = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw damaged('a varint below 2^53', start);
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view, not a copy. */
  bytes(count: number): Buffer {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  text(): string {
    return this.bytes(this.varint()).toString('utf8');
  }

  #advance(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw damaged(`${count} more bytes`, at);
    this.#at = at + count;
    return at;
  }
}

function assertUnsigned(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new NightjarError('invalid-argument', 'expected an integer from 0 to 2^53 - 1', {
      value,
    });
  }
}

function damaged(expected: string, offset: number): NightjarError {
  return new NightjarError('data-loss', `expected ${expected}`, { offset });
}
