// Takes apart a stretch of a chunk that holds records, and verifies every one.

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

export interface ReadRecords {
  /** Up to the first that is damaged. */
  readonly records: ParsedRecord[];
  /** Why there are no more; absent when the range is whole. */
  readonly lost?: NightjarError;
}

/** The records in front of the first damage. */
export function parseLeadingRecords(bytes: Buffer, place: ReadPlace): ReadRecords {
  const records: ParsedRecord[] = [];
  try {
    parseInto(records, bytes, place);
    return { records };
  } catch (error) {
    if (!(error instanceof NightjarError) || error.code !== 'data-loss') throw error;
    return { records, lost: error };
  }
}

function parseInto(records: ParsedRecord[], bytes: Buffer, place: ReadPlace): void {
  const lost = (found: string, at: number) =>
    new NightjarError('data-loss', `expected whole records, found ${found}`, {
      ...place,
      at: place.offset + at,
    });
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
  if (bytes.length < place.length) throw lost('the end of the chunk', bytes.length);
}
