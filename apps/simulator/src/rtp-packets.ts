// A group as RTP packets, laid out once for all the clients that will ever play it.

import type { VideoCodec } from '#media';
import { splitAnnexB } from './annex-b.js';
import type { ClipGroup } from './clip.js';

/** RTSP interleaved framing (RFC 2326 section 10.12) and the fixed RTP header (RFC 3550, 5.1). */
export const PREFIX_BYTES = 4;
const RTP_HEADER_BYTES = 12;
export const PACKET_HEADER_BYTES = PREFIX_BYTES + RTP_HEADER_BYTES;
export const PAYLOAD_TYPE = 96;

/** An IP packet of 1400 bytes leaves this much for an RTP payload (IPv4, TCP, framing, RTP). */
const MOST_PAYLOAD_BYTES = 1400 - 40 - PACKET_HEADER_BYTES;
/** A frame's packets leave over this part of its duration, as from a busy camera. */
const PACED_PART = 0.7;

export type Pacing = 'paced' | 'burst';

/**
 * Packet `i` lies in `buffer` from `offsets[i]` to `offsets[i + 1]`, with interleaved framing in
 * front. Channel, sequence number, timestamp and SSRC are zero: each session patches its own.
 */
export interface PacketGroup {
  readonly buffer: Buffer;
  readonly count: number;
  readonly offsets: Uint32Array;
  /** Presentation time, ticks from the group's start. */
  readonly ticks90k: Uint32Array;
  /** When the packet leaves, ticks from the group's start. */
  readonly dues90k: Uint32Array;
  /** 1 for the first packet of an access unit. */
  readonly startsFrame: Uint8Array;
  readonly duration90k: number;
}

export function packetizeGroup(codec: VideoCodec, group: ClipGroup, pacing: Pacing): PacketGroup {
  const pieces: Buffer[] = [];
  const ticks: number[] = [];
  const dues: number[] = [];
  const starts: number[] = [];
  let decodingTicks = 0;
  for (const frame of group.frames) {
    const packets = packetizeFrame(codec, frame.data);
    packets.forEach((packet, index) => {
      const share = pacing === 'burst' ? 0 : (index / packets.length) * PACED_PART;
      pieces.push(packet);
      ticks.push(decodingTicks + frame.ctsOffset90k);
      dues.push(decodingTicks + Math.round(frame.duration90k * share));
      starts.push(index === 0 ? 1 : 0);
    });
    decodingTicks += frame.duration90k;
  }
  const offsets = new Uint32Array(pieces.length + 1);
  pieces.forEach((piece, index) => (offsets[index + 1] = (offsets[index] ?? 0) + piece.length));
  return {
    buffer: Buffer.concat(pieces),
    count: pieces.length,
    offsets,
    ticks90k: Uint32Array.from(ticks),
    dues90k: Uint32Array.from(dues),
    startsFrame: Uint8Array.from(starts),
    duration90k: group.duration90k,
  };
}

/** The packets of one access unit; the last one carries the marker bit. */
export function packetizeFrame(codec: VideoCodec, data: Uint8Array): Buffer[] {
  const packets: Buffer[] = [];
  for (const nal of splitAnnexB(data)) {
    if (nal.length <= MOST_PAYLOAD_BYTES) packets.push(packetOf([nal]));
    else packets.push(...fragments(codec, nal));
  }
  const last = packets.at(-1);
  if (last !== undefined) last[PREFIX_BYTES + 1] = 0x80 | PAYLOAD_TYPE;
  return packets;
}

/** FU-A (RFC 6184 section 5.8) or FU (RFC 7798 section 4.4.3). */
function fragments(codec: VideoCodec, nal: Uint8Array): Buffer[] {
  const nalHeaderBytes = codec === 'h264' ? 1 : 2;
  const first = nal[0] ?? 0;
  const type = codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
  const indicator =
    codec === 'h264' ? [(first & 0xe0) | 28] : [(first & 0x81) | (49 << 1), nal[1] ?? 0];
  const room = MOST_PAYLOAD_BYTES - indicator.length - 1;
  const packets: Buffer[] = [];
  for (let at = nalHeaderBytes; at < nal.length; at += room) {
    const end = Math.min(at + room, nal.length);
    const startBit = at === nalHeaderBytes ? 0x80 : 0;
    const endBit = end === nal.length ? 0x40 : 0;
    const header = Uint8Array.from([...indicator, startBit | endBit | type]);
    packets.push(packetOf([header, nal.subarray(at, end)]));
  }
  return packets;
}

function packetOf(payload: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(PACKET_HEADER_BYTES);
  const bytes = payload.reduce((sum, piece) => sum + piece.length, 0);
  header[0] = 0x24;
  header.writeUInt16BE(RTP_HEADER_BYTES + bytes, 2);
  header[PREFIX_BYTES] = 0x80;
  header[PREFIX_BYTES + 1] = PAYLOAD_TYPE;
  return Buffer.concat([header, ...payload]);
}
