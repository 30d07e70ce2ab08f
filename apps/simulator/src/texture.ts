// Irregularity without randomness: the same place always gets the same grain.

import type { Rgb } from './picture.js';

function hash(x: number, y: number): number {
  let h = Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Random values at the corners of a grid that repeats every 256 units. */
const LATTICE = Float32Array.from({ length: 1 << 16 }, (_, at) => hash(at & 255, at >> 8));

/** Smooth noise in [0, 1), with features of about one unit. */
export function smoothNoise(x: number, y: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const left = ix & 255;
  const right = (ix + 1) & 255;
  const upper = (iy & 255) << 8;
  const lower = ((iy + 1) & 255) << 8;
  const sx = fx * fx * (3 - 2 * fx);
  const a = LATTICE[upper | left] as number;
  const b = LATTICE[upper | right] as number;
  const c = LATTICE[lower | left] as number;
  const d = LATTICE[lower | right] as number;
  const top = a + (b - a) * sx;
  return top + (c + (d - c) * sx - top) * fy * fy * (3 - 2 * fy);
}

/** Four octaves of smooth noise, in [0, 1). */
export function roughness(x: number, y: number): number {
  return (
    smoothNoise(x, y) * (8 / 15) +
    smoothNoise(x * 2 + 17, y * 2) * (4 / 15) +
    smoothNoise(x * 4 + 34, y * 4) * (2 / 15) +
    smoothNoise(x * 8 + 51, y * 8) * (1 / 15)
  );
}

/** One value in [0, 1) for the cell, the same each time. */
export function grainOf(column: number, row: number): number {
  return hash(column, row);
}

export function scaled([red, green, blue]: Rgb, factor: number): Rgb {
  return [red * factor, green * factor, blue * factor];
}

export function mixed(a: Rgb, b: Rgb, part: number): Rgb {
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part];
}

/** Courses of brick with mortar between them. */
export function bricks(color: Rgb, width: number, height: number): (x: number, y: number) => Rgb {
  return (x, y) => {
    const row = Math.floor(y / height);
    const shifted = x + (row % 2) * (width / 2);
    const column = Math.floor(shifted / width);
    const inX = shifted - column * width;
    const inY = y - row * height;
    const isMortar = inX < 1.4 || inY < 1.4;
    const tone = 0.82 + grainOf(column, row) * 0.3 + (roughness(x / 9, y / 9) - 0.5) * 0.2;
    return isMortar ? [168 * tone, 162 * tone, 152 * tone] : scaled(color, tone);
  };
}

/** Colour with a rough surface; `size` is the size of its spots. */
export function rough(color: Rgb, size: number, strength: number): (x: number, y: number) => Rgb {
  return (x, y) => scaled(color, 1 + (roughness(x / size, y / size) - 0.5) * 2 * strength);
}

export interface Ground {
  readonly horizon: number;
  /** The vanishing point's place. */
  readonly centerX: number;
  /** Depth units to a scene unit at one unit below the horizon. */
  readonly depth: number;
}

/** Where a place below the horizon lies on the ground: across and away. */
export function onGround(ground: Ground, x: number, y: number): readonly [number, number] {
  const away = ground.depth / Math.max(1, y - ground.horizon);
  return [(x - ground.centerX) * away * 0.01, away];
}
