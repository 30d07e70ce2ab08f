// The units that carry Nightjar's data in a chunk: SEI NAL units in video, ID3 tags in sound.

import { isAudioCodec, type MediaCodec, type VideoCodec } from '#media';
import { maxTagBytes, readTag, TAG_PREFIX, writeTag } from './id3-tag.js';
import { maxSeiBytes, readSei, SEI_PREFIXES, writeSei, type SeiPlace } from './sei.js';

export interface CarriedUnit {
  /** Absent in a tag: the codec of sound stands in its body. */
  readonly codec?: VideoCodec;
  /** Absent in a tag, whose body says what it is. */
  readonly place?: SeiPlace;
  readonly body: Buffer;
  /** Behind the unit. */
  readonly end: number;
}

/** What each of our units begins with. */
export const UNIT_PREFIXES: readonly Buffer[] = [
  ...SEI_PREFIXES.map(({ bytes }) => bytes),
  TAG_PREFIX,
];

/** What the unit of a seal begins with. */
export const SEAL_PREFIXES: readonly Buffer[] = [
  ...SEI_PREFIXES.filter(({ place }) => place === 'seal').map(({ bytes }) => bytes),
  TAG_PREFIX,
];

export function maxUnitBytes(bodyBytes: number): number {
  return Math.max(maxSeiBytes(bodyBytes), maxTagBytes(bodyBytes));
}

/** Writes a unit into `target` at `at`, which has room for `maxUnitBytes`, and gives its end. */
export function writeUnit(
  target: Buffer,
  at: number,
  unit: { readonly codec: MediaCodec; readonly place: SeiPlace; readonly body: Uint8Array },
): number {
  const { codec, place, body } = unit;
  return isAudioCodec(codec)
    ? writeTag(target, at, body)
    : writeSei(target, at, { codec, place, body });
}

/** As `readSei`, for both carriers. */
export function readUnit(bytes: Uint8Array, at: number): CarriedUnit | 'incomplete' | undefined {
  return bytes[at] === TAG_PREFIX[0] ? readTag(bytes, at) : readSei(bytes, at);
}
