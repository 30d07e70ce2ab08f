// Which rendition is asked for, and which codec the browser can play from the past.

import type { Rendition, VideoCodec } from '#contract';

export type RenditionChoice = 'auto' | 'source' | '480p';

/** The rendition that plays whatever the camera sends. */
export const SAFE_RENDITION: Rendition = '480p';

export function firstRendition(choice: RenditionChoice, sourcePlays: boolean): Rendition {
  if (choice === 'auto') return sourcePlays ? 'source' : SAFE_RENDITION;
  return choice;
}

const PROBE: Record<VideoCodec, string> = {
  h264: 'video/mp4; codecs="avc1.640028"',
  h265: 'video/mp4; codecs="hvc1.1.6.L120.90"',
};

/** True also when nothing is known: trying is the better test. */
export function sourcePlays(codec: VideoCodec | undefined): boolean {
  if (codec === undefined || !('MediaSource' in globalThis)) return true;
  return MediaSource.isTypeSupported(PROBE[codec]);
}
