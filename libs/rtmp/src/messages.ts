// RTMP's messages by their numbers, and those that a server writes.

import { writeAmf, type AmfValue } from './amf.js';

export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  peerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  data: 18,
  command: 20,
} as const;

export const USER_CONTROL = { streamBegin: 0, pingRequest: 6, pingResponse: 7 } as const;

/** What we announce before our first long message. */
export const SENT_CHUNK_BYTES = 4096;
const CONTROL_STREAM = 2;
const COMMAND_STREAM = 3;

/** One message, in one chunk of type 0. The payload fits in one chunk. */
function message(chunkStream: number, type: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head[0] = chunkStream;
  head.writeUIntBE(payload.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(streamId, 8);
  return Buffer.concat([head, payload]);
}

export function writeNumber(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value >>> 0);
  return message(CONTROL_STREAM, type, 0, payload);
}

export function writePeerBandwidth(bytes: number): Buffer {
  const payload = Buffer.alloc(5);
  payload.writeUInt32BE(bytes);
  // Dynamic: hard when the last one was.
  payload[4] = 2;
  return message(CONTROL_STREAM, MESSAGE.peerBandwidth, 0, payload);
}

export function writeUserControl(event: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(event);
  payload.writeUInt32BE(value >>> 0, 2);
  return message(CONTROL_STREAM, MESSAGE.userControl, 0, payload);
}

export function writeCommand(streamId: number, ...values: AmfValue[]): Buffer {
  return message(COMMAND_STREAM, MESSAGE.command, streamId, writeAmf(...values));
}
