import { watchedTiles } from './regions.js';
import { TileGrid } from './tile-grid.js';

/** Averages of the rows that the grid reads, in the slowest and plainest way. */
function averages(grid: TileGrid, plane: Uint8Array, stride: number, rowStep: number): number[] {
  return Array.from({ length: grid.count }, (_, tile) => {
    const left = (tile % grid.columns) * grid.tilePx;
    const top = Math.floor(tile / grid.columns) * grid.tilePx;
    let sum = 0;
    let pixels = 0;
    for (let y = 0; y < grid.tilePx; y += rowStep) {
      for (let x = 0; x < grid.tilePx; x++, pixels++) {
        sum += plane[(top + y) * stride + left + x] ?? 0;
      }
    }
    return sum / pixels;
  });
}

const pattern = (length: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + at / 97) % 256);

describe('TileGrid', () => {
  test.each([
    [320, 180, 320, 4, 1],
    [352, 288, 384, 4, 1],
    [640, 360, 640, 8, 2],
    [768, 576, 800, 8, 2],
    [1280, 96, 1280, 16, 2],
    [360, 640, 384, 8, 2],
    [3840, 160, 3840, 40, 5],
    [8192, 352, 8192, 88, 11],
  ])('averages the tiles of %dx%d', (...[width, height, stride, tilePx, rowStep]) => {
    const grid = new TileGrid(width, height);
    expect(grid.tilePx).toBe(tilePx);
    const plane = pattern(stride * height);
    const tiles = new Float32Array(grid.count);
    grid.reduce(plane, stride, tiles);
    const expected = Float32Array.from(averages(grid, plane, stride, rowStep));
    expect(tiles.every((value, tile) => Math.abs(value - (expected[tile] ?? -1)) < 0.01)).toBe(
      true,
    );
  });

  test('does not overflow on white', () => {
    for (const [width, height] of [[320, 180] as const, [8192, 352] as const]) {
      const grid = new TileGrid(width, height);
      const tiles = new Float32Array(grid.count);
      grid.reduce(new Uint8Array(width * height).fill(255), width, tiles);
      expect(new Set(tiles)).toEqual(new Set([255]));
    }
  });

  test('reads planes that are not aligned, and deeper samples', () => {
    const grid = new TileGrid(320, 180);
    const aligned = pattern(320 * 180);
    const expected = new Float32Array(grid.count);
    grid.reduce(aligned, 320, expected);
    const shifted = new Uint8Array(320 * 180 + 1);
    shifted.set(aligned, 1);
    const tiles = new Float32Array(grid.count);
    grid.reduce(shifted.subarray(1), 320, tiles);
    expect(tiles).toEqual(expected);
    const deep = new Uint8Array(Uint16Array.from(aligned, (value) => value * 4).buffer);
    grid.reduceDeep(deep, 640, tiles, 1 / 4);
    expect(tiles).toEqual(expected);
  });

  test('covers every report cell', () => {
    for (const [width, height] of [
      [320, 180] as const,
      [768, 576] as const,
      [4000, 3000] as const,
    ]) {
      expect(new Set(new TileGrid(width, height).cellOf).size).toBe(144);
    }
  });

  test('refuses pictures that are too small to be looked at', () => {
    expect(() => new TileGrid(8, 8)).toThrow(/16x16/);
    expect(() => new TileGrid(0, 0)).toThrow(/16x16/);
  });
});

describe('watchedTiles', () => {
  const grid = new TileGrid(320, 180);
  const share = (watched: Uint8Array) => watched.reduce((sum, tile) => sum + tile, 0) / grid.count;
  const leftHalf = [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ] as const;

  test('is everything without zones', () => {
    expect(share(watchedTiles(grid, { sensitivity: 0.5 }))).toBe(1);
    expect(share(watchedTiles(grid, { sensitivity: 0.5, zones: [], masks: [] }))).toBe(1);
  });

  test('is what zones hold, less what masks hold', () => {
    expect(share(watchedTiles(grid, { sensitivity: 0.5, zones: [leftHalf] }))).toBeCloseTo(0.5, 2);
    expect(share(watchedTiles(grid, { sensitivity: 0.5, masks: [leftHalf] }))).toBeCloseTo(0.5, 2);
    const both = watchedTiles(grid, { sensitivity: 0.5, zones: [leftHalf], masks: [leftHalf] });
    expect(share(both)).toBe(0);
  });

  test('follows corners that go inwards', () => {
    const bite = [
      [0, 0],
      [1, 0],
      [0.5, 0.5],
      [1, 1],
      [0, 1],
    ] as const;
    const watched = watchedTiles(grid, { sensitivity: 0.5, zones: [bite] });
    const middleRight = Math.floor(grid.rows / 2) * grid.columns + grid.columns - 2;
    expect(watched[middleRight]).toBe(0);
    expect(watched[Math.floor(grid.rows / 2) * grid.columns + 2]).toBe(1);
  });
});
