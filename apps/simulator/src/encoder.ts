// Encodes pictures to H.264 or H.265 as a camera does: no B-frames, key frames at even intervals.

import {
  AV_LOG_ERROR,
  AV_PIX_FMT_YUV420P,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
} from 'node-av/constants';
import { Codec, CodecContext, Dictionary, Frame, Log, Packet, Rational } from 'node-av/lib';
import { NightjarError } from '#base';
import type { VideoCodec } from '#media';
import { isKeyFrame, type ClipFrame } from './clip.js';
import type { Picture } from './picture.js';

export interface EncoderOptions {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly framesPerGroup: number;
  /** x264's and x265's constant rate factor: lower is better and larger. */
  readonly quality: number;
}

const TICKS_PER_SECOND = 90_000;

/** `encode` is synchronous and takes milliseconds: not for a thread that serves anybody. */
export class Encoder {
  readonly #options: EncoderOptions;
  readonly #context: CodecContext;
  readonly #frame: Frame;
  readonly #packet: Packet;
  #count = 0n;

  private constructor(options: EncoderOptions, context: CodecContext) {
    this.#options = options;
    this.#context = context;
    this.#frame = new Frame();
    this.#frame.alloc();
    this.#frame.width = options.width;
    this.#frame.height = options.height;
    this.#frame.format = AV_PIX_FMT_YUV420P;
    this.#packet = new Packet();
    this.#packet.alloc();
  }

  /** Throws `unsupported` when the build of FFmpeg has no such encoder. */
  static async open(options: EncoderOptions): Promise<Encoder> {
    Log.setLevel(AV_LOG_ERROR);
    const { codec: name, width, height, fps, framesPerGroup, quality } = options;
    const codec = Codec.findEncoderByName(
      name === 'h264' ? FF_ENCODER_LIBX264 : FF_ENCODER_LIBX265,
    );
    if (codec === null) throw new NightjarError('unsupported', `no encoder for ${name}`, {});
    const context = new CodecContext();
    context.allocContext3(codec);
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, fps);
    context.framerate = new Rational(fps, 1);
    context.gopSize = framesPerGroup;
    context.maxBFrames = 0;
    context.threadCount = 1;
    const keys = `keyint=${framesPerGroup}:min-keyint=${framesPerGroup}:scenecut=0:repeat-headers=1`;
    const settings = {
      preset: 'ultrafast',
      tune: 'zerolatency',
      crf: quality,
      ...(name === 'h264'
        ? { profile: 'main', 'x264-params': `${keys}:annexb=1:cabac=1:deblock=1:aq-mode=0` }
        : { 'x265-params': `${keys}:open-gop=0:pools=1:frame-threads=1:log-level=error` }),
    };
    // Not open2Sync: with a dictionary it frees the options twice (node-av 6.1.1).
    const result = await context.open2(codec, Dictionary.fromObject(settings));
    if (result < 0) {
      throw new NightjarError('unsupported', `the ${name} encoder does not open`, { result });
    }
    return new Encoder(options, context);
  }

  /**
   * One access unit: tuned for no latency, the encoders hold nothing back. The first one and every
   * `framesPerGroup`-th after it are key frames.
   */
  encode(picture: Picture): ClipFrame {
    // The frame refers to these bytes; the encoder copies them before `sendFrame` returns.
    const bytes = Buffer.from(
      picture.data.buffer as ArrayBuffer,
      picture.data.byteOffset,
      picture.data.length,
    );
    this.#check(this.#frame.fromBuffer(bytes), 'wrap a picture');
    this.#frame.pts = this.#count++;
    this.#check(this.#context.sendFrameSync(this.#frame), 'encode a picture');
    this.#check(this.#context.receivePacketSync(this.#packet), 'get the encoded picture');
    const data = Uint8Array.from(this.#packet.data ?? []);
    this.#packet.unref();
    const { codec, fps } = this.#options;
    const duration90k = Math.round(TICKS_PER_SECOND / fps);
    return { data, key: isKeyFrame(codec, data), duration90k, ctsOffset90k: 0 };
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }

  #check(result: number, what: string): void {
    if (result < 0) throw new NightjarError('internal', `could not ${what}`, { result });
  }
}
