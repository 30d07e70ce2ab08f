// Turns a scene into pictures: background, noise, what moves, one after the other.

import { Canvas } from './canvas.js';
import { Picture } from './picture.js';
import type { Scene } from './scene.js';

/** So many differently noisy backgrounds are kept; each frame starts as a copy of one. */
const NOISY_BACKGROUNDS = 6;
/** Fewer where they are made anew again and again. */
const NOISY_BACKGROUNDS_IN_CHANGING_LIGHT = 3;
/** The light changes in steps of this length, at starts of groups. */
const LIGHT_STEP_SECONDS = 2;

export interface FilmSize {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

export class Film {
  readonly picture: Picture;
  readonly #scene: Scene;
  readonly #fps: number;
  readonly #clean: Picture;
  readonly #backgrounds: Uint8Array[] = [];
  readonly #noise: Int8Array;
  #gain = NaN;

  /** `canvas` is the painted background, if somebody has painted it already. */
  constructor(scene: Scene, size: FilmSize, canvas: Canvas = painted(scene, size)) {
    this.#scene = scene;
    this.#fps = size.fps;
    this.#noise = gaussianNoise(scene.noise);
    this.#clean = new Picture(size.width, size.height);
    canvas.develop(this.#clean);
    scene.place?.(this.#clean);
    this.picture = new Picture(size.width, size.height);
    this.picture.front.set(this.#clean.front);
    this.picture.noise = this.#noise;
  }

  /** Draws frame `index` into `picture`, which stays the same object. */
  draw(index: number): Picture {
    const seconds = index / this.#fps;
    const stepSeconds = Math.floor(seconds / LIGHT_STEP_SECONDS) * LIGHT_STEP_SECONDS;
    const gain = this.#scene.light?.(stepSeconds) ?? 1;
    if (gain !== this.#gain) this.#expose(gain);
    const background = this.#backgrounds[(index * 5) % this.#backgrounds.length];
    if (background !== undefined) this.picture.data.set(background);
    this.picture.noiseStart = (index * 7919) & 0xffff;
    this.#scene.draw?.(this.picture, seconds);
    return this.picture;
  }

  #expose(gain: number): void {
    this.#gain = gain;
    const many =
      this.#scene.light === undefined ? NOISY_BACKGROUNDS : NOISY_BACKGROUNDS_IN_CHANGING_LIGHT;
    const count = this.#scene.noise === 0 ? 1 : many;
    const luma = this.#clean.y.length;
    const lit = Uint8Array.from({ length: 256 }, (_, value) =>
      Math.min(235, Math.max(16, Math.round(16 + (value - 16) * gain))),
    );
    for (let version = 0; version < count; version++) {
      const data = (this.#backgrounds[version] ??= this.#clean.data.slice());
      const noise = this.#noise;
      // A prime stride between rows keeps the table's period out of the picture.
      let grain = version * 10_007;
      for (let at = 0; at < luma; at++) {
        if (at % this.picture.width === 0) grain += 4099;
        data[at] = (lit[this.#clean.y[at] ?? 0] ?? 0) + (noise[grain++ & 0xffff] ?? 0);
      }
    }
  }
}

function painted(scene: Scene, { width, height }: FilmSize): Canvas {
  const canvas = new Canvas(width, height);
  scene.paint(canvas);
  return canvas;
}

/** The same every time: clips of one version are the same on every machine. */
function gaussianNoise(deviation: number): Int8Array {
  let state = 0x9e3779b9;
  const random = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39) + 0x6d2b79f5;
    return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
  };
  return Int8Array.from({ length: 1 << 16 }, () => {
    const sum = random() + random() + random() + random() - 2;
    return Math.round(sum * 1.73 * deviation);
  });
}
