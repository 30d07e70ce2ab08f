// Describes what an encoder makes, for the initialisation of its renditions.

import { nalType, type VideoFormat } from '#media';
import type { PictureSize } from './picture-size.js';

/** `parameterSets` as an H264Encoder gives them: the SPS is among them. */
export function videoFormatOf(
  parameterSets: readonly Uint8Array[],
  size: PictureSize,
): VideoFormat {
  const sps = parameterSets.find((nal) => nalType('h264', nal[0] ?? 0) === 7) ?? new Uint8Array(4);
  const profileAndLevel = Buffer.from(sps.subarray(1, 4)).toString('hex');
  return {
    codec: 'h264',
    width: size.width,
    height: size.height,
    parameterSets,
    codecString: `avc1.${profileAndLevel}`,
    reorderFrames: 0,
  };
}
