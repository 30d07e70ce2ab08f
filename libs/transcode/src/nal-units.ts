// Splits what an encoder gives (Annex B, start codes of three or four bytes) into NAL units.

/** Views into `data`, without start codes and the zero bytes in front of them. */
export function splitNals(data: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let start = afterStartCode(data, 0);
  while (start !== undefined) {
    const next = afterStartCode(data, start);
    let end = next === undefined ? data.length : next - 3;
    // A NAL unit never ends in a zero byte (ISO/IEC 14496-10, 7.4.1): these belong to a start code.
    while (end > start && data[end - 1] === 0) end -= 1;
    if (end > start) nals.push(data.subarray(start, end));
    start = next;
  }
  return nals;
}

const START_CODE = Buffer.of(0, 0, 1);

function afterStartCode(data: Buffer, from: number): number | undefined {
  const at = data.indexOf(START_CODE, from);
  return at < 0 ? undefined : at + START_CODE.length;
}
