// Decides from tile averages whether something moves, how much and where. Knows nothing of codecs.

import { BlobFinder, type Blob, type BlobRules } from './blobs.js';
import { CELL_BYTES, type MotionSample, type MotionSettings } from './channel-types.js';
import { fitLight, SAME_LIGHT, type LightChange } from './light-fit.js';
import { LocalLight } from './local-light.js';
import { watchedTiles } from './regions.js';
import type { TileGrid } from './tile-grid.js';
import { KEY_PICTURE, OTHER_PICTURE, TileModel } from './tile-model.js';

const RULES: BlobRules = { low: 3.5, high: 6.5, cap: 12, leastTiles: 2 };
/** A blob of this score is what `moving` begins at: level 0.5. */
const ORDINARY_SCORE = 19;
/** One picture is enough from this many times the ordinary score on. */
const SURE = 2;
/** Movement goes on down to this share of the ordinary score. */
const STILL_MOVING = 0.9;
/** A difference beyond so many sigmas has no say in what the local light is. */
const LIGHT_CLIP = 2.5;
/** With fewer tiles than this beyond it, local light is not worth looking for. */
const FEW_DIFFER = 0.03;
/** With more of the neighbourhood than this beyond it, all of it is light. */
const MOST_DIFFER = 0.6;
const MOST_LIGHT = 40;
const LOCAL_DOUBT = 0.25;
/** A difference counts as movement this long after the tile last changed: so many times the
 * longest time between two pictures, within bounds. */
const FRESH_GAPS = 1.25;
const LEAST_FRESH_S = 1.5;
const MOST_FRESH_S = 3;
/** How fast a longer time between pictures is forgotten. */
const GAP_FADES_S = 20;
/** Two weak pictures further apart than this do not confirm each other. */
const CONFIRM_WITHIN_S = 4.5;
/** A large blob that keeps its texture, only brighter or darker, is light. */
const TEXTURED_BLOB_TILES = 9;
const SAME_TEXTURE = 0.9;
/** When fewer tiles than this stayed as they were, it is the scene, not something in it. */
const SCENE_STAYED = 0.2;
const SCENE_SETTLES_S = 1;
/** A step of this many luma between two pictures is a lamp or a flash, not the sun. */
const SUDDEN_LIGHT = 20;
const FORGET_AFTER_S = 120;
const BURNT_OUT = 233;
const MOST_BURNT_OUT = 0.7;

export class MotionAnalyzer {
  readonly #grid: TileGrid;
  readonly #blobs: BlobFinder;
  readonly #local: LocalLight;
  #model: TileModel;
  #watched: Uint8Array;
  #caution: number;
  #lastS: number | undefined;
  #gapS = 0;
  #settlesAtS = 0;
  #moving = false;
  #weakAtS = -1e9;
  readonly #residual: Float32Array;
  readonly #sigma: Float32Array;
  readonly #clipped: Float32Array;
  readonly #light: Float32Array;
  readonly #fullLight: Float32Array;
  readonly #strength: Float32Array;
  /** Of the picture before, too: what differs must not bend the light's estimate. */
  readonly #covered: Uint8Array;

  constructor(grid: TileGrid, settings: MotionSettings) {
    this.#grid = grid;
    this.#blobs = new BlobFinder(grid.columns, grid.rows);
    this.#local = new LocalLight(grid.columns, grid.rows);
    this.#model = new TileModel(grid.count);
    this.#watched = watchedTiles(grid, settings);
    this.#caution = cautionOf(settings.sensitivity);
    this.#residual = new Float32Array(grid.count);
    this.#sigma = new Float32Array(grid.count);
    this.#clipped = new Float32Array(grid.count);
    this.#light = new Float32Array(grid.count);
    this.#fullLight = new Float32Array(grid.count);
    this.#strength = new Float32Array(grid.count);
    this.#covered = new Uint8Array(grid.count);
  }

  setSettings(settings: MotionSettings): void {
    this.#watched = watchedTiles(this.#grid, settings);
    this.#caution = cautionOf(settings.sensitivity);
  }

  /** `tiles` is read only during the call; times must not go back by more than reordering does. */
  analyze(tiles: Float32Array, key: boolean, atUnixUs: number): MotionSample {
    const atS = atUnixUs / 1e6;
    const elapsedS = this.#lastS === undefined ? Infinity : Math.max(0.001, atS - this.#lastS);
    this.#lastS = atS;
    if (elapsedS < FORGET_AFTER_S) {
      this.#gapS = Math.max(elapsedS, this.#gapS * Math.exp(-elapsedS / GAP_FADES_S));
    }
    if (elapsedS > FORGET_AFTER_S) return this.#begin(tiles, atUnixUs);
    if (isBurntOut(tiles)) return this.#sample(atUnixUs, 0, [], this.#moving);
    const kind = key ? KEY_PICTURE : OTHER_PICTURE;
    const model = this.#model;
    const light = fitLight(tiles, model.background, this.#covered);
    if (light === undefined && this.#sceneChanged(tiles)) {
      model.replace(tiles, atS);
      this.#covered.fill(0);
      this.#settlesAtS = atS + SCENE_SETTLES_S;
      this.#moving = false;
      return this.#sample(atUnixUs, 0, [], false);
    }
    model.relight(light ?? SAME_LIGHT, Math.min(5, elapsedS));
    model.compare(tiles, kind, this.#residual, this.#sigma);
    this.#findLocalLight();
    model.notice(tiles, this.#sigma, RULES.low * 1.2, atS);
    this.#weigh(tiles, atS);
    const blobs = this.#blobs
      .find(this.#strength, this.#rules())
      .filter((blob) => !this.#isLight(blob, tiles));
    model.update(tiles, kind, {
      residual: this.#residual,
      covered: this.#covered,
      atS,
      elapsedS: Math.min(5, elapsedS),
    });
    return this.#decide(blobs, atUnixUs, light ?? SAME_LIGHT);
  }

  #begin(tiles: Float32Array, atUnixUs: number): MotionSample {
    this.#model = new TileModel(this.#grid.count);
    this.#model.learn(tiles);
    this.#covered.fill(0);
    this.#settlesAtS = atUnixUs / 1e6 + SCENE_SETTLES_S;
    this.#moving = false;
    return this.#sample(atUnixUs, 0, [], false);
  }

  /** Light reaches everything; a thing before the camera leaves something as it was. */
  #sceneChanged(tiles: Float32Array): boolean {
    const { background } = this.#model;
    let stayed = 0;
    for (let tile = 0; tile < tiles.length; tile++) {
      const step = Math.abs((tiles[tile] as number) - (background[tile] as number));
      if (step < 4) stayed += 1;
    }
    return stayed < tiles.length * SCENE_STAYED;
  }

  /**
   * Writes into `#light` what a tile's whole neighbourhood changed by. Where most of it changed the
   * same way, it is taken in full (a cloud's shadow, a lamp), else only as far as noise reaches, so
   * that a thing does not take itself for light.
   */
  #findLocalLight(): void {
    const residual = this.#residual;
    const sigma = this.#sigma;
    const light = this.#light;
    const clipped = this.#clipped;
    let differing = 0;
    for (let tile = 0; tile < residual.length; tile++) {
      const most = LIGHT_CLIP * (sigma[tile] as number);
      const step = residual[tile] as number;
      // Plain comparisons: Math.min and Math.max cost ten times as much here.
      clipped[tile] =
        step > most ? LIGHT_CLIP : step < -most ? -LIGHT_CLIP : (step / most) * LIGHT_CLIP;
      if (step > most || step < -most) differing += 1;
    }
    if (differing < residual.length * FEW_DIFFER) {
      light.fill(0);
      return;
    }
    this.#local.average(clipped, light);
    for (let tile = 0; tile < residual.length; tile++) {
      const step = residual[tile] as number;
      clipped[tile] = step > MOST_LIGHT ? MOST_LIGHT : step < -MOST_LIGHT ? -MOST_LIGHT : step;
    }
    const full = this.#fullLight;
    this.#local.average(clipped, full);
    for (let tile = 0; tile < residual.length; tile++) {
      const share = light[tile] as number;
      const spread = sigma[tile] as number;
      if (Math.abs(share) < LIGHT_CLIP * MOST_DIFFER) {
        light[tile] = share * spread;
        continue;
      }
      const step = full[tile] as number;
      light[tile] = step;
      sigma[tile] = Math.sqrt(spread * spread + (LOCAL_DOUBT * step) ** 2);
    }
  }

  /** Strength of tiles that differ and changed lately; `#covered` is all that differ. */
  #weigh(tiles: Float32Array, atS: number): void {
    const strength = this.#strength;
    const covered = this.#covered;
    const { changedAt } = this.#model;
    const freshS = Math.min(MOST_FRESH_S, Math.max(LEAST_FRESH_S, FRESH_GAPS * this.#gapS));
    for (let tile = 0; tile < tiles.length; tile++) {
      const sigma = this.#sigma[tile] as number;
      const step = Math.abs((this.#residual[tile] as number) - (this.#light[tile] as number));
      const sigmas = step / sigma;
      strength[tile] = 0;
      covered[tile] = 0;
      if (sigmas < RULES.low) continue;
      const slack = RULES.low * sigma;
      if (this.#model.returnsToFormer(tile, tiles[tile] as number, slack, atS)) {
        this.#residual[tile] = 0;
        continue;
      }
      covered[tile] = 1;
      if (this.#watched[tile] === 1 && atS - (changedAt[tile] as number) <= freshS) {
        strength[tile] = sigmas;
      }
    }
  }

  #rules(): BlobRules {
    const caution = this.#caution;
    return {
      low: RULES.low * Math.sqrt(caution),
      high: RULES.high * caution,
      cap: RULES.cap * caution,
      leastTiles: RULES.leastTiles + (caution > 1.3 ? 1 : 0),
    };
  }

  /** The same texture as the background's, at another gain: light or shadow, not a thing. */
  #isLight(blob: Blob, tiles: Float32Array): boolean {
    const n = blob.tiles.length;
    if (n < TEXTURED_BLOB_TILES) return false;
    let x = 0;
    let y = 0;
    let xx = 0;
    let yy = 0;
    let xy = 0;
    let noise = 0;
    for (const tile of blob.tiles) {
      const was = this.#model.background[tile] as number;
      const is = tiles[tile] as number;
      x += was;
      y += is;
      xx += was * was;
      yy += is * is;
      xy += was * is;
      noise += (this.#sigma[tile] as number) ** 2;
    }
    const was = xx / n - (x / n) ** 2;
    const is = yy / n - (y / n) ** 2;
    const both = xy / n - (x / n) * (y / n);
    const textured = was > (9 * noise) / n && is > (9 * noise) / n;
    return textured && both > SAME_TEXTURE * Math.sqrt(was * is);
  }

  #decide(blobs: Blob[], atUnixUs: number, light: LightChange): MotionSample {
    const atS = atUnixUs / 1e6;
    const scores = blobs.map((blob) => blob.score).sort((a, b) => b - a);
    const [best = 0, ...rest] = scores;
    // A second mover adds to the level, but specks of noise must not add up to one.
    const weight = (best + 0.25 * (rest[0] ?? 0)) / (ORDINARY_SCORE * this.#caution);
    const lightJumped = Math.abs((light.gain - 1) * 128 + light.offset) > SUDDEN_LIGHT;
    if (lightJumped) this.#settlesAtS = Math.max(this.#settlesAtS, atS + SCENE_SETTLES_S);
    const unsettled = atS < this.#settlesAtS;
    const confirmed = atS - this.#weakAtS <= CONFIRM_WITHIN_S;
    if (weight >= 1) this.#weakAtS = atS;
    else this.#weakAtS = -1e9;
    if (this.#moving) this.#moving = weight >= STILL_MOVING;
    else this.#moving = weight >= 1 && (confirmed || weight >= SURE) && !unsettled;
    return this.#sample(atUnixUs, weight / (1 + weight), blobs, this.#moving);
  }

  #sample(atUnixUs: number, level: number, blobs: readonly Blob[], moving: boolean): MotionSample {
    const cells = new Uint8Array(CELL_BYTES);
    for (const blob of blobs) {
      for (const tile of blob.tiles) {
        const cell = this.#grid.cellOf[tile] as number;
        cells[cell >> 3] = (cells[cell >> 3] as number) | (1 << (cell & 7));
      }
    }
    return { atUnixUs, level, cells, moving };
  }
}

/** 0.5 at the highest sensitivity, 1 at the ordinary, 2 at the lowest. */
function cautionOf(sensitivity: number): number {
  return 2 ** (1 - 2 * Math.min(1, Math.max(0, sensitivity)));
}

/** The whole picture is white: it says nothing. */
function isBurntOut(tiles: Float32Array): boolean {
  let burnt = 0;
  for (let tile = 0; tile < tiles.length; tile++)
    if ((tiles[tile] as number) > BURNT_OUT) burnt += 1;
  return burnt > tiles.length * MOST_BURNT_OUT;
}
