// Splits an Annex-B byte stream into its NAL units.

/**
 * The NAL units of `data`, as views without start codes. Takes start codes of three and of four
 * bytes; zero bytes behind a unit (trailing_zero_8bits) belong to no unit.
 */
export function splitAnnexB(data: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let start = -1;
  let at = 0;
  while (at + 2 < data.length) {
    const third = data[at + 2] ?? 0;
    if (third > 1) at += 3;
    else if (data[at] !== 0 || data[at + 1] !== 0 || third !== 1) at += 1;
    else {
      if (start >= 0) pushTrimmed(nals, data, start, at);
      start = at + 3;
      at = start;
    }
  }
  if (start >= 0) pushTrimmed(nals, data, start, data.length);
  return nals;
}

function pushTrimmed(nals: Uint8Array[], data: Uint8Array, start: number, end: number): void {
  let last = end;
  while (last > start && data[last - 1] === 0) last -= 1;
  if (last > start) nals.push(data.subarray(start, last));
}

/** NAL units with four-byte start codes, in one new buffer. */
export function joinAnnexB(nals: readonly Uint8Array[]): Buffer {
  const startCode = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat(nals.flatMap((nal) => [startCode, nal]));
}
