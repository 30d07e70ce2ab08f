// Trees and hedges for the backgrounds.

import type { Canvas, Point } from './canvas.js';
import type { Rgb } from './picture.js';
import { grainOf, roughness, scaled, smoothNoise } from './texture.js';

export interface Crown {
  readonly center: Point;
  readonly radii: Point;
  readonly color: Rgb;
  /** Makes this crown unlike the others. */
  readonly seed: number;
}

/** Leaves: clumps that are light above and dark below, with a ragged edge. */
export function paintCrown(canvas: Canvas, { center, radii, color, seed }: Crown): void {
  const outline: Point[] = [];
  const steps = 90;
  for (let step = 0; step < steps; step++) {
    const angle = (step / steps) * 2 * Math.PI;
    const around = [Math.cos(angle) * 2.2 + seed * 9, Math.sin(angle) * 2.2 + seed * 5] as const;
    const bump = 0.76 + 0.42 * smoothNoise(...around) + 0.12 * grainOf(step, seed);
    outline.push([
      center[0] + Math.cos(angle) * radii[0] * bump,
      center[1] + Math.sin(angle) * radii[1] * bump,
    ]);
  }
  canvas.polygon(outline, leaves(color, center[1] - radii[1], radii[1] * 2));
}

/** The colour of leaves between `top` and `top + height`. */
export function leaves(color: Rgb, top: number, height: number): (x: number, y: number) => Rgb {
  return (x, y) => {
    const clump = roughness(x / 26, y / 20);
    const leaf = roughness(x / 4.5, y / 3.5);
    const shade = 1.15 - 0.55 * Math.min(1, Math.max(0, (y - top) / height));
    return scaled(color, shade * (0.4 + clump * 0.7 + (leaf - 0.5) * 0.75));
  };
}

export function paintTrunk(canvas: Canvas, foot: Point, height: number, thickness: number): void {
  const [x, y] = foot;
  canvas.polygon(
    [
      [x - thickness * 0.7, y],
      [x - thickness * 0.4, y - height],
      [x + thickness * 0.4, y - height],
      [x + thickness * 0.8, y],
    ],
    (px, py) =>
      scaled([92, 76, 62], 0.5 + roughness(px / 5, py / 30) * 0.7 + (x - px) / thickness / 5),
  );
}
