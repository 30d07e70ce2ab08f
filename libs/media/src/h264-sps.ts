// The sequence and picture parameter sets of H.264 (ITU-T H.264, 7.3.2.1, 7.3.2.2 and annex E).

import { NightjarError } from '#base';
import { BitReader } from './bit-reader.js';
import { atMost, plausibleFps, type SpsFacts } from './sps-facts.js';

/** Profiles whose SPS tells chroma format and scaling lists. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const EXTENDED_SAR = 255;

/** Throws `invalid-argument` when the unit is cut or says what no camera means. */
export function parseH264Sps(nal: Uint8Array): SpsFacts {
  const bits = new BitReader(nal, 1);
  const profile = bits.bits(8);
  const constraints = bits.bits(8);
  const level = bits.bits(8);
  const id = atMost('seq_parameter_set_id', bits.ue(), 31);
  let chroma = 1;
  let separatePlanes = false;
  if (HIGH_PROFILES.has(profile)) {
    chroma = atMost('chroma_format_idc', bits.ue(), 3);
    if (chroma === 3) separatePlanes = bits.flag();
    bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.flag()) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  bits.ue();
  const orderType = atMost('pic_order_cnt_type', bits.ue(), 2);
  if (orderType === 0) {
    bits.ue();
  } else if (orderType === 1) {
    bits.skip(1);
    bits.se();
    bits.se();
    const cycle = atMost('num_ref_frames_in_pic_order_cnt_cycle', bits.ue(), 255);
    for (let index = 0; index < cycle; index++) bits.se();
  }
  const references = atMost('max_num_ref_frames', bits.ue(), 16);
  bits.skip(1);
  const widthMbs = atMost('pic_width_in_mbs_minus1', bits.ue(), 1023) + 1;
  const heightUnits = atMost('pic_height_in_map_units_minus1', bits.ue(), 1023) + 1;
  const framesOnly = bits.flag();
  if (!framesOnly) bits.skip(1);
  bits.skip(1);
  const crop = { left: 0, right: 0, top: 0, bottom: 0 };
  if (bits.flag()) {
    crop.left = bits.ue();
    crop.right = bits.ue();
    crop.top = bits.ue();
    crop.bottom = bits.ue();
  }
  const colour = separatePlanes ? 0 : chroma;
  const unitX = colour === 1 || colour === 2 ? 2 : 1;
  const unitY = (colour === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = widthMbs * 16 - (crop.left + crop.right) * unitX;
  const height = heightUnits * (framesOnly ? 16 : 32) - (crop.top + crop.bottom) * unitY;
  if (width <= 0 || height <= 0) {
    throw new NightjarError('invalid-argument', 'expected a picture, found one cropped away', {
      width,
      height,
    });
  }
  const vui = bits.flag() ? readVui(bits) : {};
  // Without a word from the VUI: these shapes of a stream cannot reorder.
  const intraOnly = HIGH_PROFILES.has(profile) && (constraints & 0x10) !== 0;
  const cannotReorder = profile === 66 || orderType === 2 || references <= 1 || intraOnly;
  const reorderFrames = vui.reorderFrames ?? (cannotReorder ? 0 : undefined);
  return {
    id,
    width,
    height,
    codecString: `avc1.${hex(profile)}${hex(constraints)}${hex(level)}`,
    ...(reorderFrames === undefined ? {} : { reorderFrames }),
    ...(vui.nominalFps === undefined ? {} : { nominalFps: vui.nominalFps }),
  };
}

/** The ids of a picture parameter set and of the SPS that it names. */
export function parseH264Pps(nal: Uint8Array): { id: number; spsId: number } {
  const bits = new BitReader(nal, 1);
  return {
    id: atMost('pic_parameter_set_id', bits.ue(), 255),
    spsId: atMost('seq_parameter_set_id', bits.ue(), 31),
  };
}

function readVui(bits: BitReader): { nominalFps?: number; reorderFrames?: number } {
  let nominalFps: number | undefined;
  try {
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
    if (bits.flag()) {
      const unitsInTick = bits.bits(32);
      const timeScale = bits.bits(32);
      bits.skip(1);
      nominalFps = plausibleFps(timeScale / (2 * unitsInTick));
    }
    const nalHrd = bits.flag();
    if (nalHrd) skipHrd(bits);
    const vclHrd = bits.flag();
    if (vclHrd) skipHrd(bits);
    if (nalHrd || vclHrd) bits.skip(1);
    bits.skip(1);
    if (!bits.flag()) return withFps(nominalFps);
    bits.skip(1);
    bits.ue();
    bits.ue();
    bits.ue();
    bits.ue();
    const reorderFrames = bits.ue();
    return { ...withFps(nominalFps), ...(reorderFrames > 16 ? {} : { reorderFrames }) };
  } catch {
    // Cameras with a cut or wrong VUI are many; what precedes it still holds.
    return withFps(nominalFps);
  }
}

function withFps(nominalFps: number | undefined): { nominalFps?: number } {
  return nominalFps === undefined ? {} : { nominalFps };
}

function skipHrd(bits: BitReader): void {
  const count = atMost('cpb_cnt_minus1', bits.ue(), 31) + 1;
  bits.skip(8);
  for (let index = 0; index < count; index++) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20);
}

function skipScalingLists(bits: BitReader, count: number): void {
  for (let list = 0; list < count; list++) {
    if (!bits.flag()) continue;
    let last = 8;
    for (let index = 0; index < (list < 6 ? 16 : 64); index++) {
      last = (last + bits.se() + 256) & 255;
      if (last === 0) break;
    }
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
