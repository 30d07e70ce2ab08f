// What a scene is: a still background, and what moves in front of it as a function of time.

import type { Canvas } from './canvas.js';
import type { Picture } from './picture.js';

/** Coordinates are scene units: 1280 by 720, whatever the picture's size. */
export interface Scene {
  readonly name: string;
  /** The loop's length; what `draw` and `light` do must meet again at its ends. */
  readonly seconds: number;
  /** Sensor noise: standard deviation in steps of luma; 0 for a picture that never changes. */
  readonly noise: number;
  /** Changes invalidate cached clips. */
  readonly version: number;
  paint(canvas: Canvas): void;
  /** Adds to the background what is drawn like things that move but never does. */
  place?(picture: Picture): void;
  /** Draws what moves; absent when nothing does. */
  draw?(picture: Picture, seconds: number): void;
  /** True when nothing but noise changes from one moment to the other: such groups are re-used. */
  isStill?(fromSeconds: number, toSeconds: number): boolean;
  /** The daylight's strength, 1 as painted. */
  light?(seconds: number): number;
}

/** What a camera of that scene takes for movement, a moment that is filmed at `unixMs`. */
export function sceneMoves(scene: Scene, unixMs: number): boolean {
  if (scene.draw === undefined) return false;
  const seconds = (unixMs / 1000) % scene.seconds;
  return scene.isStill?.(seconds, seconds) !== true;
}
