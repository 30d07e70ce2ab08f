// NAL units that precede a picture's first slice, kept until it comes.

import { nalKind, type FrameSink, type ParameterSets } from '#media';

/** Sets and SEI are small; what is not ends the access unit. */
const MAX_HELD_BYTES = 64 * 1024;
const MAX_HELD_UNITS = 64;

export class HeldUnits {
  readonly #sets: ParameterSets;
  #bytes = Buffer.alloc(0);
  #used = 0;
  /** Where each unit begins; the open one is the last. */
  readonly #starts: number[] = [];
  #open = false;

  constructor(sets: ParameterSets) {
    this.#sets = sets;
  }

  /** False when there is no room; everything held is then gone. */
  begin(firstByte: number): boolean {
    if (this.#open) this.discardOpen();
    if (this.#starts.length >= MAX_HELD_UNITS || !this.#reserve(1)) return false;
    this.#starts.push(this.#used);
    this.#bytes[this.#used++] = firstByte;
    this.#open = true;
    return true;
  }

  append(source: Uint8Array, start: number, end: number): boolean {
    if (!this.#open) return true;
    if (!this.#reserve(end - start)) return false;
    this.#bytes.set(source.subarray(start, end), this.#used);
    this.#used += end - start;
    return true;
  }

  /** The unit is whole; a parameter set is known from here on. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    const unit = this.#bytes.subarray(this.#starts.at(-1) ?? 0, this.#used);
    if (nalKind(this.#sets.codec, unit[0] ?? 0) === 'set') this.#sets.put(unit);
  }

  discardOpen(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#used = this.#starts.pop() ?? 0;
  }

  /** Gives all of them to the sink but those in `without`, forgets them, and tells the bytes. */
  flushTo(sink: FrameSink, without: readonly Uint8Array[]): number {
    let bytes = 0;
    for (let index = 0; index < this.#starts.length; index++) {
      const start = this.#starts[index] ?? 0;
      const end = this.#starts[index + 1] ?? this.#used;
      if (without.length > 0) {
        const unit = this.#bytes.subarray(start, end);
        if (without.some((set) => unit.equals(set))) continue;
      }
      sink.beginNal(this.#bytes[start] ?? 0);
      sink.appendNal(this.#bytes, start + 1, end);
      bytes += end - start;
    }
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#starts.length = 0;
    this.#used = 0;
    this.#open = false;
  }

  #reserve(count: number): boolean {
    const needed = this.#used + count;
    if (needed > MAX_HELD_BYTES) {
      this.clear();
      return false;
    }
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, 256));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    return true;
  }
}
