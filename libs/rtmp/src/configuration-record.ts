// Decoder configuration records as publishers send them (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).

import { NightjarError } from '#base';
import type { VideoCodec } from '#media';

export interface ConfigurationRecord {
  /** Of the length in front of each unit: 1, 2 or 4. */
  readonly lengthBytes: number;
  /** Parameter sets, and SEI if there are; views of the record. */
  readonly units: readonly Uint8Array[];
}

const MAX_UNITS = 64;

/** Throws `invalid-argument` for what cannot be read. */
export function readConfigurationRecord(
  codec: VideoCodec,
  record: Uint8Array,
): ConfigurationRecord {
  const units: Uint8Array[] = [];
  let at = codec === 'h264' ? 5 : 22;
  const byte = () => {
    if (at >= record.length) throw unreadable('an end in the middle');
    return record[at++] ?? 0;
  };
  const takeUnits = (count: number) => {
    for (let index = 0; index < count; index++) {
      const size = byte() * 256 + byte();
      if (at + size > record.length) throw unreadable('a unit that goes beyond its end');
      if (units.length >= MAX_UNITS) throw unreadable('too many units');
      if (size > 0) units.push(record.subarray(at, at + size));
      at += size;
    }
  };
  // Some publishers leave the version of hvcC at zero.
  const version = record[0] ?? -1;
  if (version !== 1 && !(codec === 'h265' && version === 0)) throw unreadable(`version ${version}`);
  const lengthBytes = ((record[codec === 'h264' ? 4 : 21] ?? 0) & 3) + 1;
  if (lengthBytes === 3) throw unreadable('lengths of 3 bytes');
  if (codec === 'h264') {
    takeUnits(byte() & 31);
    takeUnits(byte());
  } else {
    for (let arrays = byte(); arrays > 0; arrays--) {
      byte();
      takeUnits(byte() * 256 + byte());
    }
  }
  return { lengthBytes, units };
}

function unreadable(found: string): NightjarError {
  return new NightjarError(
    'invalid-argument',
    `expected a decoder configuration record, found ${found}`,
  );
}
