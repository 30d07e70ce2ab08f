// Decodes one stream with FFmpeg, one thread, and shows the luma plane of each picture.

import {
  AV_CODEC_FLAG_LOW_DELAY,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_FRAME_FLAG_CORRUPT,
  AV_PIX_FMT_GRAY8,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV420P10LE,
  AV_PIX_FMT_YUV422P,
  AV_PIX_FMT_YUV422P10LE,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { NightjarError } from '#base';
import type { VideoCodec } from '#media';

/** FFmpeg's AVDISCARD: nothing, and everything. */
const DISCARD_DEFAULT = 0;
const DISCARD_ALL = 48;
/** 8192x4320: a picture that claims to be larger is refused before memory is taken for it. */
const MOST_PIXELS = 8192 * 4320;
const EIGHT_BIT: ReadonlySet<number> = new Set<number>([
  AV_PIX_FMT_GRAY8,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV422P,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
]);
const TEN_BIT: ReadonlySet<number> = new Set<number>([
  AV_PIX_FMT_YUV420P10LE,
  AV_PIX_FMT_YUV422P10LE,
]);

export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly strideBytes: number;
  /** 8, or 10 in two little-endian bytes. */
  readonly bits: 8 | 10;
  /** Only during the call that shows it. */
  readonly plane: Uint8Array;
  readonly pts: bigint;
}

export class LumaDecoder {
  // The context is kept as long as the decoder lives: FFmpeg's memory goes with it.
  readonly #context: CodecContext;
  readonly #packet: Packet;
  readonly #frame: Frame;

  private constructor(context: CodecContext) {
    this.#context = context;
    this.#packet = new Packet();
    this.#packet.alloc();
    this.#frame = new Frame();
    this.#frame.alloc();
  }

  /** `parameterSets` is Annex-B. Throws `unsupported` when FFmpeg lacks the codec. */
  static async open(codec: VideoCodec, parameterSets: Buffer): Promise<LumaDecoder> {
    const found = Codec.findDecoder(codec === 'h264' ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC);
    const context = new CodecContext();
    context.allocContext3(found);
    context.threadCount = 1;
    context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
    context.setOption('max_pixels', MOST_PIXELS);
    // Guessing what a damaged picture looked like would look like movement.
    context.setOption('ec', 0);
    if (parameterSets.length > 0) context.extraData = parameterSets;
    const opened = await context.open2(found);
    if (opened < 0) {
      context.freeContext();
      throw new NightjarError('unsupported', `expected a decoder for ${codec}`, { opened });
    }
    return new LumaDecoder(context);
  }

  /** For what follows. Without the loop filter decoding is cheaper, and errors add up. */
  setLoopFilter(on: boolean): void {
    this.#context.setOption('skip_loop_filter', on ? DISCARD_DEFAULT : DISCARD_ALL);
  }

  /** Decodes an access unit and shows every picture that comes out; false when it is damaged. */
  decode(data: Buffer, pts: bigint, onPicture: (luma: Luma) => void): boolean {
    const packet = this.#packet;
    packet.data = data;
    packet.pts = pts;
    const sent = this.#context.sendPacketSync(packet);
    packet.unref();
    const whole = this.#receive(onPicture);
    return sent >= 0 && whole;
  }

  /** Shows what is still held. A key frame must follow. */
  drain(onPicture: (luma: Luma) => void): void {
    this.#context.sendPacketSync(null);
    this.#receive(onPicture);
    this.#context.flushBuffers();
  }

  /** Forgets what was decoded. A key frame must follow. */
  flush(): void {
    this.#context.flushBuffers();
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }

  #receive(onPicture: (luma: Luma) => void): boolean {
    const frame = this.#frame;
    let whole = true;
    while (this.#context.receiveFrameSync(frame) >= 0) {
      const luma = lumaOf(frame);
      if (luma === undefined) whole = false;
      else onPicture(luma);
      frame.unref();
    }
    return whole;
  }
}

/** Undefined for damaged pictures and for sample formats that no camera sends. */
function lumaOf(frame: Frame): Luma | undefined {
  const bits = EIGHT_BIT.has(frame.format) ? 8 : TEN_BIT.has(frame.format) ? 10 : undefined;
  if (bits === undefined || frame.decodeErrorFlags !== 0) return undefined;
  if (frame.hasFlags(AV_FRAME_FLAG_CORRUPT)) return undefined;
  const plane = frame.data?.[0];
  const strideBytes = frame.linesize[0] ?? 0;
  const { width, height, pts } = frame;
  const neededBytes = strideBytes * (height - 1) + width * (bits > 8 ? 2 : 1);
  if (plane === undefined || strideBytes <= 0 || plane.length < neededBytes) return undefined;
  return { width, height, strideBytes, bits, plane, pts };
}
