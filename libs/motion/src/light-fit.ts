// Finds how the light of a whole picture changed: the gain and offset that most tiles share.

export interface LightChange {
  readonly gain: number;
  readonly offset: number;
}

export const SAME_LIGHT: LightChange = { gain: 1, offset: 0 };

/** Of all tiles that are looked at, this many must agree, else nothing is known. */
const LEAST_AGREEMENT = 0.5;
/** Burnt-out tiles say nothing about gain. */
const BURNT_OUT = 233;
const LEAST_SPREAD = 4;
const PASSES = 3;
/** Of many tiles, one of seven is enough; a prime, so that they make no columns. */
const MANY_TILES = 1500;
const TILE_STRIDE = 7;
/** Differences are counted in quarters of a luma step. */
const BINS_PER_STEP = 4;
const BINS = 511 * BINS_PER_STEP + 1;
const histogram = new Int32Array(BINS);

/**
 * Robust against movers on less than half of the picture: starts from the medians of the darker and
 * the brighter half, then drops what does not fit. `left` marks tiles to leave out. Undefined when
 * less than half of the tiles share one change.
 */
export function fitLight(
  now: Float32Array,
  before: Float32Array,
  left: Uint8Array,
): LightChange | undefined {
  const count = now.length;
  const stride = count > MANY_TILES ? TILE_STRIDE : 1;
  let sum = 0;
  let used = 0;
  for (let tile = 0; tile < count; tile += stride) {
    if (left[tile] === 1 || (now[tile] as number) > BURNT_OUT) continue;
    sum += before[tile] as number;
    used += 1;
  }
  if (used * stride < count / 8) return undefined;
  const middle = sum / used;
  const half = (bright: boolean) => {
    histogram.fill(0);
    let members = 0;
    let beforeSum = 0;
    for (let tile = 0; tile < count; tile += stride) {
      const was = before[tile] as number;
      const is = now[tile] as number;
      if (left[tile] === 1 || is > BURNT_OUT || was > middle !== bright) continue;
      const bin = Math.round((is - was + 255) * BINS_PER_STEP);
      const held = Math.min(BINS - 1, Math.max(0, bin));
      histogram[held] = (histogram[held] as number) + 1;
      members += 1;
      beforeSum += was;
    }
    let bin = 0;
    for (let seen = 0; bin < BINS - 1; bin++) {
      seen += histogram[bin] as number;
      if (seen * 2 >= members) break;
    }
    return { members, mean: beforeSum / Math.max(1, members), step: bin / BINS_PER_STEP - 255 };
  };
  const dark = half(false);
  const bright = half(true);
  let gain = 1;
  let offset = (dark.step + bright.step) / 2;
  if (dark.members > 0 && bright.members > 0 && bright.mean - dark.mean > LEAST_SPREAD) {
    gain = 1 + (bright.step - dark.step) / (bright.mean - dark.mean);
    offset = dark.step - (gain - 1) * dark.mean;
  }
  let agreeing = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    // A large change of light is never quite linear: the larger, the more may be off. What is off
    // by more is dropped pass by pass, because the first guess is a rough one.
    const slack = (PASSES - pass) * (1.5 + 0.12 * Math.abs((gain - 1) * middle + offset));
    let n = 0;
    let x = 0;
    let y = 0;
    let xx = 0;
    let xy = 0;
    for (let tile = 0; tile < count; tile += stride) {
      const is = now[tile] as number;
      if (left[tile] === 1 || is > BURNT_OUT) continue;
      const was = before[tile] as number;
      if (Math.abs(is - gain * was - offset) > slack) continue;
      n += 1;
      x += was;
      y += is;
      xx += was * was;
      xy += was * is;
    }
    agreeing = n;
    if (n < used * LEAST_AGREEMENT) return undefined;
    const variance = xx / n - (x / n) ** 2;
    if (variance > LEAST_SPREAD * LEAST_SPREAD) {
      gain = (xy / n - (x / n) * (y / n)) / variance;
      offset = y / n - gain * (x / n);
    } else {
      // A picture without contrast: any gain would fit, so only an offset is believed.
      gain = 1;
      offset = y / n - x / n;
    }
  }
  if (agreeing < used * LEAST_AGREEMENT || gain < 0.2 || gain > 5) return undefined;
  return { gain, offset };
}
