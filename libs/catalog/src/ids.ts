// Makes the ids of rows: UUID version 7 (RFC 9562), so that a table's ids sort by time of making.

import { randomBytes } from 'node:crypto';
import { uuidFromBytes, type Clock } from '#base';

const COUNTER_BITS = 12;

/** One per process and database; later ids are greater than earlier ones, even in one millisecond. */
export class Ids {
  readonly #clock: Clock;
  #lastMs = 0;
  #counter = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): string {
    const nowMs = Math.max(this.#clock.nowUnixMs(), this.#lastMs);
    this.#counter = nowMs === this.#lastMs ? this.#counter + 1 : 0;
    this.#lastMs = nowMs;
    if (this.#counter >> COUNTER_BITS > 0) {
      this.#lastMs += 1;
      this.#counter = 0;
    }
    const bytes = randomBytes(16);
    bytes.writeUIntBE(this.#lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | this.#counter, 6);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    return uuidFromBytes(bytes);
  }
}
