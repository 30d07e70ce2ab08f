// Where a scene's still background is painted, in RGB and without hurry, before it becomes a picture.

import { LETTER_HEIGHT, LETTER_WIDTH, letterRows } from './letters.js';
import { Outline } from './outline.js';
import { DEPTH_STEP, type Picture, type Rgb } from './picture.js';

export type Point = readonly [x: number, y: number];
/** A colour everywhere, or one for each place (in scene units, 1280 by 720). */
export type Paint = Rgb | ((x: number, y: number) => Rgb);

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly #pixels: Float32Array;
  readonly #front: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.scale = width / 1280;
    this.#pixels = new Float32Array(width * height * 3);
    this.#front = new Uint8Array(width * height);
  }

  rectangle(from: Point, to: Point, paint: Paint): void {
    this.polygon([from, [to[0], from[1]], to, [from[0], to[1]]], paint);
  }

  line(from: Point, to: Point, thickness: number, paint: Paint): void {
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    const ox = ((to[1] - from[1]) / length) * (thickness / 2);
    const oy = (-(to[0] - from[0]) / length) * (thickness / 2);
    this.polygon(
      [
        [from[0] + ox, from[1] + oy],
        [to[0] + ox, to[1] + oy],
        [to[0] - ox, to[1] - oy],
        [from[0] - ox, from[1] - oy],
      ],
      paint,
    );
  }

  ellipse(center: Point, radii: Point, paint: Paint): void {
    const points: Point[] = [];
    for (let step = 0; step < 40; step++) {
      const angle = (step / 40) * 2 * Math.PI;
      points.push([center[0] + Math.cos(angle) * radii[0], center[1] + Math.sin(angle) * radii[1]]);
    }
    this.polygon(points, paint);
  }

  /** `opacity` below 1 lets what is behind shine through: glass, shadows. */
  polygon(points: readonly Point[], paint: Paint, opacity = 1): void {
    this.#cover(points, (at, x, y, cover) => {
      const color = typeof paint === 'function' ? paint(x, y) : paint;
      for (let channel = 0; channel < 3; channel++) {
        const below = this.#pixels[at * 3 + channel] ?? 0;
        const target = color[channel] ?? 0;
        this.#pixels[at * 3 + channel] = below + (target - below) * cover * opacity;
      }
    });
  }

  /** What lies inside the outline hides whatever moves behind it: further up than `footY`. */
  occlude(points: readonly Point[], footY: number): void {
    const depth = Math.min(255, Math.round(footY / DEPTH_STEP));
    this.#cover(points, (at, _x, _y, cover) => {
      if (cover > 0.5) this.#front[at] = Math.max(this.#front[at] ?? 0, depth);
    });
  }

  /** Multiplies every pixel; for shadows without an edge, light from above, the vignette. */
  light(gain: (x: number, y: number) => number): void {
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) {
        const factor = gain(x / this.scale, y / this.scale);
        const at = (y * this.width + x) * 3;
        for (let channel = at; channel < at + 3; channel++) {
          this.#pixels[channel] = (this.#pixels[channel] ?? 0) * factor;
        }
      }
    }
  }

  /** Lenses darken towards the corners. */
  vignette(strength = 0.35): void {
    this.light((x, y) => {
      const nx = (x - 640) / 734;
      const ny = (y - 360) / 734;
      return 1 - strength * (nx * nx + ny * ny) ** 1.4;
    });
  }

  /** Letters of `size` units, light with a dark edge, as cameras write their name. */
  text(text: string, at: Point, size: number): void {
    const dot = size / LETTER_HEIGHT;
    for (const [dx, dy, color] of [
      [0.8, 0.8, [20, 20, 20]],
      [0, 0, [235, 235, 235]],
    ] as const) {
      [...text].forEach((letter, index) => {
        const left = at[0] + index * (LETTER_WIDTH + 1) * dot + dx * dot;
        letterRows(letter).forEach((row, line) => {
          for (let column = 0; column < LETTER_WIDTH; column++) {
            if (((row >> (LETTER_WIDTH - 1 - column)) & 1) === 0) continue;
            const x = left + column * dot;
            const y = at[1] + (line + dy) * dot;
            this.rectangle([x, y], [x + dot, y + dot], color);
          }
        });
      });
    }
  }

  /** The finished background, as luma and chroma planes, and what stands in front. */
  develop(picture: Picture): void {
    picture.front.set(this.#front);
    const { width, height } = this;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * 3;
        const red = clamp(this.#pixels[at] ?? 0);
        const green = clamp(this.#pixels[at + 1] ?? 0);
        const blue = clamp(this.#pixels[at + 2] ?? 0);
        picture.y[y * width + x] = Math.round(16 + 0.257 * red + 0.504 * green + 0.098 * blue);
        if (((x | y) & 1) === 0) {
          const chroma = (y >> 1) * (width >> 1) + (x >> 1);
          picture.u[chroma] = Math.round(128 - 0.148 * red - 0.291 * green + 0.439 * blue);
          picture.v[chroma] = Math.round(128 + 0.439 * red - 0.368 * green - 0.071 * blue);
        }
      }
    }
  }

  /** The same background at half the width and height. */
  halved(): Canvas {
    const half = new Canvas(this.width >> 1, this.height >> 1);
    for (let y = 0; y < half.height; y++) {
      for (let x = 0; x < half.width; x++) {
        const at = y * 2 * this.width + x * 2;
        const four = [at, at + 1, at + this.width, at + this.width + 1];
        for (let channel = 0; channel < 3; channel++) {
          const sum = four.reduce(
            (total, one) => total + (this.#pixels[one * 3 + channel] ?? 0),
            0,
          );
          half.#pixels[(y * half.width + x) * 3 + channel] = sum / 4;
        }
        half.#front[y * half.width + x] = this.#front[at] ?? 0;
      }
    }
    return half;
  }

  /** Calls for every pixel that the outline touches, with how much of it is inside. */
  #cover(
    points: readonly Point[],
    run: (at: number, x: number, y: number, cover: number) => void,
  ): void {
    const outline = new Outline(points, this.scale, this);
    for (let y = outline.top; y <= outline.bottom; y++) {
      const row = outline.coverRow(y);
      for (let x = outline.left; x <= outline.right; x++) {
        const cover = row[x] ?? 0;
        if (cover === 0) continue;
        run(y * this.width + x, (x + 0.5) / this.scale, (y + 0.5) / this.scale, cover);
      }
    }
  }
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, value));
}
