// ADTS headers (ISO/IEC 14496-3, 1.A.2.2): what makes AAC access units a stream that plays by itself.

import { aacFacts, type AudioFormat } from './audio-format.js';
import { FrameTable } from './frame-table.js';

export const ADTS_BYTES = 7;
/** The length has 13 bits. */
export const MAX_ADTS_PAYLOAD_BYTES = 0x1fff - ADTS_BYTES;

/** The header of an access unit whose length is still to be put in by `setAdtsLength`. */
export function adtsHeader(format: AudioFormat): Buffer | undefined {
  const facts = aacFacts(format.config);
  if (facts === undefined) return undefined;
  const { objectType, rateIndex, channelConfig } = facts;
  return Buffer.of(
    0xff,
    // MPEG-4, no CRC.
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfig >> 2),
    (channelConfig & 3) << 6,
    0,
    // Buffer fullness: variable rate; one access unit.
    0x1f,
    0xfc,
  );
}

/** `unitBytes` is the access unit's length without the header, which begins at `at`. */
export function setAdtsLength(bytes: Buffer, at: number, unitBytes: number): void {
  const length = unitBytes + ADTS_BYTES;
  bytes[at + 3] = ((bytes[at + 3] ?? 0) & 0xfc) | (length >> 11);
  bytes[at + 4] = (length >> 3) & 0xff;
  bytes[at + 5] = ((length & 7) << 5) | 0x1f;
}

/** Frames as MP4 and decoders take them: AAC without its ADTS headers, others as they are. */
export function audioSamples(
  format: AudioFormat,
  frames: FrameTable,
  payload: Buffer,
): { readonly frames: FrameTable; readonly payload: Buffer } {
  if (format.codec !== 'aac') return { frames, payload };
  const samples = new FrameTable(0);
  const parts: Buffer[] = [];
  let at = 0;
  for (let frame = 0; frame < frames.count; frame++) {
    const end = at + frames.sizeOf(frame);
    const start = Math.min(end, at + ADTS_BYTES);
    samples.addNal(end - start);
    samples.endFrame(true, frames.durationOf(frame), 0);
    parts.push(payload.subarray(start, end));
    at = end;
  }
  return { frames: samples, payload: Buffer.concat(parts) };
}
