// One picture as a JPEG: the last one of a fragment, decoded from its key frame on.

import { NightjarError } from '#base';
import {
  AV_CODEC_FLAG_QSCALE,
  AV_CODEC_ID_MJPEG,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_SMPTE170M,
  FF_QP2LAMBDA,
} from 'node-av/constants';
import { Codec, CodecContext, Packet, Rational, type Frame } from 'node-av/lib';
import { readInit, readSamples, type SourceFormat } from './fmp4-reader.js';
import { checked, gave } from './native.js';
import { PictureScaler } from './picture-scaler.js';
import { hidesBlockEdges, renditionSize } from './picture-size.js';
import { VideoDecoder } from './video-decoder.js';

export interface StillSource {
  readonly init: Uint8Array;
  /** From a key frame up to the wanted picture, which is the last sample. */
  readonly fragment: Uint8Array;
  readonly height: number;
  readonly threads: number;
  /** 2 is best, 31 worst. */
  readonly quality: number;
  readonly signal: AbortSignal;
}

/** Throws `data-loss` when no picture decodes; a damaged last one gives the picture in front of it. */
export async function takeStill(source: StillSource): Promise<Buffer> {
  const picture = await lastPicture(source);
  const scaler = new PictureScaler({
    size: renditionSize(picture, source.height),
    pixelFormat: AV_PIX_FMT_YUVJ420P,
    // JFIF knows one matrix and one range.
    colorRange: AVCOL_RANGE_JPEG,
    colorSpace: AVCOL_SPC_SMPTE170M,
  });
  try {
    const scaled = await scaler.scale(picture);
    try {
      return await encodeJpeg(scaled, source.quality);
    } finally {
      scaled.free();
    }
  } finally {
    scaler.close();
    picture.free();
  }
}

/** The caller frees it. */
async function lastPicture(source: StillSource): Promise<Frame> {
  const { signal, threads } = source;
  const track = readInit(source.init);
  const samples = readSamples(source.fragment, track);
  const wanted = samples.at(-1);
  let best: Frame | undefined;
  let decoder: VideoDecoder | undefined;
  let format: SourceFormat | undefined;
  const keep = async (picture: Frame): Promise<void> => {
    // Pictures that are shown after the wanted one may have to be decoded before it.
    if (Number(picture.bestEffortTimestamp) > wanted!.pts) return;
    best?.free();
    best = picture.clone() ?? undefined;
  };
  try {
    for (const sample of samples) {
      signal.throwIfAborted();
      if (decoder === undefined || format !== track.formats[sample.format]) {
        await decoder?.flush(keep);
        decoder?.close();
        decoder = undefined;
        format = track.formats[sample.format]!;
        const size = renditionSize(format, source.height);
        decoder = await VideoDecoder.open(format, {
          threads,
          timescale: track.timescale,
          loopFilter: hidesBlockEdges(format, size) ? 'left-out' : 'applied',
        });
      }
      await decoder.decode(sample, keep);
    }
    await decoder?.flush(keep);
    if (best === undefined) {
      throw new NightjarError('data-loss', 'no picture of the source could be decoded', {
        samples: samples.length,
      });
    }
    return best;
  } catch (error) {
    best?.free();
    throw error;
  } finally {
    decoder?.close();
  }
}

async function encodeJpeg(picture: Frame, quality: number): Promise<Buffer> {
  const codec = Codec.findEncoder(AV_CODEC_ID_MJPEG);
  if (codec === null) throw new NightjarError('unsupported', 'this FFmpeg cannot encode JPEG');
  const context = new CodecContext();
  const packet = new Packet();
  context.allocContext3(codec);
  packet.alloc();
  try {
    context.width = picture.width;
    context.height = picture.height;
    context.pixelFormat = AV_PIX_FMT_YUVJ420P;
    context.colorRange = AVCOL_RANGE_JPEG;
    context.timeBase = new Rational(1, 25);
    context.threadCount = 1;
    context.setFlags(AV_CODEC_FLAG_QSCALE);
    context.globalQuality = quality * FF_QP2LAMBDA;
    checked(await context.open2(codec), 'opening the JPEG encoder');
    picture.quality = quality * FF_QP2LAMBDA;
    picture.pts = 0n;
    checked(await context.sendFrame(picture), 'encoding a JPEG');
    if (!gave(await context.receivePacket(packet), 'encoding a JPEG') || packet.data === null) {
      throw new NightjarError('internal', 'the JPEG encoder gave nothing');
    }
    return Buffer.from(packet.data);
  } finally {
    packet.free();
    context.freeContext();
  }
}
