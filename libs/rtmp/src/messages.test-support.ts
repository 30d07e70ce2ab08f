// Messages as publishers write them: chunks, commands, video in FLV's form and in enhanced RTMP's.

import type { VideoCodec } from '#media';
import {
  H264_PPS,
  H264_SPS,
  H265_PPS,
  H265_SPS,
  H265_VPS,
} from '../../rtsp/src/packets.test-support.js';
import { writeAmf, type AmfValue } from './amf.js';
import { MESSAGE } from './messages.js';

export interface ChunkOptions {
  readonly chunkStream?: number;
  readonly chunkBytes?: number;
  readonly streamId?: number;
  readonly timestamp?: number;
  /** Of the first chunk; 1 and 2 write `timestamp` as a difference. */
  readonly form?: 0 | 1 | 2 | 3;
}

/** One message as chunks, as a publisher writes them. */
export function chunks(type: number, payload: Uint8Array, options: ChunkOptions = {}): Buffer {
  const { chunkStream = 4, chunkBytes = 128, streamId = 1, timestamp = 0, form = 0 } = options;
  const basic = (head: number) =>
    chunkStream < 64
      ? Buffer.of((head << 6) | chunkStream)
      : chunkStream < 320
        ? Buffer.of(head << 6, chunkStream - 64)
        : Buffer.of((head << 6) | 1, (chunkStream - 64) & 255, (chunkStream - 64) >> 8);
  const extended = timestamp >= 0xff_ffff;
  const head = Buffer.alloc([11, 7, 3, 0][form] ?? 0);
  if (form < 3) head.writeUIntBE(extended ? 0xff_ffff : timestamp, 0, 3);
  if (form < 2) {
    head.writeUIntBE(payload.length, 3, 3);
    head[6] = type;
  }
  if (form === 0) head.writeUInt32LE(streamId, 7);
  const late = Buffer.alloc(extended ? 4 : 0);
  if (extended) late.writeUInt32BE(timestamp >>> 0);
  const parts: Uint8Array[] = [basic(form), head, late, payload.subarray(0, chunkBytes)];
  for (let at = chunkBytes; at < payload.length; at += chunkBytes) {
    parts.push(basic(3), late, payload.subarray(at, at + chunkBytes));
  }
  return Buffer.concat(parts);
}

export function command(...values: AmfValue[]): Buffer {
  return chunks(MESSAGE.command, writeAmf(...values), { chunkStream: 3, streamId: 0 });
}

export function number(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return chunks(type, payload, { chunkStream: 2, streamId: 0 });
}

const sized = (bytes: Uint8Array, lengthBytes = 2) => {
  const head = Buffer.alloc(lengthBytes);
  head.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([head, bytes]);
};

const SETS = { h264: [H264_SPS, H264_PPS], h265: [H265_VPS, H265_SPS, H265_PPS] };

/** avcC or hvcC with the sets of the tests. */
export function configurationRecord(codec: VideoCodec, sets: Buffer[] = SETS[codec]): Buffer {
  if (codec === 'h264') {
    const [sps = H264_SPS, pps = H264_PPS] = sets;
    const head = Buffer.of(1, sps[1] ?? 0, sps[2] ?? 0, sps[3] ?? 0, 0xff, 0xe1);
    return Buffer.concat([head, sized(sps), Buffer.of(1), sized(pps)]);
  }
  const head = Buffer.alloc(22);
  head[0] = 1;
  head[21] = 3;
  const arrays = sets.map((set) =>
    Buffer.concat([Buffer.of((set[0] ?? 0) >> 1, 0, 1), sized(set)]),
  );
  return Buffer.concat([head, Buffer.of(arrays.length), ...arrays]);
}

export function accessUnit(...units: Uint8Array[]): Buffer {
  return Buffer.concat(units.map((unit) => sized(unit, 4)));
}

/** Video messages: FLV's own form, or enhanced RTMP's. */
export const tag = {
  legacy: (codec: VideoCodec, packet: number, key: boolean, body: Uint8Array) =>
    Buffer.concat([
      Buffer.of(((key ? 1 : 2) << 4) | (codec === 'h264' ? 7 : 12), packet, 0, 0, 0),
      body,
    ]),
  /** Shown so much later than decoded. */
  shown: (offsetMs: number, message: Buffer) => {
    message.writeIntBE(offsetMs, 2, 3);
    return message;
  },
  enhanced: (fourCc: string, packet: number, key: boolean, body: Uint8Array) =>
    Buffer.concat([Buffer.of(0x80 | ((key ? 1 : 2) << 4) | packet), Buffer.from(fourCc), body]),
};
