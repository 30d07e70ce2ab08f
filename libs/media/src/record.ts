// A record: at most two seconds of one group, the unit of a write; whole and no longer changed.

import type { FrameTable } from './frame-table.js';
import type { MediaFormat } from './frame.js';

/**
 * Room in front of a record's payload, so that the writer lays the record's header right before it
 * and both go to disk in one write.
 */
export const RECORD_HEADROOM_BYTES = 4096;

export interface MediaRecord {
  /** Counts a camera's runs; a run is one unbroken session with a camera. */
  readonly run: number;
  /** Counts records of a track within the run, from 0. */
  readonly sequence: number;
  /** True for the record that begins with its group's key frame; any record of sound may. */
  readonly startsGroup: boolean;
  /** UTC of the first frame of the group that this record belongs to. */
  readonly groupStartUnixUs: number;
  /** UTC of the first frame (decoding time). */
  readonly startUnixUs: number;
  /** Decoding time of the first frame on the camera's unwrapped 90 kHz clock. */
  readonly startDts90k: number;
  readonly format: MediaFormat;
  readonly frames: FrameTable;
  /** Holds the payload from `payloadStart` to `payloadEnd`, behind RECORD_HEADROOM_BYTES or more. */
  readonly buffer: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** The payload goes on here, piece by piece. */
  readonly rest?: readonly Buffer[];
}
