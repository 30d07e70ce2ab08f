// Luma planes of a scene that tests can describe: texture, light, noise, and things that move.

import { MotionAnalyzer } from './motion-analyzer.js';
import type { MotionSample, MotionSettings } from './channel-types.js';
import { TileGrid } from './tile-grid.js';

// Jest looks globals up anew each time, which is slow in loops over pixels.
const { ceil, cos, floor, imul, max, min, sin } = Math;

export interface Thing {
  /** Middle, in pixels; a function of time in seconds. Undefined while it is not there. */
  readonly at: (timeS: number) => readonly [x: number, y: number] | undefined;
  readonly width: number;
  readonly height: number;
  readonly luma: number;
}

export interface SceneOptions {
  readonly width?: number;
  readonly height?: number;
  /** Standard deviation of the sensor's noise, in luma steps. */
  readonly noise?: number;
  readonly things?: readonly Thing[];
  readonly gain?: (timeS: number) => number;
  readonly offset?: (timeS: number) => number;
  /** Replaces the luma of a pixel, before noise. */
  readonly shade?: (luma: number, x: number, y: number, timeS: number) => number;
  readonly seed?: number;
  readonly texture?: number;
}

/** A linear congruential generator: the same numbers in every run. */
function nextRandom(state: number): number {
  return (imul(state, 1_664_525) + 1_013_904_223) >>> 0;
}

/** One sheet of noise, read from another place each time: as good as new, and much cheaper. */
const NOISE = noiseSheet(65_537);

function noiseSheet(length: number): Float32Array {
  const sheet = new Float32Array(length);
  let state = 7;
  for (let at = 0; at < length; at++) {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) {
      state = nextRandom(state);
      sum += state / 2 ** 32;
    }
    sheet[at] = sum;
  }
  return sheet;
}

export class SyntheticScene {
  readonly width: number;
  readonly height: number;
  readonly #options: SceneOptions;
  readonly #background: Float32Array;
  #random: number;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
    this.width = options.width ?? 320;
    this.height = options.height ?? 180;
    this.#random = options.seed ?? 7;
    this.#background = new Float32Array(this.width * this.height);
    const contrast = options.texture ?? 30;
    for (let y = 0, at = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++, at++) {
        // A road below, walls and hedges above, all of it lit from one side.
        const road = y > this.height * 0.6 ? 150 : 95;
        const wall = sin(x / 9) * cos(y / 7) + 0.6 * sin(x / 2.7 + y / 3.1);
        const rough = y > this.height * 0.6 ? 0.15 : 1;
        this.#background[at] = road + contrast * wall * rough + (20 * x) / this.width;
      }
    }
  }

  /** The picture at a time; of 8-bit luma, `width` bytes a row. */
  plane(timeS: number): Uint8Array {
    const { gain, offset, shade, noise = 0, things = [] } = this.#options;
    const scale = gain?.(timeS) ?? 1;
    const lift = offset?.(timeS) ?? 0;
    const scene = this.#background.slice();
    for (const thing of things) this.#place(thing, timeS, scene);
    const plane = new Uint8Array(scene.length);
    const sheet = NOISE;
    let noiseAt = floor(this.#uniform() * sheet.length);
    for (let at = 0; at < scene.length; at++) {
      let luma = (scene[at] as number) * scale + lift;
      if (shade !== undefined) {
        luma = shade(luma, at % this.width, floor(at / this.width), timeS);
      }
      if (noise > 0) {
        noiseAt = noiseAt + 1 === sheet.length ? 0 : noiseAt + 1;
        luma += (sheet[noiseAt] as number) * noise;
      }
      plane[at] = luma < 0 ? 0 : luma > 255 ? 255 : luma + 0.5;
    }
    return plane;
  }

  #place({ at, width, height, luma }: Thing, timeS: number, scene: Float32Array): void {
    const place = at(timeS);
    if (place === undefined) return;
    const [x, y] = place;
    const right = min(this.width, ceil(x + width / 2));
    const bottom = min(this.height, ceil(y + height / 2));
    for (let row = max(0, floor(y - height / 2)); row < bottom; row++) {
      const along = covered(row, y, height);
      for (let column = max(0, floor(x - width / 2)); column < right; column++) {
        const pixel = row * this.width + column;
        const was = scene[pixel] as number;
        scene[pixel] = was + (luma - was) * along * covered(column, x, width);
      }
    }
  }

  #uniform(): number {
    this.#random = nextRandom(this.#random);
    return this.#random / 2 ** 32;
  }
}

/** How much of the pixel lies inside a span around a middle. */
function covered(pixel: number, middle: number, span: number): number {
  const from = max(pixel, middle - span / 2);
  const to = min(pixel + 1, middle + span / 2);
  return max(0, to - from);
}

export interface Sampling {
  /** Pictures a second, and how many of each group are looked at. */
  readonly fps: number;
  readonly groupS: number;
  readonly looks: number;
}

export const ALL_OF_FIVE: Sampling = { fps: 5, groupS: 2, looks: 10 };
export const GROUP_BEGINNINGS: Sampling = { fps: 10, groupS: 2, looks: 3 };
export const KEY_FRAMES: Sampling = { fps: 10, groupS: 2, looks: 1 };

export interface Seen {
  readonly timeS: number;
  readonly sample: MotionSample;
}

/** Looks at a scene as a camera with that sampling would be looked at. */
export function watch(
  scene: SyntheticScene,
  o: { untilS: number; sampling?: Sampling; settings?: MotionSettings },
): Seen[] {
  const { fps, groupS, looks } = o.sampling ?? ALL_OF_FIVE;
  const grid = new TileGrid(scene.width, scene.height);
  const analyzer = new MotionAnalyzer(grid, o.settings ?? { sensitivity: 0.5 });
  const tiles = new Float32Array(grid.count);
  const seen: Seen[] = [];
  const groupFrames = Math.round(fps * groupS);
  for (let frame = 0; frame < o.untilS * fps; frame++) {
    if (frame % groupFrames >= looks) continue;
    const timeS = frame / fps;
    grid.reduce(scene.plane(timeS), scene.width, tiles);
    const atUnixUs = 1_767_225_600_000_000 + Math.round(timeS * 1e6);
    seen.push({ timeS, sample: analyzer.analyze(tiles, frame % groupFrames === 0, atUnixUs) });
  }
  return seen;
}

export function movingTimes(seen: readonly Seen[]): number[] {
  return seen.filter(({ sample }) => sample.moving).map(({ timeS }) => timeS);
}
