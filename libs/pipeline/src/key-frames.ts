// Which NAL units make an access unit one that decoding can begin with.

import type { VideoCodec } from '#media';

/** H.264: an IDR slice (ITU-T H.264, table 7-1). H.265: an IRAP slice (ITU-T H.265, table 7-1). */
export function isKeySlice(codec: VideoCodec, firstByte: number): boolean {
  if (codec === 'h264') return (firstByte & 31) === 5;
  const type = (firstByte >> 1) & 63;
  return type >= 16 && type <= 23;
}

export function isSlice(codec: VideoCodec, firstByte: number): boolean {
  if (codec === 'h264') {
    const type = firstByte & 31;
    return type >= 1 && type <= 5;
  }
  return ((firstByte >> 1) & 63) < 32;
}

/** An H.264 SEI NAL unit with a recovery point message (ITU-T H.264, D.1.8), at `start`. */
export function isRecoveryPoint(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + 1;
  while (at + 2 <= end) {
    let type = 0;
    let size = 0;
    while (at < end && bytes[at] === 0xff) ((type += 255), (at += 1));
    type += bytes[at++] ?? 0;
    while (at < end && bytes[at] === 0xff) ((size += 255), (at += 1));
    size += bytes[at++] ?? 0;
    if (type === 6) return true;
    at += size;
  }
  return false;
}
