// A picture as an encoder wants it (YUV 4:2:0), and the few shapes that moving things are made of.

import { Outline } from './outline.js';

/** Limited-range BT.601, as cameras send it when they say nothing. */
export interface Yuv {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

export type Rgb = readonly [red: number, green: number, blue: number];

export function yuvOf([red, green, blue]: Rgb): Yuv {
  return {
    y: 16 + 0.257 * red + 0.504 * green + 0.098 * blue,
    u: 128 - 0.148 * red - 0.291 * green + 0.439 * blue,
    v: 128 + 0.439 * red - 0.368 * green - 0.071 * blue,
  };
}

/** Depths are kept in a byte: so many scene units each. */
export const DEPTH_STEP = 3;

/** A limb: a line whose thickness goes from `fromRadius` to `toRadius`, lit from the upper left. */
export interface Limb {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
  readonly fromRadius: number;
  readonly toRadius: number;
}

export class Picture {
  readonly width: number;
  readonly height: number;
  /** The whole picture: all of Y, then U, then V, rows without padding. */
  readonly data: Uint8Array;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  /** Where something stands in front: what moves further up than this many steps is hidden. */
  readonly front: Uint8Array;
  /** Where the thing that is being drawn touches the ground, in scene units. */
  footY = Infinity;
  /** Pixels to a unit of the scene, which is 1280 units wide. */
  readonly scale: number;
  /** Noise to lay on what is drawn, so that a mover is no cleaner than its surroundings. */
  noise: Int8Array = new Int8Array(1 << 16);
  noiseStart = 0;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.scale = width / 1280;
    const luma = width * height;
    this.data = new Uint8Array((luma * 3) / 2);
    this.y = this.data.subarray(0, luma);
    this.u = this.data.subarray(luma, luma * 1.25);
    this.v = this.data.subarray(luma * 1.25);
    this.front = new Uint8Array(luma);
  }

  limb({ from, to, fromRadius, toRadius }: Limb, color: Yuv): void {
    const s = this.scale;
    const [ax, ay, bx, by] = [from[0] * s, from[1] * s, to[0] * s, to[1] * s];
    const [ra, rb] = [fromRadius * s, toRadius * s];
    const [dx, dy] = [bx - ax, by - ay];
    const lengthSquared = dx * dx + dy * dy || 1e-6;
    const most = Math.max(ra, rb) + 1;
    this.#fill(
      [Math.min(ax, bx) - most, Math.min(ay, by) - most],
      [Math.max(ax, bx) + most, Math.max(ay, by) + most],
      color,
      (px, py, out) => {
        const along = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / lengthSquared));
        const ox = px - ax - dx * along;
        const oy = py - ay - dy * along;
        const radius = ra + (rb - ra) * along;
        const distance = Math.sqrt(ox * ox + oy * oy);
        out.cover = radius - distance + 0.5;
        out.light = 1 - (0.28 * (ox * 0.8 + oy * 0.45)) / Math.max(radius, 0.5);
      },
    );
  }

  ellipse(
    center: readonly [number, number],
    radii: readonly [number, number],
    color: Yuv,
    roundness = 0.28,
  ): void {
    const s = this.scale;
    const [cx, cy, rx, ry] = [center[0] * s, center[1] * s, radii[0] * s, radii[1] * s];
    const least = Math.min(rx, ry);
    this.#fill([cx - rx - 1, cy - ry - 1], [cx + rx + 1, cy + ry + 1], color, (px, py, out) => {
      const nx = (px - cx) / rx;
      const ny = (py - cy) / ry;
      out.cover = (1 - Math.sqrt(nx * nx + ny * ny)) * least + 0.5;
      out.light = 1 - roundness * (nx * 0.8 + ny * 0.45);
    });
  }

  /** A convex or concave outline; `shade` darkens towards its lower edge. */
  polygon(points: readonly (readonly [number, number])[], color: Yuv, shade = 0): void {
    const outline = new Outline(points, this.scale, this);
    const { left, right, top, bottom } = outline;
    for (let y = top; y <= bottom; y++) {
      const row = outline.coverRow(y);
      const light = 1 + shade * (0.5 - (y - top) / Math.max(1, bottom - top));
      for (let x = left; x <= right; x++) {
        const cover = row[x] ?? 0;
        if (cover > 0) this.#blend(x, y, color, cover, light);
      }
    }
  }

  /** Multiplies the brightness: a soft shadow below 1, a pool of light above. */
  glow(center: readonly [number, number], radii: readonly [number, number], factor: number): void {
    const s = this.scale;
    const [cx, cy, rx, ry] = [center[0] * s, center[1] * s, radii[0] * s, radii[1] * s];
    const x0 = Math.max(0, Math.floor(cx - rx));
    const x1 = Math.min(this.width - 1, Math.ceil(cx + rx));
    const y0 = Math.max(0, Math.floor(cy - ry));
    const y1 = Math.min(this.height - 1, Math.ceil(cy + ry));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const nx = (x - cx) / rx;
        const ny = (y - cy) / ry;
        const falloff = 1 - nx * nx - ny * ny;
        const at = y * this.width + x;
        if (falloff <= 0 || this.#isHidden(at)) continue;
        const gain = 1 + (factor - 1) * falloff * falloff;
        this.y[at] = Math.min(235, 16 + ((this.y[at] ?? 16) - 16) * gain);
      }
    }
  }

  #isHidden(at: number): boolean {
    return (this.front[at] ?? 0) * DEPTH_STEP > this.footY;
  }

  /** `shape` gives a pixel's cover (above 0 is inside, 1 and more wholly) and its light. */
  #fill(
    from: readonly [number, number],
    to: readonly [number, number],
    color: Yuv,
    shape: (x: number, y: number, out: { cover: number; light: number }) => void,
  ): void {
    const out = { cover: 0, light: 1 };
    const x0 = Math.max(0, Math.floor(from[0]));
    const x1 = Math.min(this.width - 1, Math.ceil(to[0]));
    const y0 = Math.max(0, Math.floor(from[1]));
    const y1 = Math.min(this.height - 1, Math.ceil(to[1]));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        shape(x + 0.5, y + 0.5, out);
        if (out.cover > 0) this.#blend(x, y, color, Math.min(1, out.cover), out.light);
      }
    }
  }

  // Five numbers instead of an object: this runs for every pixel of everything that moves.
  // eslint-disable-next-line @typescript-eslint/max-params
  #blend(x: number, y: number, color: Yuv, cover: number, light: number): void {
    const at = y * this.width + x;
    if (this.#isHidden(at)) return;
    const grain = this.noise[(this.noiseStart + at) & 0xffff] ?? 0;
    const target = Math.min(235, 16 + (color.y - 16) * light) + grain;
    const below = this.y[at] ?? 0;
    this.y[at] = Math.max(0, below + (target - below) * cover);
    if (((x | y) & 1) !== 0) return;
    const chroma = (y >> 1) * (this.width >> 1) + (x >> 1);
    const u = this.u[chroma] ?? 128;
    const v = this.v[chroma] ?? 128;
    this.u[chroma] = u + (color.u - u) * cover;
    this.v[chroma] = v + (color.v - v) * cover;
  }
}
