// Lets each hardware path transcode a few real pictures, and looks at what came out.

import { messageOf } from '#base';
import { AVCOL_SPC_BT709 } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { writeFmp4Init } from '#media';
import { HARDWARE_PATHS, X264_PATH, type EncodePath } from './encode-path.js';
import { readInit } from './fmp4-reader.js';
import { H264Encoder } from './h264-encoder.js';
import { openDevice, type HardwareAttempt } from './hardware.js';
import { checked } from './native.js';
import type { PictureSize } from './picture-size.js';
import { runRendition, type RenditionPass, type RenditionSource } from './rendition.js';
import { RenditionWriter } from './rendition-writer.js';
import { videoFormatOf } from './video-format.js';

const PICTURES = 10;
const PICTURE_90K = 3600;
const SOURCE_SIZE: PictureSize = { width: 1280, height: 720 };
const TRIAL_SIZE: PictureSize = { width: 640, height: 360 };

/** Tries the paths in their order and stops behind the first that works. */
export async function probeHardware(
  paths: readonly EncodePath[] = HARDWARE_PATHS,
): Promise<HardwareAttempt[]> {
  const attempts: HardwareAttempt[] = [];
  const source = await trialSource();
  for (const path of paths) {
    const attempt = await attemptPath(path, source);
    attempts.push(attempt);
    if (attempt.works) break;
  }
  return attempts;
}

async function attemptPath(path: EncodePath, source: RenditionSource): Promise<HardwareAttempt> {
  const { name } = path;
  try {
    const device = path.device === undefined ? undefined : openDevice(path);
    try {
      const decodeDevice =
        device === undefined
          ? undefined
          : { context: device, pixelFormat: path.device!.pixelFormat };
      const decodes =
        decodeDevice !== undefined &&
        (await transcodes(source, { path, device, decodeDevice }).catch(() => false));
      const works = decodes || (await transcodes(source, { path, device }));
      return works
        ? { name, works, decodes }
        : { name, works, decodes, reason: 'its pictures do not decode' };
    } finally {
      device?.free();
    }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { name, works: false, decodes: false, reason: messageOf(cause) };
  }
}

/** True when the path's output decodes, on the CPU, to as many pictures as went in. */
async function transcodes(
  source: RenditionSource,
  using: Pick<RenditionPass, 'path' | 'device' | 'decodeDevice'>,
): Promise<boolean> {
  const parts: Buffer[] = [];
  const pass = {
    loopFilter: 'applied' as const,
    sampleEntry: 1,
    size: TRIAL_SIZE,
    threads: 1,
    signal: new AbortController().signal,
  };
  const first = await runRendition(source, {
    ...pass,
    ...using,
    onPart: (part) => parts.push(part),
  });
  const encoder = await H264Encoder.open({
    path: using.path,
    device: using.device,
    size: TRIAL_SIZE,
    colorSpace: AVCOL_SPC_BT709,
    threads: 1,
  });
  const init = writeFmp4Init({ formats: [videoFormatOf(encoder.parameterSets, TRIAL_SIZE)] });
  encoder.close();
  const again = await runRendition(sourceOf(init, parts), {
    ...pass,
    path: X264_PATH,
    onPart: () => undefined,
  });
  return first.pictures === PICTURES && again.pictures === PICTURES && again.damaged === 0;
}

/** A grey wedge that moves, encoded on the CPU. */
async function trialSource(): Promise<RenditionSource> {
  const encoder = await H264Encoder.open({
    path: X264_PATH,
    size: SOURCE_SIZE,
    colorSpace: AVCOL_SPC_BT709,
    threads: 1,
  });
  const parts: Buffer[] = [];
  try {
    const writer = new RenditionWriter({
      startDts90k: 0,
      ctsOffset90k: 0,
      sampleEntry: 1,
      parameterSets: encoder.parameterSets,
      firstSequence: 1,
      onPart: (part) => parts.push(part),
    });
    for (let index = 0; index < PICTURES; index++) {
      const picture = wedge(index, encoder);
      try {
        await encoder.encode(picture, index === 0, (encoded) => writer.add(encoded));
      } finally {
        picture.free();
      }
    }
    await encoder.flush((encoded) => writer.add(encoded));
    writer.finish(PICTURES * PICTURE_90K);
    const init = writeFmp4Init({ formats: [videoFormatOf(encoder.parameterSets, SOURCE_SIZE)] });
    return sourceOf(init, parts);
  } finally {
    encoder.close();
  }
}

function sourceOf(init: Uint8Array, parts: readonly Uint8Array[]): RenditionSource {
  return {
    track: readInit(init),
    async *fragments() {
      yield* parts;
    },
  };
}

function wedge(index: number, encoder: H264Encoder): Frame {
  const picture = new Frame();
  picture.alloc();
  picture.width = SOURCE_SIZE.width;
  picture.height = SOURCE_SIZE.height;
  picture.format = encoder.target.pixelFormat;
  checked(picture.getBuffer(), 'allocating a picture');
  picture.colorRange = encoder.target.colorRange;
  const [luma, ...chroma] = picture.data ?? [];
  luma?.forEach((_, at) => (luma[at] = 16 + ((at + index * 8) % 220)));
  for (const plane of chroma) plane.fill(128);
  picture.pts = BigInt(index * PICTURE_90K);
  return picture;
}
