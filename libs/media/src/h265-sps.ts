// The parameter sets of H.265 (ITU-T H.265, 7.3.2.1 to 7.3.2.3 and annex E), as far as Nightjar asks.

import { NightjarError } from '#base';
import { BitReader } from './bit-reader.js';
import { atMost, plausibleFps, type SpsFacts } from './sps-facts.js';

const HEADER_BYTES = 2;
const EXTENDED_SAR = 255;

/** Throws `invalid-argument` when the unit is cut or says what no camera means. */
export function parseH265Sps(nal: Uint8Array): SpsFacts & { readonly vpsId: number } {
  const bits = new BitReader(nal, HEADER_BYTES);
  const vpsId = bits.bits(4);
  const subLayers = atMost('sps_max_sub_layers_minus1', bits.bits(3), 6);
  bits.skip(1);
  const codecString = readProfile(bits, subLayers);
  const id = atMost('sps_seq_parameter_set_id', bits.ue(), 15);
  const chroma = atMost('chroma_format_idc', bits.ue(), 3);
  const separatePlanes = chroma === 3 && bits.flag();
  const codedWidth = atMost('pic_width_in_luma_samples', bits.ue(), 16_384);
  const codedHeight = atMost('pic_height_in_luma_samples', bits.ue(), 16_384);
  const crop = { left: 0, right: 0, top: 0, bottom: 0 };
  if (bits.flag()) {
    crop.left = bits.ue();
    crop.right = bits.ue();
    crop.top = bits.ue();
    crop.bottom = bits.ue();
  }
  const colour = separatePlanes ? 0 : chroma;
  const width = codedWidth - (crop.left + crop.right) * (colour === 1 || colour === 2 ? 2 : 1);
  const height = codedHeight - (crop.top + crop.bottom) * (colour === 1 ? 2 : 1);
  if (width <= 0 || height <= 0) {
    throw new NightjarError('invalid-argument', 'expected a picture, found one cropped away', {
      width,
      height,
    });
  }
  bits.ue();
  bits.ue();
  const orderBits = atMost('log2_max_pic_order_cnt_lsb_minus4', bits.ue(), 12) + 4;
  const allLayers = bits.flag();
  let reorderFrames = 0;
  for (let layer = allLayers ? 0 : subLayers; layer <= subLayers; layer++) {
    bits.ue();
    reorderFrames = Math.max(reorderFrames, atMost('sps_max_num_reorder_pics', bits.ue(), 16));
    bits.ue();
  }
  const nominalFps = readFps(bits, orderBits);
  return {
    id,
    vpsId,
    width,
    height,
    codecString,
    reorderFrames,
    ...(nominalFps === undefined ? {} : { nominalFps }),
  };
}

/** The ids of a picture parameter set and of the SPS that it names. */
export function parseH265Pps(nal: Uint8Array): { id: number; spsId: number } {
  const bits = new BitReader(nal, HEADER_BYTES);
  return {
    id: atMost('pps_pic_parameter_set_id', bits.ue(), 63),
    spsId: atMost('pps_seq_parameter_set_id', bits.ue(), 15),
  };
}

/** The id of a video parameter set. */
export function parseH265Vps(nal: Uint8Array): { id: number } {
  return { id: new BitReader(nal, HEADER_BYTES).bits(4) };
}

/** profile_tier_level(), told in the manner of RFC 6381 (ISO/IEC 14496-15, annex E). */
function readProfile(bits: BitReader, subLayers: number): string {
  const space = ['', 'A', 'B', 'C'][bits.bits(2)] ?? '';
  const tier = bits.flag() ? 'H' : 'L';
  const profile = bits.bits(5);
  let compatibility = 0;
  for (let index = 0; index < 32; index++) compatibility += bits.bit() * 2 ** index;
  const constraints: number[] = [];
  for (let index = 0; index < 6; index++) constraints.push(bits.bits(8));
  const level = bits.bits(8);
  const present: [boolean, boolean][] = [];
  for (let layer = 0; layer < subLayers; layer++) present.push([bits.flag(), bits.flag()]);
  if (subLayers > 0) bits.skip((8 - subLayers) * 2);
  for (const [hasProfile, hasLevel] of present)
    bits.skip((hasProfile ? 88 : 0) + (hasLevel ? 8 : 0));
  while (constraints.at(-1) === 0) constraints.pop();
  const parts = [
    'hvc1',
    `${space}${profile}`,
    compatibility.toString(16).toUpperCase(),
    `${tier}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}

/** What stands between the reorder limits and vui_timing_info, skipped; then the frame rate. */
function readFps(bits: BitReader, orderBits: number): number | undefined {
  try {
    for (let field = 0; field < 6; field++) bits.ue();
    if (bits.flag() && bits.flag()) skipScalingLists(bits);
    bits.skip(2);
    if (bits.flag()) {
      bits.skip(8);
      bits.ue();
      bits.ue();
      bits.skip(1);
    }
    skipReferenceSets(bits);
    if (bits.flag()) {
      const count = atMost('num_long_term_ref_pics_sps', bits.ue(), 32);
      bits.skip(count * (orderBits + 1));
    }
    bits.skip(2);
    if (!bits.flag()) return undefined;
    if (bits.flag() && bits.bits(8) === EXTENDED_SAR) bits.skip(32);
    if (bits.flag()) bits.skip(1);
    if (bits.flag()) {
      bits.skip(4);
      if (bits.flag()) bits.skip(24);
    }
    if (bits.flag()) {
      bits.ue();
      bits.ue();
    }
    bits.skip(3);
    if (bits.flag()) for (let edge = 0; edge < 4; edge++) bits.ue();
    if (!bits.flag()) return undefined;
    const unitsInTick = bits.bits(32);
    return plausibleFps(bits.bits(32) / unitsInTick);
  } catch {
    // As with H.264: a wrong tail does not spoil the picture's size.
    return undefined;
  }
}

function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      if (size > 1) bits.se();
      for (let index = 0; index < Math.min(64, 1 << (4 + (size << 1))); index++) bits.se();
    }
  }
}

/** st_ref_pic_set(), 7.3.7: a set may be told as a change to the one before. */
function skipReferenceSets(bits: BitReader): void {
  const count = atMost('num_short_term_ref_pic_sets', bits.ue(), 64);
  let pictures = 0;
  for (let set = 0; set < count; set++) {
    if (set > 0 && bits.flag()) {
      bits.skip(1);
      bits.ue();
      let kept = 0;
      for (let index = 0; index <= pictures; index++) {
        const used = bits.flag();
        if (used || bits.flag()) kept += 1;
      }
      pictures = kept;
      continue;
    }
    const before = atMost('num_negative_pics', bits.ue(), 16);
    const after = atMost('num_positive_pics', bits.ue(), 16);
    pictures = before + after;
    for (let index = 0; index < pictures; index++) {
      bits.ue();
      bits.skip(1);
    }
  }
}
