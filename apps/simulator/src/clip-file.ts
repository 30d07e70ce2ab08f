// Reads footage from a file, so that a simulated camera shows what a real one once saw.

import {
  AV_LOG_ERROR,
  AVMEDIA_TYPE_VIDEO,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
} from 'node-av/constants';
import {
  BitStreamFilter,
  BitStreamFilterContext,
  FormatContext,
  Log,
  Packet,
  Rational,
} from 'node-av/lib';
import { NightjarError } from '#base';
import type { VideoCodec } from '#media';
import { Clip, groupFrames, isKeyFrame, type ClipFrame } from './clip.js';

interface TimedFrame {
  readonly data: Uint8Array;
  readonly dts90k: number;
  readonly pts90k: number;
}

const CLOCK = new Rational(1, 90_000);

/**
 * The first video track of a file that FFmpeg can read. Throws `unsupported` unless it is H.264 or
 * H.265, `not-found` when the file cannot be opened, `invalid-argument` when it holds no frames.
 */
export async function readClipFile(path: string): Promise<Clip> {
  Log.setLevel(AV_LOG_ERROR);
  // The context is kept to the end: its streams must not outlive it.
  const input = new FormatContext();
  if ((await input.openInput(path)) < 0) {
    throw new NightjarError('not-found', 'the footage cannot be opened', { path });
  }
  try {
    await input.findStreamInfo();
    const stream = input.streams.find((one) => one.codecpar.codecType === AVMEDIA_TYPE_VIDEO);
    const codec = codecOf(stream?.codecpar.codecId);
    if (stream === undefined || codec === undefined) {
      throw new NightjarError('unsupported', 'expected H.264 or H.265 video', { path });
    }
    const filter = annexBFilter(codec);
    const parameters = filter.inputCodecParameters;
    if (parameters !== null) stream.codecpar.copy(parameters);
    filter.inputTimeBase = stream.timeBase;
    filter.init();
    const frames = await readFrames(input, filter, stream.index);
    const { num, den } = stream.avgFrameRate;
    const fps = den > 0 && num > 0 ? num / den : 25;
    const description = {
      codec,
      width: stream.codecpar.width,
      height: stream.codecpar.height,
      fps,
    };
    const clip = new Clip(description, groupFrames(withDurations(frames, codec, fps)));
    if (clip.groups.length === 0) {
      throw new NightjarError('invalid-argument', 'the footage has no key frame', { path });
    }
    return clip;
  } finally {
    await input.closeInput();
  }
}

function codecOf(id: number | undefined): VideoCodec | undefined {
  if (id === AV_CODEC_ID_H264) return 'h264';
  return id === AV_CODEC_ID_HEVC ? 'h265' : undefined;
}

/** Turns length-prefixed NAL units into Annex-B, parameter sets in front of key frames. */
function annexBFilter(codec: VideoCodec): BitStreamFilterContext {
  const name = codec === 'h264' ? 'h264_mp4toannexb' : 'hevc_mp4toannexb';
  const filter = BitStreamFilter.getByName(name);
  if (filter === null) throw new NightjarError('unsupported', `FFmpeg has no ${name}`, {});
  const context = new BitStreamFilterContext();
  context.alloc(filter);
  return context;
}

async function readFrames(
  input: FormatContext,
  filter: BitStreamFilterContext,
  streamIndex: number,
): Promise<TimedFrame[]> {
  const frames: TimedFrame[] = [];
  const packet = new Packet();
  packet.alloc();
  const timeBase = filter.inputTimeBase;
  while ((await input.readFrame(packet)) >= 0) {
    if (packet.streamIndex !== streamIndex) {
      packet.unref();
      continue;
    }
    filter.sendPacketSync(packet);
    while (filter.receivePacketSync(packet) >= 0) {
      packet.rescaleTs(timeBase, CLOCK);
      const data = Uint8Array.from(packet.data ?? []);
      frames.push({ data, dts90k: Number(packet.dts), pts90k: Number(packet.pts) });
      packet.unref();
    }
  }
  packet.free();
  return frames;
}

/** Raw streams have no times: their frames follow each other at the frame rate. */
function withDurations(frames: readonly TimedFrame[], codec: VideoCodec, fps: number): ClipFrame[] {
  const usual = Math.round(90_000 / fps);
  const areTimed = frames.every(
    (frame, index) => index === 0 || frame.dts90k > (frames[index - 1]?.dts90k ?? 0),
  );
  // A presentation time is never before its decoding time, whatever an edit list says.
  const shift = Math.max(0, ...frames.map((frame) => frame.dts90k - frame.pts90k));
  return frames.map((frame, index) => {
    const next = frames[index + 1];
    return {
      data: frame.data,
      key: isKeyFrame(codec, frame.data),
      duration90k: areTimed && next !== undefined ? next.dts90k - frame.dts90k : usual,
      ctsOffset90k: areTimed ? frame.pts90k - frame.dts90k + shift : 0,
    };
  });
}
