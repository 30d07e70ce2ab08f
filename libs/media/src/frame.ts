// What a track carries: its format, and the interface through which its bytes arrive.

import type { AudioCodec, AudioFormat } from './audio-format.js';

export type VideoCodec = 'h264' | 'h265';
export type MediaCodec = VideoCodec | AudioCodec;
export type MediaFormat = VideoFormat | AudioFormat;
export type TrackName = 'main' | 'sub' | 'audio';

/** Everything a decoder must know before the first frame. */
export interface VideoFormat {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** NAL units without start codes: [vps,] sps, pps; repeated ids are already replaced. */
  readonly parameterSets: readonly Uint8Array[];
  /** RFC 6381: `avc1.64001f`, `hvc1.1.6.L93.B0`. */
  readonly codecString: string;
  /** How many frames may precede a frame in decoding order and follow it in output order. */
  readonly reorderFrames: number;
  /** From the VUI; absent when the camera does not say. */
  readonly nominalFps?: number;
}

/**
 * Where a depacketizer puts what it reads. Calls come as: (beginNal appendNal*)+ endFrame, or
 * (beginNal appendNal*)* dropFrame, over and over. Bytes given to `appendNal` are copied before it returns; that is the
 * only copy of a payload byte on its way to disk.
 */
export interface FrameSink {
  /** A NAL unit begins; `firstByte` is the first byte of its header and is part of the unit. */
  beginNal(firstByte: number): void;
  /** The next bytes of the NAL unit, behind `firstByte`. */
  appendNal(source: Uint8Array, start: number, end: number): void;
  /**
   * The access unit is whole. `pts90k` is its unwrapped presentation time on the camera's 90 kHz
   * clock; `receivedAtUnixUs` is the wall clock when its last byte was read.
   */
  endFrame(pts90k: number, receivedAtUnixUs: number): void;
  /** What came of the access unit is to be forgotten; what follows up to a key frame is damaged. */
  dropFrame(reason: FrameDropReason): void;
}

export type FrameDropReason = 'packet-lost' | 'malformed' | 'too-large';
