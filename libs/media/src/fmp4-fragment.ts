// The head of an MP4 fragment (ISO/IEC 14496-12, 8.8): moof and the mdat header, in one small buffer.
//
//   [styp]  moof ( mfhd  traf ( tfhd  tfdt  trun+ ) )  mdat-header   then the payload, by the caller

import { NightjarError } from '#base';
import { FMP4_TRACK_ID } from './fmp4-init.js';
import type { FrameTable } from './frame-table.js';

/** A stretch of frames whose payload is sent in this order. */
export interface FragmentFrames {
  readonly frames: FrameTable;
  /** The first frame; 0 if absent. */
  readonly first?: number;
  /** Behind the last frame; all if absent. */
  readonly end?: number;
  /** Frames before this one are decoded but take one tick each, so that nobody sees them. */
  readonly squeezedBefore?: number;
  /** Replaces the duration of the first frame that is seen. */
  readonly firstDuration90k?: number;
  /** Replaces the duration of the last frame. */
  readonly lastDuration90k?: number;
}

export interface FragmentOptions {
  /** Counts fragments of a file or connection, from 1. */
  readonly sequence: number;
  readonly baseDts90k: number;
  /** The picture's if absent. */
  readonly trackId?: number;
  /** Which sample entry of the initialisation applies, from 1. */
  readonly sampleEntry?: number;
  readonly runs: readonly FragmentFrames[];
  /** Begins with a `styp` box, as a file of its own. */
  readonly styp?: boolean;
}

const KEY_FRAME_FLAGS = 0x02000000;
const OTHER_FRAME_FLAGS = 0x01010000;
const STYP_BYTES = 24;
const MOOF_BYTES = 8 + 16 + 8 + 20 + 20;
const TRUN_BYTES = 20;

/** What comes in front of the payload of `runs`; the payload's NAL units must have lengths. */
export function writeFragmentHead(options: FragmentOptions): Buffer {
  const { runs, sequence, baseDts90k, sampleEntry = 1, styp = false } = options;
  const { trackId = FMP4_TRACK_ID } = options;
  let sampleCount = 0;
  let offsetsUsed = false;
  for (const run of runs) {
    const { first, end } = bounds(run);
    sampleCount += end - first;
    for (let frame = first; frame < end && !offsetsUsed; frame++) {
      offsetsUsed = run.frames.ctsOffsetOf(frame) !== 0;
    }
  }
  const sampleBytes = offsetsUsed ? 16 : 12;
  const moofBytes = MOOF_BYTES + runs.length * TRUN_BYTES + sampleCount * sampleBytes;
  const stypBytes = styp ? STYP_BYTES : 0;
  const head = Buffer.alloc(stypBytes + moofBytes + 8);
  let at = 0;
  const u32 = (value: number) => {
    head.writeUInt32BE(value >>> 0, at);
    at += 4;
  };
  const type = (text: string) => {
    head.write(text, at, 'latin1');
    at += 4;
  };
  if (styp) {
    u32(STYP_BYTES);
    for (const word of ['styp', 'msdh']) type(word);
    u32(0);
    for (const word of ['msdh', 'msix']) type(word);
  }
  u32(moofBytes);
  type('moof');
  u32(16);
  type('mfhd');
  u32(0);
  u32(sequence);
  u32(moofBytes - 24);
  type('traf');
  u32(20);
  type('tfhd');
  // Offsets count from the moof; the sample entry is named.
  u32(0x020002);
  u32(trackId);
  u32(sampleEntry);
  u32(20);
  type('tfdt');
  u32(0x01000000);
  u32(Math.floor(baseDts90k / 2 ** 32));
  u32(baseDts90k % 2 ** 32);
  let payloadBytes = 0;
  for (const run of runs) {
    const { frames } = run;
    const { first, end } = bounds(run);
    u32(TRUN_BYTES + (end - first) * sampleBytes);
    type('trun');
    // Version 1: composition offsets are signed. Flags: data offset, duration, size, flags, offset.
    u32(0x01000000 | 0x701 | (offsetsUsed ? 0x800 : 0));
    u32(end - first);
    u32(moofBytes + 8 + payloadBytes);
    for (let frame = first; frame < end; frame++) {
      const sizeBytes = frames.sizeOf(frame);
      const squeezed = frame < (run.squeezedBefore ?? 0);
      payloadBytes += sizeBytes;
      u32(durationIn(run, frame));
      u32(sizeBytes);
      u32(frames.isKey(frame) ? KEY_FRAME_FLAGS : OTHER_FRAME_FLAGS);
      if (offsetsUsed) u32(squeezed ? 0 : frames.ctsOffsetOf(frame));
    }
  }
  u32(payloadBytes + 8);
  type('mdat');
  return head;
}

/** The ticks that `run` takes in a fragment. */
export function fragmentDuration90k(run: FragmentFrames): number {
  const { first, end } = bounds(run);
  let duration = 0;
  for (let frame = first; frame < end; frame++) {
    duration += durationIn(run, frame);
  }
  return duration;
}

function durationIn(run: FragmentFrames, frame: number): number {
  const { squeezedBefore = 0, frames } = run;
  if (frame < squeezedBefore) return 1;
  if (frame === bounds(run).end - 1 && run.lastDuration90k !== undefined)
    return run.lastDuration90k;
  if (frame === squeezedBefore && run.firstDuration90k !== undefined) return run.firstDuration90k;
  return frames.durationOf(frame);
}

/**
 * Replaces the four-byte start code of every NAL unit by its length, in place, for frames `first`
 * up to `end` whose payload begins at `start`. Returns where it ends. Throws `data-loss` where the
 * frame table and the bytes disagree.
 */
export function patchNalLengths(payload: Buffer, start: number, run: FragmentFrames): number {
  const { frames } = run;
  const { first, end } = bounds(run);
  const endNal = frames.firstNalOf(end);
  let at = start;
  for (let nal = frames.firstNalOf(first); nal < endNal; nal++) {
    const sizeBytes = frames.nalSizeOf(nal);
    if (at + 4 + sizeBytes > payload.length || payload.readUInt32BE(at) !== 1) {
      throw new NightjarError('data-loss', 'expected a start code where the frame table says', {
        nal,
        at,
      });
    }
    payload.writeUInt32BE(sizeBytes, at);
    at += 4 + sizeBytes;
  }
  return at;
}

function bounds({ frames, first = 0, end = frames.count }: FragmentFrames) {
  return { first, end };
}
