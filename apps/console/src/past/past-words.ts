// What playback says when it cannot go on.

import type { Rendition } from '#contract';
import { problemToError } from '../api/problem.js';

/** hls.js details that mean: this browser has no decoder for what came. */
const CODEC_DETAILS = new Set([
  'bufferAddCodecError',
  'bufferIncompatibleCodecsError',
  'manifestIncompatibleCodecsError',
  'fragParsingError',
  'bufferAppendError',
]);

export const isCodecTrouble = (details: string): boolean => CODEC_DETAILS.has(details);

export interface PlaybackFault {
  readonly details: string;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  readonly rendition: Rendition;
}

export function playbackFaultText(fault: PlaybackFault): string {
  if (isCodecTrouble(fault.details)) {
    return fault.rendition === 'source'
      ? 'This browser cannot play the camera’s own stream. Choose 480p or Auto.'
      : `The ${fault.rendition} picture could not be decoded. Choose another quality, or download the clip.`;
  }
  if (fault.status !== undefined && fault.status >= 400) {
    let body: unknown;
    try {
      body = JSON.parse(fault.body ?? '');
    } catch {
      body = undefined;
    }
    return problemToError(fault.status, body).message;
  }
  if (/TimeOut$/.test(fault.details)) {
    return 'The recording did not arrive in time. The recorder may be busy or its disk slow; try again.';
  }
  return 'The recording cannot be fetched: the server does not answer. Check the network, then press play.';
}
