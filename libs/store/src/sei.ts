// SEI NAL units that carry Nightjar's own data (ISO/IEC 14496-10 D.1.7, ITU-T H.265 D.2.7:
// user_data_unregistered), with emulation prevention.

import type { VideoCodec } from '#media';

/** Marks our SEI messages. No byte of it is below 4, so that it stands in a file as it is. */
export const NIGHTJAR_UUID = Buffer.from('6e696768746a61728d4fb1c7e2a95d36', 'hex');

export type SeiPlace = 'record' | 'seal';

/**
 * Start code, NAL header, payload type 5. Records: SEI (6), prefix SEI (39). Seals come last in the
 * file, where an SEI of H.264 would begin an access unit without a picture, which decoders complain
 * of: there the message stands in a NAL unit of type 30, which is unspecified and skipped by all;
 * H.265 has the suffix SEI (40).
 */
export const SEI_PREFIXES: readonly {
  readonly codec: VideoCodec;
  readonly place: SeiPlace;
  readonly bytes: Buffer;
}[] = [
  { codec: 'h264', place: 'record', bytes: Buffer.from('000000010605', 'hex') },
  { codec: 'h265', place: 'record', bytes: Buffer.from('000000014e0105', 'hex') },
  { codec: 'h264', place: 'seal', bytes: Buffer.from('000000011e05', 'hex') },
  { codec: 'h265', place: 'seal', bytes: Buffer.from('00000001500105', 'hex') },
];
const START_CODE = Buffer.of(0, 0, 0, 1);
export const LONGEST_PREFIX_BYTES = 7;
/** A body above this is no header of ours. */
export const MAX_SEI_BODY_BYTES = 1 << 20;

/** The most bytes that a body of this size takes as a NAL unit. */
export function maxSeiBytes(bodyBytes: number): number {
  const plain = 7 + Math.floor((bodyBytes + 16) / 255) + 1 + 16 + bodyBytes + 1;
  return plain + Math.ceil(plain / 2);
}

/**
 * Writes a whole SEI NAL unit with its start code into `target` at `at` and gives its end. The
 * target has room for `maxSeiBytes(body.length)`.
 */
export function writeSei(
  target: Buffer,
  at: number,
  unit: { readonly codec: VideoCodec; readonly place: SeiPlace; readonly body: Uint8Array },
): number {
  const prefix = prefixOf(unit.codec, unit.place);
  target.set(prefix, at);
  let end = at + prefix.length;
  let sizeLeft = unit.body.length + NIGHTJAR_UUID.length;
  for (; sizeLeft >= 255; sizeLeft -= 255) target[end++] = 255;
  target[end++] = sizeLeft;
  target.set(NIGHTJAR_UUID, end);
  end += NIGHTJAR_UUID.length;
  let zeros = 0;
  for (const byte of unit.body) {
    if (zeros === 2 && byte <= 3) {
      target[end++] = 3;
      zeros = 0;
    }
    target[end++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  target[end++] = 0x80;
  return end;
}

function prefixOf(codec: VideoCodec, place: SeiPlace): Buffer {
  const found = SEI_PREFIXES.find((prefix) => prefix.codec === codec && prefix.place === place);
  return found?.bytes ?? Buffer.alloc(0);
}

export interface SeiUnit {
  readonly codec: VideoCodec;
  readonly place: SeiPlace;
  /** Without the UUID and without emulation prevention. */
  readonly body: Buffer;
  /** Behind the NAL unit. */
  readonly end: number;
}

/**
 * Reads the SEI NAL unit of ours that begins exactly at `at`: `undefined` when what stands there is
 * none, `incomplete` when the bytes end before that is known.
 */
export function readSei(bytes: Uint8Array, at: number): SeiUnit | 'incomplete' | undefined {
  // The byte behind the start code tells the four prefixes apart.
  const found = SEI_PREFIXES.find((prefix) => prefix.bytes[4] === bytes[at + 4]);
  const prefix = found?.bytes ?? START_CODE;
  for (let index = 0; index < prefix.length; index++) {
    if (at + index >= bytes.length) return 'incomplete';
    if (bytes[at + index] !== prefix[index]) return undefined;
  }
  if (found === undefined) return at + 4 < bytes.length ? undefined : 'incomplete';
  const { codec, place } = found;
  let next = at + prefix.length;
  let payloadBytes = 0;
  for (;;) {
    const byte = bytes[next++];
    if (byte === undefined) return 'incomplete';
    payloadBytes += byte;
    if (payloadBytes > MAX_SEI_BODY_BYTES) return undefined;
    if (byte < 255) break;
  }
  const bodyBytes = payloadBytes - NIGHTJAR_UUID.length;
  if (bodyBytes < 0) return undefined;
  for (const expected of NIGHTJAR_UUID) {
    const byte = bytes[next++];
    if (byte === undefined) return 'incomplete';
    if (byte !== expected) return undefined;
  }
  const body = Buffer.allocUnsafe(bodyBytes);
  let zeros = 0;
  for (let index = 0; index < bodyBytes; index++) {
    let byte = bytes[next++];
    if (zeros === 2 && byte === 3) {
      byte = bytes[next++];
      // Only a byte that needed it has the prevention byte in front.
      if (byte !== undefined && byte > 3) return undefined;
      zeros = 0;
    } else if (zeros === 2 && byte !== undefined && byte < 3) {
      return undefined;
    }
    if (byte === undefined) return 'incomplete';
    body[index] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  const trailing = bytes[next++];
  if (trailing === undefined) return 'incomplete';
  return trailing === 0x80 ? { codec, place, body, end: next } : undefined;
}
