// One channel inside the detector process: its decoder, its model of the scene, its answers.

import { messageOf } from '#base';
import type { MotionSample, MotionSettings } from './channel-types.js';
import { LumaDecoder, type Luma } from './luma-decoder.js';
import { MotionAnalyzer } from './motion-analyzer.js';
import { TileGrid } from './tile-grid.js';
import { IS_KEY, LAST_OF_GROUP, LOOK, LOOP_FILTER, type WireFormat } from './wire.js';

/** Pictures that are in the decoder at the same time; more would be a broken stream. */
const MOST_PENDING = 64;
const TEN_TO_EIGHT_BITS = 1 / 4;

export interface DetectorChannelOutput {
  sample(sample: MotionSample): void;
  undecodable(frames: number): void;
}

interface Scene {
  readonly grid: TileGrid;
  readonly tiles: Float32Array;
  readonly analyzer: MotionAnalyzer;
}

export class DetectorChannel {
  readonly #output: DetectorChannelOutput;
  #settings: MotionSettings;
  #decoder: LumaDecoder | undefined;
  #codec: WireFormat['codec'] | undefined;
  #scene: Scene | undefined;
  /** Flags by presentation time, for pictures that come out later than they went in. */
  readonly #pending = new Map<bigint, number>();

  constructor(settings: MotionSettings, output: DetectorChannelOutput) {
    this.#settings = settings;
    this.#output = output;
  }

  setSettings(settings: MotionSettings): void {
    this.#settings = settings;
    this.#scene?.analyzer.setSettings(settings);
  }

  /** What is known of the scene is kept as long as the picture has the same size. */
  async setFormat(format: WireFormat): Promise<void> {
    this.#pending.clear();
    const before = this.#decoder;
    if (before !== undefined && this.#codec === format.codec) {
      // Every key frame brings its parameter sets, so the decoder itself need not be a new one.
      before.flush();
      return;
    }
    this.#decoder = undefined;
    before?.close();
    this.#codec = format.codec;
    this.#decoder = await LumaDecoder.open(
      format.codec,
      Buffer.from(format.parameterSets, 'base64'),
    );
  }

  frame(flags: number, atUnixUs: number, data: Buffer): void {
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#output.undecodable(1);
    if ((flags & IS_KEY) !== 0) decoder.setLoopFilter((flags & LOOP_FILTER) !== 0);
    if (this.#pending.size >= MOST_PENDING) this.#pending.clear();
    const onPicture = (luma: Luma) => this.#look(luma);
    if (data.length > 0) this.#decode(decoder, flags, { atUnixUs, data, onPicture });
    if ((flags & LAST_OF_GROUP) !== 0) {
      decoder.drain(onPicture);
      this.#pending.clear();
    }
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
  }

  #decode(
    decoder: LumaDecoder,
    flags: number,
    o: { atUnixUs: number; data: Buffer; onPicture: (luma: Luma) => void },
  ): void {
    const pts = BigInt(Math.round(o.atUnixUs));
    this.#pending.set(pts, flags);
    if (!decoder.decode(o.data, pts, o.onPicture)) {
      this.#pending.delete(pts);
      this.#output.undecodable(1);
    }
  }

  #look(luma: Luma): void {
    const flags = this.#pending.get(luma.pts);
    this.#pending.delete(luma.pts);
    if (flags === undefined || (flags & LOOK) === 0) return;
    const scene = this.#sceneOf(luma);
    if (scene === undefined) return this.#output.undecodable(1);
    if (luma.bits === 8) scene.grid.reduce(luma.plane, luma.strideBytes, scene.tiles);
    else scene.grid.reduceDeep(luma.plane, luma.strideBytes, scene.tiles, TEN_TO_EIGHT_BITS);
    const key = (flags & IS_KEY) !== 0;
    this.#output.sample(scene.analyzer.analyze(scene.tiles, key, Number(luma.pts)));
  }

  /** By the size of the picture itself: what a format says of it may be wrong. */
  #sceneOf({ width, height }: Luma): Scene | undefined {
    const known = this.#scene;
    if (known !== undefined && known.grid.width === width && known.grid.height === height) {
      return known;
    }
    try {
      const grid = new TileGrid(width, height);
      const analyzer = new MotionAnalyzer(grid, this.#settings);
      this.#scene = { grid, tiles: new Float32Array(grid.count), analyzer };
    } catch (error) {
      process.stderr.write(`detector: ${messageOf(error)}: ${width}x${height}\n`);
      this.#scene = undefined;
    }
    return this.#scene;
  }
}
