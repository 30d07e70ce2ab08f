// What each tile looks like when nothing moves: an average, the one before it, and how noisy it is.

import type { LightChange } from './light-fit.js';

/** Key frames and others are coded differently, so each kind has its own offset and noise. */
export type PictureKind = 0 | 1;
export const KEY_PICTURE: PictureKind = 0;
export const OTHER_PICTURE: PictureKind = 1;

/** Below this many luma steps a difference is never trusted, however quiet the tile is. */
const NOISE_FLOOR = 0.7;
const FIRST_NOISE = 1.2;
const MOST_NOISE = 9;
const MOST_KIND_OFFSET = 6;
/** A step of light beyond this many luma leaves a share of itself as doubt, which then fades. */
const GENTLE_STEP = 3;
const LIGHT_DOUBT = 0.1;
const BLACK = 16;
const CLIPPED_DOUBT = 0.15;
/** Above it, a tile is learned anew rather than trusted. */
const MUCH_DOUBT = 1.5;
const DOUBT_FADES_S = 2;
const BACKGROUND_S = 12;
const BACKGROUND_IN_DOUBT_S = 0.7;
const NOISE_S = 8;
const KIND_OFFSET_S = 30;
/** The first pictures of each kind, in which noise is guessed. */
const FIRST_LOOKS = 3;
const GUESS_STRIDE = 11;
/** What stands still this long becomes background. */
const STILL_ABSORBED_S = 12;
/** What flickers this long becomes background, too. */
const ALWAYS_ABSORBED_S = 90;
const FORMER_FORGOTTEN_S = 900;
const NEVER = -1e9;

export interface TilesSeen {
  /** Difference from the background. */
  readonly residual: Float32Array;
  /** One per tile that something stands on. */
  readonly covered: Uint8Array;
  readonly atS: number;
  readonly elapsedS: number;
}

export class TileModel {
  /** Luma when nothing moves, in the light of the latest picture. */
  readonly background: Float32Array;
  /** What was background before something came to rest here. */
  readonly former: Float32Array;
  /** When a tile last differed from what it had settled on, in seconds. */
  readonly changedAt: Float64Array;
  readonly #formerSeenAt: Float64Array;
  readonly #coveredSince: Float64Array;
  readonly #settled: Float32Array;
  readonly #doubt: Float32Array;
  readonly #offsets: readonly [Float32Array, Float32Array];
  readonly #noises: readonly [Float32Array, Float32Array];
  readonly #kindSeenAt: [number, number] = [NEVER, NEVER];
  readonly #kindSeen: [number, number] = [0, 0];
  #learned = 1;

  constructor(count: number) {
    this.background = new Float32Array(count);
    this.former = new Float32Array(count);
    this.changedAt = new Float64Array(count).fill(NEVER);
    this.#formerSeenAt = new Float64Array(count).fill(NEVER);
    this.#coveredSince = new Float64Array(count).fill(NEVER);
    this.#settled = new Float32Array(count);
    this.#doubt = new Float32Array(count);
    this.#offsets = [new Float32Array(count), new Float32Array(count)];
    this.#noises = [
      new Float32Array(count).fill(FIRST_NOISE),
      new Float32Array(count).fill(FIRST_NOISE),
    ];
  }

  /** Takes a picture as background without a word about what is in it. */
  learn(now: Float32Array): void {
    this.background.set(now);
    this.#settled.set(now);
    this.#learned = 1;
  }

  /** The whole scene looks different: what was seen so far may come back. */
  replace(now: Float32Array, atS: number): void {
    for (let tile = 0; tile < now.length; tile++) {
      this.#doubt[tile] = Math.abs((now[tile] as number) - (this.background[tile] as number)) * 0.2;
    }
    this.former.set(this.background);
    this.#formerSeenAt.fill(atS);
    this.#coveredSince.fill(NEVER);
    this.changedAt.fill(NEVER);
    this.learn(now);
  }

  /** Brings everything remembered into the light of the present picture. */
  relight({ gain, offset }: LightChange, elapsedS: number): void {
    const { background, former } = this;
    const settled = this.#settled;
    const doubt = this.#doubt;
    const kept = Math.exp(-elapsedS / DOUBT_FADES_S);
    for (let tile = 0; tile < background.length; tile++) {
      const was = background[tile] as number;
      const is = gain * was + offset;
      background[tile] = is;
      former[tile] = gain * (former[tile] as number) + offset;
      settled[tile] = gain * (settled[tile] as number) + offset;
      const step = is > was ? is - was : was - is;
      const sudden = step > GENTLE_STEP ? LIGHT_DOUBT * (step - GENTLE_STEP) : 0;
      doubt[tile] = (doubt[tile] as number) * kept + sudden;
    }
  }

  /** Writes the difference from the background, and what is ordinary for it, for each tile. */
  compare(now: Float32Array, kind: PictureKind, residual: Float32Array, sigma: Float32Array): void {
    const { background } = this;
    const offsets = this.#offsets[kind];
    const noises = this.#noises[kind];
    const doubt = this.#doubt;
    if (this.#kindSeen[kind] < FIRST_LOOKS) this.#guessNoise(now, kind);
    for (let tile = 0; tile < now.length; tile++) {
      const expected = (background[tile] as number) + (offsets[tile] as number);
      const possible = expected > 255 ? 255 : expected < 0 ? 0 : expected;
      residual[tile] = (now[tile] as number) - possible;
      const noise = 1.25 * (noises[tile] as number);
      // Near black a change of light is clipped, so what to expect is not known well.
      const clipped = expected < BLACK ? (BLACK - expected) * CLIPPED_DOUBT : 0;
      const unsure = (doubt[tile] as number) + clipped;
      sigma[tile] = Math.sqrt(noise * noise + NOISE_FLOOR * NOISE_FLOOR + unsure * unsure);
    }
  }

  /** Before a tile's own noise is known, it is taken to be as noisy as tiles are on the whole. */
  #guessNoise(now: Float32Array, kind: PictureKind): void {
    const { background } = this;
    const noises = this.#noises[kind];
    const steps: number[] = [];
    for (let tile = 0; tile < now.length; tile += GUESS_STRIDE) {
      steps.push(Math.abs((now[tile] as number) - (background[tile] as number)));
    }
    steps.sort((a, b) => a - b);
    const guess = Math.min(MOST_NOISE, 1.3 * (steps[steps.length >> 1] ?? 0));
    for (let tile = 0; tile < noises.length; tile++) {
      if ((noises[tile] as number) < guess) noises[tile] = guess;
    }
  }

  /** True when a tile that differs looks as it did before; then that is its background again. */
  returnsToFormer(tile: number, value: number, slack: number, atS: number): boolean {
    if (atS - (this.#formerSeenAt[tile] as number) > FORMER_FORGOTTEN_S) return false;
    const former = this.former[tile] as number;
    if (Math.abs(value - former) > slack) return false;
    this.former[tile] = this.background[tile] as number;
    this.background[tile] = former;
    this.#formerSeenAt[tile] = atS;
    this.#coveredSince[tile] = NEVER;
    return true;
  }

  /** Notes when tiles leave what they had settled on: something moved there. */
  notice(now: Float32Array, sigma: Float32Array, sigmas: number, atS: number): void {
    const settled = this.#settled;
    for (let tile = 0; tile < now.length; tile++) {
      const value = now[tile] as number;
      if (Math.abs(value - (settled[tile] as number)) <= sigmas * (sigma[tile] as number)) continue;
      settled[tile] = value;
      this.changedAt[tile] = atS;
    }
  }

  /** Learns from a picture; `covered` marks the tiles that differ from their background. */
  update(now: Float32Array, kind: PictureKind, seen: TilesSeen): void {
    const { residual, covered, atS, elapsedS } = seen;
    const { background } = this;
    const offsets = this.#offsets[kind];
    const noises = this.#noises[kind];
    const doubt = this.#doubt;
    // The first pictures make an average, so that the noise of the very first does not stay.
    this.#learned += 1;
    const slow = Math.max(1 / this.#learned, 1 - Math.exp(-elapsedS / BACKGROUND_S));
    const fast = 1 - Math.exp(-elapsedS / BACKGROUND_IN_DOUBT_S);
    const sinceKindS = Math.min(5, atS - this.#kindSeenAt[kind]);
    this.#kindSeenAt[kind] = atS;
    this.#kindSeen[kind] += 1;
    const bothKinds = atS - this.#kindSeenAt[kind === 0 ? 1 : 0] < 20;
    const offsetRate = bothKinds ? 1 - Math.exp(-sinceKindS / KIND_OFFSET_S) : 0;
    const noiseRate = Math.min(0.1, 1 - Math.exp(-sinceKindS / NOISE_S));
    for (let tile = 0; tile < now.length; tile++) {
      const off = residual[tile] as number;
      const noise = noises[tile] as number;
      const far = Math.min(Math.abs(off), 3 * noise + 0.5);
      if (covered[tile] === 0) {
        const rate = (doubt[tile] as number) > MUCH_DOUBT ? fast : slow;
        background[tile] = (background[tile] as number) + rate * off;
        const offset = (offsets[tile] as number) + offsetRate * off;
        offsets[tile] = Math.min(MOST_KIND_OFFSET, Math.max(-MOST_KIND_OFFSET, offset));
        noises[tile] = noise + noiseRate * (far - noise);
        this.#coveredSince[tile] = NEVER;
        continue;
      }
      // What comes again and again at one place (leaves, a flag) slowly becomes ordinary there.
      noises[tile] = Math.min(MOST_NOISE, noise + (noiseRate / 8) * (far - noise));
      if ((this.#coveredSince[tile] as number) === NEVER) this.#coveredSince[tile] = atS;
      const coveredS = atS - (this.#coveredSince[tile] as number);
      const stillS = atS - Math.max(this.changedAt[tile] as number, atS - coveredS);
      if (stillS < STILL_ABSORBED_S && coveredS < ALWAYS_ABSORBED_S) continue;
      this.former[tile] = background[tile] as number;
      this.#formerSeenAt[tile] = atS;
      background[tile] = (now[tile] as number) - (offsets[tile] as number);
      this.#coveredSince[tile] = NEVER;
    }
  }
}
