// Which of a camera's profiles are its main and its sub stream.

import type { OnvifProfile } from './onvif-camera.js';

export interface StreamChoice {
  readonly main: OnvifProfile;
  readonly sub?: OnvifProfile;
}

/** What the wall and detection want to see. */
const SUB_PIXELS = 640 * 360;
const LEAST_SUB_FPS = 5;

/**
 * Main is the largest H.264 or H.265 picture; sub, of the same lens, is the one nearest to 640x360
 * that is smaller and has at least five pictures a second. Undefined without a profile that can be
 * recorded. A profile that does not tell its codec or size is taken only for lack of better.
 */
export function chooseStreams(profiles: readonly OnvifProfile[]): StreamChoice | undefined {
  const usable = profiles.filter(
    ({ codec }) => codec === undefined || /^(h\.?26[45]|hevc)$/i.test(codec),
  );
  const [main] = [...usable].sort(
    (a, b) => pixelsOf(b) - pixelsOf(a) || (b.fps ?? 0) - (a.fps ?? 0),
  );
  if (main === undefined) return undefined;
  const [sub] = usable
    .filter(
      (one) =>
        one.streamUrl !== main.streamUrl &&
        one.source === main.source &&
        pixelsOf(one) > 0 &&
        pixelsOf(one) < pixelsOf(main) &&
        (one.fps ?? LEAST_SUB_FPS) >= LEAST_SUB_FPS,
    )
    .sort((a, b) => distanceOf(a) - distanceOf(b));
  return sub === undefined ? { main } : { main, sub };
}

function pixelsOf({ width = 0, height = 0 }: OnvifProfile): number {
  return width * height;
}

/** In powers of the size, so that half and double are as far away. */
function distanceOf(profile: OnvifProfile): number {
  return Math.abs(Math.log(pixelsOf(profile) / SUB_PIXELS));
}
