// Decoder configuration records: avcC (ISO/IEC 14496-15, 5.3.3) and hvcC (8.3.3).

import { NightjarError } from '#base';
import type { VideoFormat } from './frame.js';
import { box, u16, u8 } from './fmp4-box.js';
import { PlainBits } from './plain-bits.js';

/** The first bytes of a NAL unit without its emulation prevention bytes. */
function unescaped(nal: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let zeros = 0;
  let written = 0;
  for (let at = 0; at < nal.length && written < count; at++) {
    const byte = nal[at] ?? 0;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes[written++] = byte;
  }
  return bytes.subarray(0, written);
}

/** The `avcC` or `hvcC` box of a format. Throws `invalid-argument` when it has no parameter sets. */
export function decoderConfig(format: VideoFormat): Buffer {
  return format.codec === 'h264' ? avcC(format) : hvcC(format);
}

function withLength(nal: Uint8Array): Buffer {
  return Buffer.concat([u16(nal.length), nal]);
}

function avcC(format: VideoFormat): Buffer {
  const ofType = (type: number) =>
    format.parameterSets.filter((nal) => ((nal[0] ?? 0) & 31) === type);
  const sps = ofType(7);
  const pps = ofType(8);
  const first = sps[0];
  if (first === undefined || pps.length === 0) throw missingSets(format);
  const parts = [
    u8(1, first[1] ?? 0, first[2] ?? 0, first[3] ?? 0, 0xff, 0xe0 | sps.length),
    ...sps.map(withLength),
    u8(pps.length),
    ...pps.map(withLength),
  ];
  if ([100, 110, 122, 144].includes(first[1] ?? 0)) {
    const bits = new PlainBits(unescaped(first, 32));
    bits.skip(32);
    bits.ue();
    const chroma = bits.ue();
    if (chroma === 3) bits.skip(1);
    parts.push(u8(0xfc | (chroma & 3), 0xf8 | (bits.ue() & 7), 0xf8 | (bits.ue() & 7), 0));
  }
  return box('avcC', ...parts);
}

function hvcC(format: VideoFormat): Buffer {
  const types = [32, 33, 34];
  const arrays = types.map((type) => ({
    type,
    nals: format.parameterSets.filter((nal) => (((nal[0] ?? 0) >> 1) & 63) === type),
  }));
  const sps = arrays[1]?.nals[0];
  if (sps === undefined || arrays[2]?.nals.length === 0) throw missingSets(format);
  const raw = unescaped(sps, 256);
  const subLayers = ((raw[2] ?? 0) >> 1) & 7;
  const nested = (raw[2] ?? 0) & 1;
  const facts = hevcSpsFacts(raw, subLayers);
  return box(
    'hvcC',
    u8(1),
    raw.subarray(3, 15),
    u16(0xf000),
    u8(0xfc, 0xfc | (facts.chroma & 3), 0xf8 | (facts.lumaBits & 7), 0xf8 | (facts.chromaBits & 7)),
    u16(0),
    // Four-byte lengths; one temporal layer more than the number of sub-layers minus one.
    u8(
      ((subLayers + 1) << 3) | (nested << 2) | 3,
      arrays.filter(({ nals }) => nals.length > 0).length,
    ),
    ...arrays
      .filter(({ nals }) => nals.length > 0)
      .flatMap(({ type, nals }) => [u8(type), u16(nals.length), ...nals.map(withLength)]),
  );
}

/** ITU-T H.265, 7.3.2.2: what stands between profile_tier_level and the bit depths. */
function hevcSpsFacts(sps: Uint8Array, subLayers: number) {
  const bits = new PlainBits(sps);
  bits.skip((3 + 12) * 8);
  const present: [boolean, boolean][] = [];
  for (let layer = 0; layer < subLayers; layer++) {
    present.push([bits.bits(1) === 1, bits.bits(1) === 1]);
  }
  if (subLayers > 0) bits.skip((8 - subLayers) * 2);
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
  bits.ue();
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  bits.ue();
  bits.ue();
  if (bits.bits(1) === 1) for (let edge = 0; edge < 4; edge++) bits.ue();
  return { chroma, lumaBits: bits.ue(), chromaBits: bits.ue() };
}

function missingSets(format: VideoFormat): NightjarError {
  return new NightjarError('invalid-argument', 'expected parameter sets, found too few', {
    codec: format.codec,
    parameterSets: format.parameterSets.length,
  });
}
