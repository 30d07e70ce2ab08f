// A walk: where a person is at each moment between entering and leaving the picture.

import type { Stance } from './figure.js';
import type { Point } from './canvas.js';

export interface Walk {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Where the feet go, at even speed. */
  readonly path: readonly Point[];
  readonly clothing: number;
  readonly height?: number;
}

export interface Perspective {
  readonly horizon: number;
  /** A grown person's height for each unit that the feet are below the horizon. */
  readonly heightPerUnit: number;
}

/** Undefined while the person is not there. */
export function stanceAt(walk: Walk, seconds: number, view: Perspective): Stance | undefined {
  const { startSeconds, endSeconds, path } = walk;
  if (seconds < startSeconds || seconds >= endSeconds) return undefined;
  const lengths = path.slice(1).map((to, index) => groundLength(path[index] ?? to, to, view));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  let left = ((seconds - startSeconds) / (endSeconds - startSeconds)) * whole;
  const steps = left / 0.42;
  let leg = 0;
  while (leg < lengths.length - 1 && left > (lengths[leg] ?? 0)) left -= lengths[leg++] ?? 0;
  const from = path[leg] ?? [0, 0];
  const to = path[leg + 1] ?? from;
  const part = left / (lengths[leg] ?? 1);
  const y = from[1] + (to[1] - from[1]) * part;
  const x = from[0] + (to[0] - from[0]) * part;
  const isAcross = Math.abs(to[0] - from[0]) > Math.abs(to[1] - from[1]) * 0.7;
  return {
    x,
    y,
    height: (y - view.horizon) * view.heightPerUnit * (walk.height ?? 1),
    steps,
    heading: isAcross ? Math.sign(to[0] - from[0]) : 0,
    stride: 1,
    away: !isAcross && to[1] < from[1],
  };
}

/** In persons' heights, so that steps fit the ground near and far. */
function groundLength(from: Point, to: Point, view: Perspective): number {
  const height = ((from[1] + to[1]) / 2 - view.horizon) * view.heightPerUnit;
  return Math.hypot(to[0] - from[0], (to[1] - from[1]) * 2.2) / Math.max(height, 1);
}
