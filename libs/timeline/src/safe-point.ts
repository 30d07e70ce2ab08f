// Up to where the index is proven: what was committed later may have lost rows in the middle, since
// a power cut can keep a later page of LevelDB's log without an earlier one.

import { makeKey } from './keys.js';

export const SAFE_POINT_KEY = makeKey('setting', { bytes: Buffer.from('timeline/safe-point') });
/** A chunk may be made this long before its first row is committed. */
const FIRST_ROW_US = 60_000_000;

/** What the chunk rows were at a moment; every row of before is on disk. */
export interface SafePoint {
  readonly highestId: number;
  readonly unsealed: readonly number[];
  /** The process closed the index in order behind it. */
  readonly isClean: boolean;
}

/** Of an index that was just made: nothing is in it, so nothing is proven. */
export const NOTHING_PROVEN: SafePoint = { highestId: -1, unsealed: [], isClean: false };

export function encodeSafePoint(point: SafePoint): Buffer {
  return Buffer.from(JSON.stringify(point));
}

/** Undefined for what is no safe point. */
export function decodeSafePoint(value: Buffer): SafePoint | undefined {
  try {
    const { highestId, unsealed, isClean } = JSON.parse(value.toString()) as Partial<SafePoint>;
    if (typeof highestId !== 'number' || !Array.isArray(unsealed)) return undefined;
    return { highestId, unsealed, isClean: isClean === true };
  } catch {
    return undefined;
  }
}

/** Chunks with a higher id may have been begun behind the safe point; -1 for all. */
export function provenIdOf({ highestId }: SafePoint): number {
  return Math.max(-1, highestId - FIRST_ROW_US);
}
