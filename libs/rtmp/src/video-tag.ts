// The head of a video message: FLV's (Adobe's FLV specification 10.1, E.4.3) and enhanced RTMP's
// (Veovera, "Enhancing RTMP, FLV", v1 and v2).

import { NightjarError } from '#base';
import type { VideoCodec } from '#media';

/** `config` is a decoder configuration record, `frame` an access unit with lengths in front. */
export type VideoTag =
  | { readonly kind: 'config'; readonly codec: VideoCodec; readonly at: number }
  | {
      readonly kind: 'frame';
      readonly codec: VideoCodec;
      /** Where the units begin. */
      readonly at: number;
      /** Composition time minus decoding time. */
      readonly offsetMs: number;
    }
  | { readonly kind: 'nothing' };

const NOTHING: VideoTag = { kind: 'nothing' };
const LEGACY_CODECS: Readonly<Record<number, VideoCodec>> = { 7: 'h264', 12: 'h265' };
const LEGACY_NAMES: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen video 2',
  13: 'AV1',
};
const COMMAND_FRAME = 5;
const PACKET = {
  start: 0,
  frames: 1,
  end: 2,
  framesWithoutTime: 3,
  metadata: 4,
  multitrack: 6,
  modEx: 7,
};

/** Throws `unsupported` for what is no H.264 or H.265, `invalid-argument` for what is cut short. */
export function readVideoTag(bytes: Uint8Array, start: number, end: number): VideoTag {
  const first = bytes[start] ?? 0;
  if (end <= start) return NOTHING;
  if ((first & 0x80) !== 0) return readEnhanced(bytes, start, end);
  if (first >> 4 === COMMAND_FRAME) return NOTHING;
  const codec = LEGACY_CODECS[first & 15];
  if (codec === undefined) throw foreign(LEGACY_NAMES[first & 15] ?? `codec ${first & 15}`);
  need(start + 5, end);
  const packet = bytes[start + 1];
  if (packet === 0) return { kind: 'config', codec, at: start + 5 };
  if (packet !== 1) return NOTHING;
  return { kind: 'frame', codec, at: start + 5, offsetMs: signed24(bytes, start + 2) };
}

function readEnhanced(bytes: Uint8Array, start: number, end: number): VideoTag {
  let packet = (bytes[start] ?? 0) & 15;
  let at = start + 1;
  while (packet === PACKET.modEx) {
    // Modifiers (finer timestamps, say): each has a length, then what comes behind it.
    need(at + 1, end);
    let size = (bytes[at++] ?? 0) + 1;
    if (size === 256) {
      need(at + 2, end);
      size = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0) + 1;
      at += 2;
    }
    at += size;
    need(at + 1, end);
    packet = (bytes[at++] ?? 0) & 15;
  }
  if (packet === PACKET.multitrack) throw foreign('several tracks in one');
  if ((((bytes[start] ?? 0) >> 4) & 7) === COMMAND_FRAME && packet !== PACKET.metadata)
    return NOTHING;
  need(at + 4, end);
  const fourCc = String.fromCharCode(...bytes.subarray(at, at + 4));
  at += 4;
  if (packet === PACKET.end || packet === PACKET.metadata) return NOTHING;
  const codec = fourCc === 'hvc1' ? 'h265' : fourCc === 'avc1' ? 'h264' : undefined;
  if (codec === undefined) throw foreign(fourCc.replace(/[^ -~]/g, '?'));
  if (packet === PACKET.start) return { kind: 'config', codec, at };
  if (packet === PACKET.framesWithoutTime) return { kind: 'frame', codec, at, offsetMs: 0 };
  if (packet !== PACKET.frames) return NOTHING;
  need(at + 3, end);
  return { kind: 'frame', codec, at: at + 3, offsetMs: signed24(bytes, at) };
}

function signed24(bytes: Uint8Array, at: number): number {
  const value = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  return (value << 8) >> 8;
}

function need(upTo: number, end: number): void {
  if (upTo > end) throw new NightjarError('invalid-argument', 'a video message is cut short');
}

function foreign(found: string): NightjarError {
  return new NightjarError(
    'unsupported',
    `expected H.264 or H.265, found ${found}; choose H.264 in the publisher's settings`,
  );
}
