// Records that are written and may have to be written again, should their disk hang.

import { isSameRecord, type RecordNumber } from '#store';
import type { KeptRecord } from './track-record.js';

/** As much as the hub keeps of a group for its viewers: it is the same memory. */
const HELD_BYTES = 16 * 1024 * 1024;

/** Holds what is not safe yet and what a chunk begins with that goes on: the group under way. */
export class HeldRecords {
  #records: KeptRecord[] = [];
  #bytes = 0;
  /** So many, from the first on, are safe. */
  #safe = 0;

  /** A record that was written. */
  add(record: KeptRecord): void {
    // Nothing of a group whose beginning is not here.
    if (this.#records.length === 0 && !record.startsGroup) return;
    this.#records.push(record.retain());
    this.#bytes += record.payloadBytes;
    if (this.#bytes > HELD_BYTES) this.clear();
  }

  /** This record and those in front of it are safe. */
  safe(number: RecordNumber): void {
    const at = this.#records.findIndex((record) => isSameRecord(record, number));
    this.#safe = Math.max(this.#safe, at + 1);
    const isWhole = this.#safe === this.#records.length && this.#records.at(-1)?.endsGroup === true;
    let first = isWhole ? this.#safe : Math.min(this.#safe, this.#records.length - 1);
    while (!isWhole && first > 0 && this.#records[first]?.startsGroup !== true) first -= 1;
    if (first > 0) this.#release(first);
  }

  /**
   * Gives them up, from this one on; the caller releases them. Where it is not held, what is begins
   * with a later group.
   */
  takeFrom(number: RecordNumber): KeptRecord[] {
    const at = this.#records.findIndex((record) => isSameRecord(record, number));
    if (at > 0) this.#release(at);
    const taken = this.#records;
    this.#records = [];
    this.clear();
    return taken;
  }

  clear(): void {
    this.#release(this.#records.length);
    this.#safe = 0;
    this.#bytes = 0;
  }

  #release(count: number): void {
    for (const record of this.#records.splice(0, count)) {
      this.#bytes -= record.payloadBytes;
      record.release();
    }
    this.#safe = Math.max(0, this.#safe - count);
  }
}
