// Takes apart a stretch of a chunk that holds records, and verifies every one.

import { crc32c } from '@node-rs/crc32';
import { NightjarError } from '#base';
import { readRecordHeader } from './audio-header.js';
import { readUnit } from './carrier.js';
import type { ParsedAudio, ParsedRecord } from './chunk-info.js';

export interface ReadPlace {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export interface ReadRecords<T = ParsedRecord> {
  /** Up to the first that is damaged. */
  readonly records: T[];
  /** Why there are no more; absent when the range is whole. */
  readonly lost?: NightjarError;
}

type Parsed = ParsedRecord | ParsedAudio;

/** The records in front of the first damage. */
export function parseLeadingRecords(bytes: Buffer, place: ReadPlace): ReadRecords<Parsed> {
  const records: Parsed[] = [];
  try {
    parseInto(records, bytes, place);
    return { records };
  } catch (error) {
    if (!(error instanceof NightjarError) || error.code !== 'data-loss') throw error;
    return { records, lost: error };
  }
}

function parseInto(records: Parsed[], bytes: Buffer, place: ReadPlace): void {
  const lost = (found: string, at: number) =>
    new NightjarError('data-loss', `expected whole records, found ${found}`, {
      ...place,
      at: place.offset + at,
    });
  for (let at = 0; at < bytes.length;) {
    const unit = readUnit(bytes, at);
    const header = unit === undefined || unit === 'incomplete' ? undefined : readRecordHeader(unit);
    if (unit === undefined || unit === 'incomplete' || header === undefined) {
      throw lost('other bytes', at);
    }
    const { camera, track, width, height, audio, record, frames } = header;
    const end = unit.end + header.payloadBytes;
    if (end > bytes.length) throw lost('a part of a record', at);
    const payload = bytes.subarray(unit.end, end);
    if (crc32c(payload) !== header.payloadCrc) throw lost('changed bytes (CRC-32C)', at);
    const { codec } = unit;
    const facts = { offset: place.offset + at, length: end - at, camera, track, record, frames };
    if (audio !== undefined) records.push({ ...facts, format: audio, payload });
    else if (codec !== undefined) records.push({ ...facts, codec, width, height, payload });
    at = end;
  }
  if (bytes.length < place.length) throw lost('the end of the chunk', bytes.length);
}
