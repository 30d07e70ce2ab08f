// What strangers send to the port for cameras that push: chunks, commands, video messages.

import { systemClock } from '../../libs/base/src/index.js';
import { readAmf, writeAmf } from '../../libs/rtmp/src/amf.js';
import { ChunkReader } from '../../libs/rtmp/src/chunk-reader.js';
import { MESSAGE } from '../../libs/rtmp/src/messages.js';
import {
  accessUnit,
  chunks,
  command,
  configurationRecord,
  number,
  tag,
} from '../../libs/rtmp/src/messages.test-support.js';
import { PushVideo } from '../../libs/rtmp/src/push-video.js';
import { slice } from '../../libs/rtsp/src/packets.test-support.js';
import { newCounters } from '../../libs/rtsp/src/stream-face.js';
import { CheckingSink } from './checking-sink.js';
import { answered, mustHold } from './fuzz-checks.js';
import type { FuzzTarget } from './fuzz-engine.js';

const MAX_MESSAGE_BYTES = 8192;
/** A publication lives so long before a new one begins. */
const MESSAGES_A_RUN = 200;
const MAX_UNIT_BYTES = 8 * 1024 * 1024;

export function rtmpTargets(): FuzzTarget[] {
  return [chunkStreams(), commands(), publication()];
}

function chunkStreams(): FuzzTarget {
  const picture = tag.legacy('h264', 1, true, accessUnit(slice('h264', true, 700, 1)));
  const seeds = [
    Buffer.concat([
      command('connect', 1, { app: 'live', flashVer: 'FMLE/3.0', tcUrl: 'rtmp://host/live' }),
      command('createStream', 2, null),
      command('publish', 3, null, 'a-key', 'live'),
    ]),
    Buffer.concat([
      number(MESSAGE.setChunkSize, 400),
      chunks(MESSAGE.video, picture, { chunkStream: 6, chunkBytes: 400, timestamp: 40 }),
      chunks(MESSAGE.video, picture, { chunkStream: 6, chunkBytes: 400, form: 1, timestamp: 40 }),
      chunks(MESSAGE.audio, Buffer.alloc(90, 7), { chunkStream: 70, timestamp: 0x1ff_ffff }),
    ]),
    Buffer.concat([
      chunks(MESSAGE.video, picture, { chunkStream: 400 }).subarray(0, 200),
      number(MESSAGE.abort, 400),
      chunks(MESSAGE.data, Buffer.alloc(30), { chunkStream: 5, form: 0 }),
      chunks(MESSAGE.data, Buffer.alloc(30), { chunkStream: 5, form: 3 }),
    ]),
  ];
  let messages = 0;
  const begin = () => {
    const reader: ChunkReader = new ChunkReader(
      {
        onMessage: ({ type, timestamp, bytes, start, end }) => {
          messages += 1;
          mustHold(
            start >= 0 && start <= end && end <= bytes.length,
            'a message outside its bytes',
          );
          mustHold(end - start <= MAX_MESSAGE_BYTES, 'a message beyond its bound');
          mustHold(timestamp >= 0 && timestamp < 2 ** 32, `a time of ${timestamp}`);
          const value = end - start < 4 ? 0 : Buffer.from(bytes).readUInt32BE(start);
          if (type === MESSAGE.setChunkSize) reader.setChunkBytes(value);
          if (type === MESSAGE.abort) reader.abort(value);
        },
        onAborted: () => undefined,
      },
      MAX_MESSAGE_BYTES,
    );
    return reader;
  };
  return {
    name: 'RTMP chunks',
    weight: 10,
    seeds,
    run(input) {
      const reader = begin();
      answered(() => {
        for (let at = 0; at < input.length; at += 97) {
          reader.push(input, at, Math.min(input.length, at + 97));
        }
      });
      const { heldBytes, bufferBytes } = reader;
      mustHold(heldBytes <= MAX_MESSAGE_BYTES + 97, `${heldBytes} bytes held`);
      mustHold(bufferBytes <= 32 * MAX_MESSAGE_BYTES, `${bufferBytes} bytes of buffers`);
    },
    reached: () => `${messages} messages`,
  };
}

function commands(): FuzzTarget {
  let values = 0;
  return {
    name: 'AMF0',
    weight: 6,
    seeds: [
      writeAmf('connect', 1, { app: 'live', flashVer: 'FMLE/3.0', list: ['hvc1', { deep: true }] }),
      writeAmf('publish', 5, null, 'a-key', 'live', undefined, false),
      Buffer.from('0800000002000577696474680040840000000000000003656e6400000009', 'hex'),
      Buffer.from('0a00000002050c00000003616263100003666f6f0001610101000009', 'hex'),
    ],
    run(input) {
      const read = answered(() => readAmf(input));
      mustHold((read?.length ?? 0) <= 1024, 'more values than the bound');
      values += read?.length ?? 0;
    },
    reached: () => `${values} values`,
  };
}

function publication(): FuzzTarget {
  const message = (codec: 'h264' | 'h265', key: boolean, size: number) =>
    tag.legacy(codec, 1, key, accessUnit(slice(codec, key, size, size)));
  const record = configurationRecord('h265');
  const body = accessUnit(slice('h265', true, 500, 1), slice('h265', false, 50, 2));
  const seeds = [
    tag.legacy('h264', 0, true, configurationRecord('h264')),
    message('h264', true, 900),
    message('h264', false, 120),
    tag.enhanced('hvc1', 0, true, record),
    tag.enhanced('hvc1', 1, true, Buffer.concat([Buffer.of(0, 0, 40), body])),
    tag.enhanced('hvc1', 3, false, accessUnit(slice('h265', false, 80, 3))),
    Buffer.concat([Buffer.of(0x97, 2, 0, 0, 9, 0x01), Buffer.from('hvc1'), Buffer.alloc(3), body]),
  ];
  const [h264 = Buffer.alloc(0)] = seeds;
  let run: { video: PushVideo; sink: CheckingSink } | undefined;
  let fed = 0;
  let frames = 0;
  const begin = () => {
    const sink = new CheckingSink();
    const video = new PushVideo({
      listener: { onStart: () => sink, onFormat: () => undefined, onEnd: () => undefined },
      counters: newCounters(),
      clock: systemClock,
      info: () => ({}),
      onBegin: () => undefined,
    });
    // Half of the runs have a format before anything can go wrong.
    const configuration = fed % 2 === 0 ? h264 : undefined;
    if (configuration !== undefined) video.receive(0, configuration, 0, configuration.length);
    return { video, sink };
  };
  return {
    name: 'RTMP video',
    weight: 12,
    seeds,
    run(input) {
      if (run === undefined || ++fed % MESSAGES_A_RUN === 0) run = begin();
      const { video, sink } = run;
      const before = sink.frames;
      const whole = answered(() => {
        video.receive((fed * 40) >>> 0, input, 0, input.length);
        return true;
      });
      frames += sink.frames - before;
      // Where slices come in messages of their own, only the next time ends a picture.
      mustHold(sink.openBytes <= MAX_UNIT_BYTES, `${sink.openBytes} bytes of one frame`);
      // A publisher that cannot be understood is hung up on.
      if (whole === undefined) {
        video.end();
        run = undefined;
        fed += 1;
      }
    },
    reached: () => `${frames} frames`,
  };
}
