// Encodes pictures of one size to H.264 whose parameter sets depend on nothing but that size.

import { NightjarError } from '#base';
import { nalType, splitAnnexB } from '#media';
import {
  AV_CODEC_FLAG_CLOSED_GOP,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AVCOL_PRI_BT709,
  AVCOL_PRI_SMPTE170M,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_TRC_BT709,
  AVCOL_TRC_SMPTE170M,
} from 'node-av/constants';
import type { AVColorSpace } from 'node-av/constants';
import {
  Codec,
  CodecContext,
  Dictionary,
  Frame,
  HardwareFramesContext,
  Packet,
  Rational,
} from 'node-av/lib';
import type { HardwareDeviceContext } from 'node-av/lib';
import type { EncodePath } from './encode-path.js';
import { checked, gave } from './native.js';
import { bitrateLimit, h264Level, type PictureSize } from './picture-size.js';
import type { PictureTarget } from './picture-scaler.js';

/** The rate control's first guess; a fixed one, because some encoders write it into the SPS. */
const NOMINAL_FPS = 25;
/** Key frames come from the source; this only bounds a source that has none for long. */
const LONGEST_GROUP_FRAMES = 600;
const SPS = 7;
const PPS = 8;

export interface H264EncoderOptions {
  readonly path: EncodePath;
  readonly device?: HardwareDeviceContext | undefined;
  readonly size: PictureSize;
  readonly colorSpace: AVColorSpace;
  readonly threads: number;
}

/** One encoded picture: its NAL units without start codes, parameter sets and SEI taken out. */
export interface EncodedPicture {
  readonly nals: readonly Uint8Array[];
  readonly pts: number;
  readonly key: boolean;
}

/** Owns native memory: whoever opens one closes it, after its last call has come back. */
export class H264Encoder {
  /** What pictures must come as. */
  readonly target: PictureTarget;
  /** SPS and PPS without start codes. */
  readonly parameterSets: readonly Uint8Array[];
  readonly #context: CodecContext;
  readonly #uploads: HardwareFramesContext | undefined;
  readonly #packet = new Packet();

  private constructor(
    context: CodecContext,
    target: PictureTarget,
    uploads: HardwareFramesContext | undefined,
  ) {
    this.#context = context;
    this.#uploads = uploads;
    this.target = target;
    this.#packet.alloc();
    this.parameterSets = splitAnnexB(context.extraData ?? Buffer.alloc(0)).filter((nal) =>
      [SPS, PPS].includes(nalType('h264', nal[0] ?? 0)),
    );
  }

  /** Throws `unsupported` when this FFmpeg lacks the encoder, `internal` when it does not open. */
  static async open(options: H264EncoderOptions): Promise<H264Encoder> {
    const { path, size, colorSpace } = options;
    const codec = Codec.findEncoderByName(path.encoder);
    if (codec === null) {
      throw new NightjarError('unsupported', `this FFmpeg has no encoder ${path.encoder}`);
    }
    const context = new CodecContext();
    let uploads: HardwareFramesContext | undefined;
    context.allocContext3(codec);
    try {
      const limit = bitrateLimit(size);
      context.width = size.width;
      context.height = size.height;
      context.pixelFormat = path.pixelFormat;
      context.timeBase = new Rational(1, 90_000);
      context.framerate = new Rational(NOMINAL_FPS, 1);
      context.gopSize = LONGEST_GROUP_FRAMES;
      context.maxBFrames = 0;
      context.threadCount = options.threads;
      context.level = h264Level(size);
      context.rcMaxRate = BigInt(limit.maxBitsPerSecond);
      context.rcBufferSize = limit.bufferBits;
      context.colorRange = AVCOL_RANGE_MPEG;
      context.colorSpace = colorSpace;
      const highDefinition = colorSpace === AVCOL_SPC_BT709;
      context.colorPrimaries = highDefinition ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
      context.colorTrc = highDefinition ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
      context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_CLOSED_GOP);
      if (path.name !== 'x264') context.bitRate = BigInt(Math.round(limit.maxBitsPerSecond * 0.7));
      if (path.device?.uploads === true && options.device !== undefined) {
        uploads = new HardwareFramesContext();
        uploads.alloc(options.device);
        uploads.format = path.device.pixelFormat;
        uploads.swFormat = path.pixelFormat;
        uploads.width = size.width;
        uploads.height = size.height;
        uploads.initialPoolSize = 8;
        checked(uploads.init(), 'setting up pictures on the device');
        context.pixelFormat = path.device.pixelFormat;
        context.hwFramesCtx = uploads;
      }
      const dictionary = Dictionary.fromObject(path.options);
      try {
        checked(await context.open2(codec, dictionary), `opening ${path.encoder}`);
      } finally {
        dictionary.free();
      }
      const target = {
        size,
        pixelFormat: path.pixelFormat,
        colorRange: AVCOL_RANGE_MPEG,
        colorSpace,
      };
      const encoder = new H264Encoder(context, target, uploads);
      if (encoder.parameterSets.length < 2) {
        encoder.close();
        throw new NightjarError('internal', `${path.encoder} gave no parameter sets`);
      }
      return encoder;
    } catch (error) {
      context.freeContext();
      uploads?.free();
      throw error;
    }
  }

  /** Encodes a picture in the target's form; its `pts` is in 90 kHz and grows from call to call. */
  async encode(
    picture: Frame,
    key: boolean,
    onEncoded: (encoded: EncodedPicture) => void,
  ): Promise<void> {
    const uploaded = this.#uploads === undefined ? undefined : await this.#upload(picture);
    const frame = uploaded ?? picture;
    try {
      frame.pictType = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      checked(await this.#context.sendFrame(frame), 'encoding a picture');
    } finally {
      uploaded?.free();
    }
    await this.#receive(onEncoded);
  }

  /** Hands over what the encoder still holds; nothing can be encoded afterwards. */
  async flush(onEncoded: (encoded: EncodedPicture) => void): Promise<void> {
    checked(await this.#context.sendFrame(null), 'ending the encoder');
    await this.#receive(onEncoded);
  }

  close(): void {
    this.#packet.free();
    this.#context.freeContext();
    this.#uploads?.free();
  }

  async #upload(picture: Frame): Promise<Frame> {
    const frame = new Frame();
    frame.alloc();
    try {
      checked(this.#uploads!.getBuffer(frame), 'allocating a picture on the device');
      checked(await this.#uploads!.transferData(frame, picture), 'sending a picture to the device');
      frame.pts = picture.pts;
      return frame;
    } catch (error) {
      frame.free();
      throw error;
    }
  }

  async #receive(onEncoded: (encoded: EncodedPicture) => void): Promise<void> {
    while (gave(await this.#context.receivePacket(this.#packet), 'encoding')) {
      // The packet's memory goes with the packet, so its NAL units are copied out.
      const data = Buffer.from(this.#packet.data ?? Buffer.alloc(0));
      onEncoded({
        nals: splitAnnexB(data).filter(isPicture),
        pts: Number(this.#packet.pts),
        key: this.#packet.isKeyframe,
      });
      this.#packet.unref();
    }
  }
}

/** Slices of a picture (types 1 to 5): no parameter sets, delimiters, SEI or filler. */
function isPicture(nal: Uint8Array): boolean {
  const type = nalType('h264', nal[0] ?? 0);
  return type >= 1 && type <= 5;
}
