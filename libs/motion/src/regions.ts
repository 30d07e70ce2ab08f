// Turns zones and masks into the tiles that count.

import type { MotionPolygon, MotionSettings } from './channel-types.js';
import type { TileGrid } from './tile-grid.js';

/** Points per tile side at which a polygon is tested. */
const POINTS = 4;
const POINTS_PER_TILE = POINTS * POINTS;
/** A zone takes a tile with a quarter of its points; a mask takes it away with as few. */
const ENOUGH_POINTS = POINTS_PER_TILE / 4;

/** One per tile that counts, zero per tile that does not. */
export function watchedTiles(grid: TileGrid, settings: MotionSettings): Uint8Array {
  const watched = new Uint8Array(grid.count);
  const zones = settings.zones ?? [];
  const masks = settings.masks ?? [];
  for (let tile = 0; tile < grid.count; tile++) {
    const inZone = zones.length === 0 || pointsInside(grid, tile, zones) >= ENOUGH_POINTS;
    const masked = masks.length > 0 && pointsInside(grid, tile, masks) >= ENOUGH_POINTS;
    watched[tile] = inZone && !masked ? 1 : 0;
  }
  return watched;
}

function pointsInside(grid: TileGrid, tile: number, polygons: readonly MotionPolygon[]): number {
  const left = (tile % grid.columns) * grid.tilePx;
  const top = Math.floor(tile / grid.columns) * grid.tilePx;
  let inside = 0;
  for (let point = 0; point < POINTS_PER_TILE; point++) {
    const x = (left + (((point % POINTS) + 0.5) * grid.tilePx) / POINTS) / grid.width;
    const y = (top + ((Math.floor(point / POINTS) + 0.5) * grid.tilePx) / POINTS) / grid.height;
    if (polygons.some((polygon) => isInside(polygon, x, y))) inside += 1;
  }
  return inside;
}

/** Even-odd rule. */
function isInside(polygon: MotionPolygon, x: number, y: number): boolean {
  let inside = false;
  let [lastX, lastY] = polygon.at(-1) ?? [0, 0];
  for (const [cornerX, cornerY] of polygon) {
    if (cornerY > y !== lastY > y) {
      const crossing = ((lastX - cornerX) * (y - cornerY)) / (lastY - cornerY) + cornerX;
      if (x < crossing) inside = !inside;
    }
    [lastX, lastY] = [cornerX, cornerY];
  }
  return inside;
}
