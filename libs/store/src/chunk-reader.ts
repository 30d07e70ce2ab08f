// Takes apart a stretch of a chunk that holds whole records, and verifies every one.

import { crc32c } from '@node-rs/crc32';
import { NightjarError } from '#base';
import type { ParsedRecord } from './chunk-info.js';
import { decodeRecordHeader, KIND_RECORD, kindOf } from './record-header.js';
import { readSei } from './sei.js';

export interface ReadPlace {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Throws data-loss when `bytes` are not records from their first byte to their last. */
export function parseRecords(bytes: Buffer, place: ReadPlace): ParsedRecord[] {
  const lost = (found: string, at: number) =>
    new NightjarError('data-loss', `expected whole records, found ${found}`, {
      ...place,
      at: place.offset + at,
    });
  if (bytes.length < place.length) throw lost('the end of the chunk', bytes.length);
  const records: ParsedRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const sei = readSei(bytes, at);
    if (sei === undefined || sei === 'incomplete' || kindOf(sei.body) !== KIND_RECORD) {
      throw lost('other bytes', at);
    }
    const { camera, track, width, height, record, frames, ...sum } = decodeRecordHeader(sei.body);
    const end = sei.end + sum.payloadBytes;
    if (end > bytes.length) throw lost('a part of a record', at);
    const payload = bytes.subarray(sei.end, end);
    if (crc32c(payload) !== sum.payloadCrc) throw lost('changed bytes (CRC-32C)', at);
    const { codec } = sei;
    const offset = place.offset + at;
    const facts = { camera, track, codec, width, height, record, frames };
    records.push({ offset, length: end - at, ...facts, payload });
    at = end;
  }
  return records;
}
