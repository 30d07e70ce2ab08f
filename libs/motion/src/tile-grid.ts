// Reduces a luma plane to the averages of its tiles.

import { NightjarError } from '#base';
import { CELL_COLUMNS, CELL_ROWS } from './channel-types.js';

/** Tiles across the longer side; finer would cost more and average less noise away. */
const MOST_TILES_ACROSS = 96;
const LEAST_TILE_PX = 4;
/** Pixel rows read per large tile: more would make the average dearer, but hardly better. */
const ROWS_READ_PER_TILE = 8;

/** Tiles of 8 pixels and more are read by every second row, large ones by fewer. */
function rowStep(tilePx: number): number {
  return tilePx < 8 ? 1 : Math.max(2, Math.floor(tilePx / ROWS_READ_PER_TILE));
}

/** Where the tiles of one picture size lie. Pixels that fill no whole tile are left out. */
export class TileGrid {
  readonly width: number;
  readonly height: number;
  readonly tilePx: number;
  readonly columns: number;
  readonly rows: number;
  readonly count: number;
  /** The report cell of each tile, by the tile's middle. */
  readonly cellOf: Uint8Array;

  /** Throws `unsupported` for pictures with less than 4x4 tiles of 4x4 pixels. */
  constructor(width: number, height: number) {
    const wanted = Math.max(width, height) / MOST_TILES_ACROSS;
    this.width = width;
    this.height = height;
    this.tilePx = Math.max(LEAST_TILE_PX, Math.ceil(wanted / 4) * 4);
    this.columns = Math.floor(width / this.tilePx);
    this.rows = Math.floor(height / this.tilePx);
    this.count = this.columns * this.rows;
    if (!(this.columns >= 4 && this.rows >= 4)) {
      throw new NightjarError('unsupported', 'expected a picture of 16x16 pixels or more', {
        width,
        height,
      });
    }
    this.cellOf = new Uint8Array(this.count);
    for (let tile = 0; tile < this.count; tile++) {
      const x = (((tile % this.columns) + 0.5) * this.tilePx) / width;
      const y = ((Math.floor(tile / this.columns) + 0.5) * this.tilePx) / height;
      this.cellOf[tile] = Math.floor(y * CELL_ROWS) * CELL_COLUMNS + Math.floor(x * CELL_COLUMNS);
    }
  }

  /** Writes the averages (0..255) of an 8-bit plane into `into`, which has `count` places. */
  reduce(plane: Uint8Array, strideBytes: number, into: Float32Array): void {
    if (plane.byteOffset % 4 === 0 && strideBytes % 4 === 0) {
      this.#reduceWords(plane, strideBytes, into);
    } else {
      this.#reduceSamples(plane, strideBytes, into, 1);
    }
  }

  /** As `reduce`, for little-endian samples of 9 to 16 bits; `scale` brings them to 0..255. */
  reduceDeep(plane: Uint8Array, strideBytes: number, into: Float32Array, scale: number): void {
    const samples = new Uint16Array(plane.buffer, plane.byteOffset, plane.length >> 1);
    this.#reduceSamples(samples, strideBytes >> 1, into, scale);
  }

  /** Four pixels at once: a word's bytes are summed in 16-bit lanes, folded once per tile. */
  #reduceWords(plane: Uint8Array, strideBytes: number, into: Float32Array): void {
    const words = new Int32Array(plane.buffer, plane.byteOffset, plane.length >> 2);
    const { columns, rows, tilePx } = this;
    const wordsPerTile = tilePx >> 2;
    const step = rowStep(tilePx);
    const lines = Math.ceil(tilePx / step);
    const stride = strideBytes >> 2;
    const lineStride = stride * step;
    const scale = 1 / (lines * tilePx);
    for (let row = 0, tile = 0; row < rows; row++) {
      let first = row * tilePx * stride;
      for (let column = 0; column < columns; column++, tile++) {
        let even = 0;
        let odd = 0;
        for (const end = first + wordsPerTile; first < end; first++) {
          for (let line = 0, at = first; line < lines; line++, at += lineStride) {
            const word = words[at] as number;
            even = (even + (word & 0x00ff00ff)) | 0;
            odd = (odd + ((word >>> 8) & 0x00ff00ff)) | 0;
          }
        }
        into[tile] = ((even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16)) * scale;
      }
    }
  }

  #reduceSamples(
    samples: Uint8Array | Uint16Array,
    stride: number,
    into: Float32Array,
    scale: number,
  ): void {
    const { columns, rows, tilePx } = this;
    const step = rowStep(tilePx);
    const perTile = scale / (Math.ceil(tilePx / step) * tilePx);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let line = 0; line < tilePx; line += step) {
          let at = (row * tilePx + line) * stride + column * tilePx;
          for (const end = at + tilePx; at < end; at++) sum += samples[at] as number;
        }
        into[row * columns + column] = sum * perTile;
      }
    }
  }
}
