// Encodes scenes with x264, as a camera would: access units as Annex-B, parameter sets in band.

import { AV_LOG_QUIET, AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { Codec, CodecContext, Frame, Log, Packet, Rational } from 'node-av/lib';
import type { VideoFormat } from '#media';
import type { SyntheticScene } from './synthetic-scene.test-support.js';

export interface EncodedUnit {
  readonly data: Buffer;
  readonly key: boolean;
  /** Presentation time. */
  readonly timeS: number;
}

export interface Clip {
  readonly format: VideoFormat;
  readonly units: readonly EncodedUnit[];
}

export interface ClipOptions {
  readonly seconds: number;
  readonly fps: number;
  readonly groupFrames: number;
  readonly bFrames?: number;
}

export async function encodeClip(scene: SyntheticScene, options: ClipOptions): Promise<Clip> {
  const { seconds, fps, groupFrames, bFrames = 0 } = options;
  const { width, height } = scene;
  const encoder = Codec.findEncoderByName(
    'libx264' as Parameters<typeof Codec.findEncoderByName>[0],
  );
  Log.setLevel(AV_LOG_QUIET);
  const context = new CodecContext();
  context.allocContext3(encoder);
  context.width = width;
  context.height = height;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, fps);
  context.framerate = new Rational(fps, 1);
  context.gopSize = groupFrames;
  context.maxBFrames = bFrames;
  context.threadCount = 1;
  context.setOption('preset', 'ultrafast');
  context.setOption(
    'x264-params',
    `keyint=${groupFrames}:min-keyint=${groupFrames}:scenecut=0:bframes=${bFrames}:crf=24`,
  );
  const opened = await context.open2(encoder);
  if (opened < 0) throw new Error(`x264 does not open: ${opened}`);
  const units: EncodedUnit[] = [];
  const packet = new Packet();
  packet.alloc();
  const receive = () => {
    while (context.receivePacketSync(packet) >= 0) {
      const data = Buffer.from(packet.data ?? []);
      units.push({ data, key: packet.isKeyframe, timeS: Number(packet.pts) / fps });
      packet.unref();
    }
  };
  const frame = new Frame();
  frame.alloc();
  frame.format = AV_PIX_FMT_YUV420P;
  frame.width = width;
  frame.height = height;
  frame.getBuffer();
  const gray = Buffer.alloc((width * height) / 2, 128);
  for (let index = 0; index < seconds * fps; index++) {
    frame.makeWritable();
    frame.fromBuffer(Buffer.concat([scene.plane(index / fps), gray]));
    frame.pts = BigInt(index);
    context.sendFrameSync(frame);
    receive();
  }
  context.sendFrameSync(null);
  receive();
  frame.free();
  packet.free();
  context.freeContext();
  const format: VideoFormat = {
    codec: 'h264',
    width,
    height,
    parameterSets: [],
    codecString: 'avc1.42c01e',
    reorderFrames: bFrames > 0 ? 1 : 0,
    nominalFps: fps,
  };
  return { format, units };
}
