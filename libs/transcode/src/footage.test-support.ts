// Footage for tests, made by FFmpeg's own encoder and muxer, so that our reader meets a stranger.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
} from 'node-av/constants';
import {
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Frame,
  Packet,
  Rational,
} from 'node-av/lib';
import { checked, gave } from './native.js';

export interface FootageOptions {
  readonly codec?: 'h264' | 'h265';
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly seconds?: number;
  /** A key frame, and a fragment, every so many pictures. */
  readonly groupPictures?: number;
  readonly bFrames?: number;
  readonly timescale?: number;
  /** The whole picture's luma and chroma; a moving pattern if absent. */
  readonly flat?: readonly [y: number, u: number, v: number];
  /** Grey level of the pattern's marker for picture n, in the upper left eighth. */
  readonly marker?: (picture: number) => number;
}

export interface Footage {
  readonly init: Buffer;
  /** One per group. */
  readonly fragments: readonly Buffer[];
  readonly pictures: number;
}

export async function makeFootage(options: FootageOptions = {}): Promise<Footage> {
  const { codec = 'h264', width = 640, height = 360, fps = 25, seconds = 2 } = options;
  const { groupPictures = fps, bFrames = 0, timescale = 90_000 } = options;
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-footage-'));
  const path = join(directory, 'footage.mp4');
  const encoderCodec = Codec.findEncoderByName(
    codec === 'h264' ? FF_ENCODER_LIBX264 : FF_ENCODER_LIBX265,
  )!;
  const encoder = new CodecContext();
  const muxer = new FormatContext();
  const packet = new Packet();
  packet.alloc();
  const pictures = fps * seconds;
  try {
    encoder.allocContext3(encoderCodec);
    encoder.width = width;
    encoder.height = height;
    encoder.pixelFormat = AV_PIX_FMT_YUV420P;
    encoder.timeBase = new Rational(1, timescale);
    encoder.framerate = new Rational(fps, 1);
    encoder.gopSize = groupPictures;
    encoder.maxBFrames = bFrames;
    encoder.threadCount = 1;
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    const dictionary = Dictionary.fromObject({
      preset: 'ultrafast',
      crf: '20',
      'forced-idr': '1',
      ...(codec === 'h264'
        ? {
            'x264-params': `scenecut=0:keyint=${groupPictures}:min-keyint=1:open-gop=0:bframes=${bFrames}`,
          }
        : {
            'x265-params': `scenecut=0:keyint=${groupPictures}:min-keyint=1:open-gop=0:bframes=${bFrames}:log-level=none:pools=1`,
          }),
    });
    checked(await encoder.open2(encoderCodec, dictionary), 'opening the test encoder');
    dictionary.free();
    checked(muxer.allocOutputContext2(null, 'mp4', path), 'opening the test muxer');
    const stream = muxer.newStream(null);
    checked(stream.codecpar.fromContext(encoder), 'describing the test stream');
    if (codec === 'h265') stream.codecpar.codecTag = 'hvc1';
    stream.timeBase = new Rational(1, timescale);
    muxer.openOutputSync();
    const movflags = Dictionary.fromObject({
      movflags: 'frag_keyframe+empty_moov+default_base_moof+skip_trailer',
      // No edit list: decoding times are as they were made.
      use_editlist: '0',
      video_track_timescale: String(timescale),
    });
    checked(muxer.writeHeaderSync(movflags), 'writing the header');
    movflags.free();
    const drain = () => {
      while (gave(encoder.receivePacketSync(packet), 'test encoding')) {
        packet.streamIndex = 0;
        packet.duration = BigInt(Math.round(timescale / fps));
        packet.rescaleTs(encoder.timeBase, stream.timeBase);
        checked(muxer.writeFrameSync(packet), 'muxing');
        packet.unref();
      }
    };
    for (let index = 0; index < pictures; index++) {
      const picture = draw(index, width, height, options);
      picture.pts = BigInt(Math.round((index * timescale) / fps));
      picture.pictType = index % groupPictures === 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      checked(await encoder.sendFrame(picture), 'test encoding');
      picture.free();
      drain();
    }
    checked(await encoder.sendFrame(null), 'test encoding');
    drain();
    checked(muxer.writeTrailerSync(), 'writing the trailer');
    muxer.closeOutputSync();
    return { ...cut(readFileSync(path)), pictures };
  } finally {
    packet.free();
    encoder.freeContext();
    muxer.freeContext();
    rmSync(directory, { recursive: true });
  }
}

const PERIOD = 160;
/** Grey levels that go up and begin anew, for rows that each begin a step further. */
const PATTERN = Buffer.from(Array.from({ length: 8192 }, (_, at) => 40 + (at % PERIOD)));

function draw(index: number, width: number, height: number, options: FootageOptions): Frame {
  const picture = new Frame();
  picture.alloc();
  picture.width = width;
  picture.height = height;
  picture.format = AV_PIX_FMT_YUV420P;
  checked(picture.getBuffer(), 'allocating a picture');
  const strides = picture.linesize;
  const planes = picture.data ?? [];
  planes.forEach((plane, which) => {
    const stride = strides[which]!;
    const rows = which === 0 ? height : Math.ceil(height / 2);
    const columns = which === 0 ? width : Math.ceil(width / 2);
    const flat = options.flat?.[which] ?? (which === 0 ? undefined : 128);
    for (let y = 0; y < rows; y++) {
      const row = plane.subarray(y * stride, y * stride + columns);
      if (flat === undefined) PATTERN.copy(row, 0, (y + index * 3) % PERIOD);
      else row.fill(flat);
      if (which === 0 && options.marker !== undefined && y < height / 8) {
        row.fill(options.marker(index), 0, Math.ceil(width / 8));
      }
    }
  });
  return picture;
}

/** Cuts a file into its initialisation and its fragments (moof and mdat together). */
function cut(file: Buffer): Pick<Footage, 'init' | 'fragments'> {
  const fragments: Buffer[] = [];
  let initEnd = 0;
  let moofAt = 0;
  for (let at = 0; at + 8 <= file.length; at += file.readUInt32BE(at)) {
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + file.readUInt32BE(at);
    if (type === 'moov') initEnd = end;
    if (type === 'moof') moofAt = at;
    if (type === 'mdat') fragments.push(file.subarray(moofAt, end));
  }
  return { init: file.subarray(0, initEnd), fragments };
}
