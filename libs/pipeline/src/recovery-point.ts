// Recovery points: where decoding can begin in a stream that never sends a key frame.

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
