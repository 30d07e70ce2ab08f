// A publisher that does what a test tells it, right or wrong, on a real socket.

import { connect, type Socket } from 'node:net';
import { silentLog, systemClock, type Clock } from '#base';
import { eventually } from '#base/testing';
import type { AudioFormat, VideoCodec, VideoFormat } from '#media';
import type { StreamEnd, StreamInfo } from '#rtsp';
import { RecordingAudio, RecordingSink, slice } from '../../rtsp/src/packets.test-support.js';
import { readAmf, type AmfObject, type AmfValue } from './amf.js';
import { ChunkReader } from './chunk-reader.js';
import { MESSAGE } from './messages.js';
import {
  accessUnit,
  chunks,
  command,
  configurationRecord,
  tag,
  type ChunkOptions,
} from './messages.test-support.js';
import { PushDoor } from './push-door.js';
import { PushStream, type PushStreamOptions } from './push-stream.js';

export const KEY = 'abcdefghijklmnopqrstuv';
const HANDSHAKE = Buffer.concat([Buffer.of(3), Buffer.alloc(1536, 7)]);

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

  audio(payload: Uint8Array, timestamp = 0): void {
    this.write(chunks(MESSAGE.audio, payload, { chunkStream: 4, timestamp }));
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
  const sound = new RecordingAudio();
  const sounds: AudioFormat[] = [];
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
      onAudio: (format) => {
        sounds.push(format);
        return sound;
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
    sound,
    sounds,
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
