// What a sequence parameter set says, of either codec, and the bounds of what it may say.

import { NightjarError } from '#base';

export interface SpsFacts {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly codecString: string;
  /** Absent when the set does not say and does not exclude reordering. */
  readonly reorderFrames?: number;
  readonly nominalFps?: number;
}

/** A rate that a camera may have; nonsense is no rate. */
export function plausibleFps(fps: number): number | undefined {
  return Number.isFinite(fps) && fps >= 0.1 && fps <= 480
    ? Math.round(fps * 1000) / 1000
    : undefined;
}

export function atMost(name: string, value: number, limit: number): number {
  if (value <= limit) return value;
  throw new NightjarError('invalid-argument', `expected ${name} up to ${limit}, found ${value}`);
}
