// A publisher that does what a test tells it, right or wrong, on a real socket.

import { connect, type Socket } from 'node:net';
import { silentLog, systemClock, type Clock } from '#base';
import { eventually } from '#base/testing';
import type { VideoCodec, VideoFormat } from '#media';
import type { StreamEnd, StreamInfo } from '#rtsp';
import {
  H264_PPS,
  H264_SPS,
  H265_PPS,
  H265_SPS,
  H265_VPS,
  RecordingSink,
  slice,
} from '../../rtsp/src/packets.test-support.js';
import { readAmf, writeAmf, type AmfObject, type AmfValue } from './amf.js';
import { ChunkReader } from './chunk-reader.js';
import { MESSAGE } from './messages.js';
import { PushDoor } from './push-door.js';
import { PushStream, type PushStreamOptions } from './push-stream.js';

export const KEY = 'abcdefghijklmnopqrstuv';
const HANDSHAKE = Buffer.concat([Buffer.of(3), Buffer.alloc(1536, 7)]);

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

/** Talks to a door. */
export class RawPublisher {
  readonly socket: Socket;
  readonly commands: AmfValue[][] = [];
  received = 0;
  closed = false;
  readonly #reader: ChunkReader;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.once('close', () => (this.closed = true));
    this.#reader = new ChunkReader(
      {
        onMessage: ({ type, bytes, start, end }) => {
          if (type === MESSAGE.setChunkSize) this.#reader.setChunkBytes(4096);
          if (type === MESSAGE.command) this.commands.push(readAmf(bytes.subarray(start, end)));
        },
        onAborted: () => undefined,
      },
      1 << 20,
    );
    this.socket.on('data', (bytes: Buffer) => {
      const skip = Math.max(0, Math.min(bytes.length, 3073 - this.received));
      this.received += bytes.length;
      this.#reader.push(bytes, skip, bytes.length);
    });
  }

  write(...parts: Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  async handshake(): Promise<void> {
    this.write(HANDSHAKE);
    await eventually('the answer to the handshake', () => this.received >= 3073 || this.closed);
    this.write(HANDSHAKE.subarray(1));
  }

  /** The first command of this name; of `onStatus` the facts are last. */
  answer(name: string): Promise<AmfValue[]> {
    return eventually(`an answer ${name}`, () => this.commands.find((one) => one[0] === name));
  }

  async statusFacts(): Promise<AmfObject> {
    return (await this.answer('onStatus'))[3] as AmfObject;
  }

  /** Up to the answer to `publish`. */
  async publish(key: string, app = 'live'): Promise<AmfObject> {
    await this.handshake();
    this.write(
      command('connect', 1, { app, flashVer: 'FMLE/3.0 (test)', tcUrl: 'rtmp://127.0.0.1/live' }),
      command('releaseStream', 2, null, key),
      command('createStream', 4, null),
      command('publish', 5, null, key, 'live'),
    );
    return this.statusFacts();
  }

  video(payload: Uint8Array, options: ChunkOptions = {}): void {
    this.write(chunks(MESSAGE.video, payload, { chunkStream: 6, ...options }));
  }

  configure(codec: VideoCodec): void {
    this.video(tag.legacy(codec, 0, true, configurationRecord(codec)));
  }

  picture(codec: VideoCodec, key: boolean, timestamp: number, sizeBytes = 700): Buffer {
    const unit = slice(codec, key, sizeBytes, timestamp);
    this.video(tag.legacy(codec, 1, key, accessUnit(unit)), { timestamp });
    return unit;
  }
}

/** A door with one stream behind it, and all that its listener was told. */
export async function openStream(
  options: Partial<PushStreamOptions> & { deadlineMs?: number; clock?: Clock } = {},
) {
  const clock = options.clock ?? systemClock;
  const log = silentLog();
  const { deadlineMs } = options;
  const door = new PushDoor({
    host: '127.0.0.1',
    port: 0,
    clock,
    log,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  const sink = new RecordingSink();
  const starts: StreamInfo[] = [];
  const formats: VideoFormat[] = [];
  const ends: StreamEnd[] = [];
  const stream = new PushStream({
    door,
    key: KEY,
    clock,
    log,
    listener: {
      onStart: (info) => {
        starts.push(info);
        return sink;
      },
      onFormat: (format) => void formats.push(format),
      onEnd: (end) => void ends.push(end),
    },
    ...options,
  });
  stream.start();
  const port = await eventually('the port', () => door.port);
  const publishers: RawPublisher[] = [];
  return {
    door,
    port,
    sink,
    starts,
    formats,
    ends,
    stream,
    come: () => {
      const publisher = new RawPublisher(port);
      publishers.push(publisher);
      return publisher;
    },
    close: async () => {
      await stream.stop();
      door.close();
      for (const { socket } of publishers) socket.destroy();
    },
  };
}
