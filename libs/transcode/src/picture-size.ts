// How large a rendition is, and how many bits it may have.

import { NightjarError } from '#base';

/** H.264 needs even sizes for 4:2:0 and gets no smaller than a macroblock here. */
const LEAST_PIXELS = 16;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The size at `height`, aspect kept, both sides even, never larger than the source. */
export function renditionSize(source: PictureSize, height: number): PictureSize {
  if (!(source.width >= 1 && source.height >= 1 && height >= 1)) {
    throw new NightjarError('invalid-argument', 'expected a picture with a size', {
      ...source,
      targetHeight: height,
    });
  }
  const target = Math.min(height, source.height);
  return {
    width: Math.min(even(source.width, 'down'), even((source.width * target) / source.height)),
    height: even(target, 'down'),
  };
}

/** Whether a picture is shown so small that what happens at the edges of blocks is lost in it. */
export function hidesBlockEdges(source: PictureSize, size: PictureSize): boolean {
  return size.height * 2 <= source.height;
}

function even(pixels: number, towards: 'down' | 'nearest' = 'nearest'): number {
  const half = towards === 'down' ? Math.floor(pixels / 2) : Math.round(pixels / 2);
  return Math.max(LEAST_PIXELS, half * 2);
}

export interface BitrateLimit {
  /** The encoder may not exceed this over the time of its buffer. */
  readonly maxBitsPerSecond: number;
  /** Two seconds of it: a key frame may borrow. */
  readonly bufferBits: number;
}

/** The ladder: most bits a second for a picture of so many pixels. */
export function bitrateLimit(size: PictureSize): BitrateLimit {
  const pixels = size.width * size.height;
  const step = LADDER.find(([upToPixels]) => pixels <= upToPixels) ?? LADDER.at(-1)!;
  return { maxBitsPerSecond: step[1], bufferBits: step[1] * 2 };
}

const LADDER: readonly (readonly [upToPixels: number, bitsPerSecond: number])[] = [
  [430 * 242, 400_000],
  [642 * 362, 800_000],
  [856 * 482, 1_500_000],
  [1282 * 722, 3_000_000],
  [1922 * 1082, 5_000_000],
  [2562 * 1442, 8_000_000],
  [Number.POSITIVE_INFINITY, 14_000_000],
];

/**
 * The H.264 level (times ten) that such a picture fits at 60 frames a second. It is fixed by the
 * size alone, because every slice of a rendition must carry the same parameter sets.
 */
export function h264Level(size: PictureSize): number {
  const macroblocks = Math.ceil(size.width / 16) * Math.ceil(size.height / 16);
  const fit = LEVELS.find(
    ([, perFrame, perSecond]) => macroblocks <= perFrame && macroblocks * 60 <= perSecond,
  );
  return fit?.[0] ?? 52;
}

/** Level, macroblocks per frame, macroblocks per second (ISO/IEC 14496-10 table A-1). */
const LEVELS: readonly (readonly [level: number, perFrame: number, perSecond: number])[] = [
  [21, 792, 19_800],
  [30, 1620, 40_500],
  [31, 3600, 108_000],
  [32, 5120, 216_000],
  [42, 8704, 522_240],
  [50, 22_080, 589_824],
  [51, 36_864, 983_040],
];
