// NAL units of H.264 (ITU-T H.264, table 7-1) and H.265 (ITU-T H.265, table 7-1): what each is for.

import type { VideoCodec } from './frame.js';

/**
 * `delimiter` units (access unit delimiters, filler data) carry nothing that is worth keeping;
 * `set` is a parameter set; `other` is SEI, ends of sequence and what later versions add.
 */
export type NalKind = 'slice' | 'key-slice' | 'set' | 'delimiter' | 'other';

const H264_KINDS = kinds(32, {
  slice: [1, 2, 3, 4],
  'key-slice': [5],
  set: [7, 8],
  delimiter: [9, 12],
});

const H265_KINDS = kinds(64, {
  slice: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  // IRAP: BLA, IDR and CRA pictures, all of them points to enter at.
  'key-slice': [16, 17, 18, 19, 20, 21],
  set: [32, 33, 34],
  delimiter: [35, 38],
});

function kinds(count: number, named: Partial<Record<NalKind, number[]>>): readonly NalKind[] {
  const table = new Array<NalKind>(count).fill('other');
  for (const [kind, types] of Object.entries(named)) {
    for (const type of types) table[type] = kind as NalKind;
  }
  return table;
}

/** `nal_unit_type`, from the first byte of a unit's header. */
export function nalType(codec: VideoCodec, firstByte: number): number {
  return codec === 'h264' ? firstByte & 31 : (firstByte >> 1) & 63;
}

export function nalKind(codec: VideoCodec, firstByte: number): NalKind {
  return codec === 'h264'
    ? (H264_KINDS[firstByte & 31] as NalKind)
    : (H265_KINDS[(firstByte >> 1) & 63] as NalKind);
}

/** Bytes of a unit's header. */
export function nalHeaderBytes(codec: VideoCodec): number {
  return codec === 'h264' ? 1 : 2;
}

/**
 * Whether a slice is its picture's first: `first_mb_in_slice` is 0, or
 * `first_slice_segment_in_pic_flag` is set. `payloadByte` is the byte behind the unit's header.
 */
export function isFirstSlice(payloadByte: number): boolean {
  // Either is the first bit: ue(v) codes zero as a single 1.
  return (payloadByte & 0x80) !== 0;
}

/**
 * The `pic_parameter_set_id` that a slice names, or undefined when its bytes do not say. `bytes` are
 * the first ones behind the unit's header; a dozen are enough.
 */
export function slicePpsId(
  codec: VideoCodec,
  firstByte: number,
  bytes: Uint8Array,
): number | undefined {
  let at = 0;
  const bit = () => {
    const value = ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
    at += 1;
    return value;
  };
  const ue = () => {
    let zeros = 0;
    while (zeros < 20 && bit() === 0) zeros += 1;
    let value = 1;
    for (let index = 0; index < zeros; index++) value = value * 2 + bit();
    return value - 1;
  };
  if (codec === 'h264') {
    ue();
    ue();
  } else {
    if (bit() === 0) return undefined;
    const type = nalType(codec, firstByte);
    if (type >= 16 && type <= 23) bit();
  }
  const id = ue();
  return at > bytes.length * 8 || id > 255 ? undefined : id;
}

/** The units of an Annex-B byte stream, without start codes, as views of it. */
export function splitAnnexB(stream: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = -1;
  let at = 0;
  const close = (end: number) => {
    let last = end;
    while (last > start && stream[last - 1] === 0) last -= 1;
    if (start >= 0 && last > start) units.push(stream.subarray(start, last));
  };
  for (; at + 2 < stream.length; at++) {
    if (stream[at] !== 0 || stream[at + 1] !== 0 || stream[at + 2] !== 1) continue;
    close(at);
    start = at + 3;
    at += 2;
  }
  close(stream.length);
  return units;
}
