// What a live view says when it has no picture: what is wrong, and what to do about it.

import type { CameraState, VideoCodec } from '#contract';
import { toSentence } from '../format.js';

export type LiveView =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'playing' }
  | { readonly kind: 'camera'; readonly state: CameraState; readonly reason?: string | undefined }
  | { readonly kind: 'unsupported'; readonly codec: VideoCodec }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed'; readonly text: string };

interface LiveWords {
  readonly title: string;
  readonly detail?: string | undefined;
}

const CODEC_NAME: Record<VideoCodec, string> = { h264: 'H.264', h265: 'H.265' };

/** Undefined while there is a picture. */
export function liveWords(view: LiveView): LiveWords | undefined {
  switch (view.kind) {
    case 'playing':
      return undefined;
    case 'connecting':
      return { title: 'Connecting' };
    case 'camera':
      return cameraWords(view.state, view.reason);
    case 'unsupported':
      return {
        title: `This browser cannot show ${CODEC_NAME[view.codec]} live`,
        detail:
          'It is recorded as it is, and its past plays here converted. To watch it live, use a browser with H.265 (Safari, or Chrome with a graphics card that decodes it) or give the camera an H.264 sub stream.',
      };
    case 'stalled':
      return {
        title: 'No new picture',
        detail: 'The last picture is old. Waiting for the camera.',
      };
    case 'lost':
      return { title: 'Lost the server', detail: 'Trying again. Check the network if this stays.' };
    case 'failed':
      return { title: 'No picture', detail: view.text };
  }
}

function cameraWords(state: CameraState, told: string | undefined): LiveWords {
  const reason = told === undefined ? undefined : toSentence(told);
  switch (state) {
    case 'online':
      return { title: 'Waiting for the first picture', detail: reason };
    case 'connecting':
      return { title: 'Connecting to the camera', detail: reason };
    case 'offline':
      return { title: 'Offline', detail: reason ?? 'The camera does not answer. Check its power.' };
    case 'disabled':
      return { title: 'Switched off', detail: reason ?? 'Recording mode is off.' };
  }
}
