// A camera's status in words: its state, why it does or does not record, its stream.

import type { CameraStatus, RecordingMode, TrackStatus } from '#contract';
import { formatBitrate, toSentence } from '../format.js';
import { GAP_STYLE } from '../timeline/gap-style.js';

interface StateWords {
  readonly text: string;
  readonly hint: string;
  readonly level: 'ok' | 'quiet' | 'warn' | 'bad';
}

export function stateWords(status: CameraStatus | undefined): StateWords {
  if (status === undefined) {
    return { text: 'unknown', hint: 'Its recorder has not reported yet.', level: 'quiet' };
  }
  const hint = toSentence(status.reason ?? '');
  switch (status.state) {
    case 'online':
      return status.reason === undefined
        ? { text: 'online', hint: 'Pictures arrive.', level: 'ok' }
        : { text: 'online, not as declared', hint, level: 'warn' };
    case 'connecting':
      return {
        text: 'connecting',
        hint: hint || 'The first picture has not come yet.',
        level: 'warn',
      };
    case 'offline':
      return { text: 'offline', hint: hint || 'The camera does not answer.', level: 'bad' };
    case 'disabled':
      return { text: 'switched off', hint: hint || 'Its recording mode is off.', level: 'quiet' };
  }
}

const MODE_WORDS: Record<RecordingMode, string> = {
  motion: 'on motion',
  'motion+lowres': 'on motion, low resolution always',
  continuous: 'always',
  off: 'off',
};

export function recordingWords(status: CameraStatus | undefined): string {
  if (status === undefined) return 'Not known';
  const { active, mode, reason } = status.recording;
  if (active) return `Recording (${MODE_WORDS[mode]})`;
  if (mode === 'off') return 'Recording is off';
  if (reason === 'no-motion') return 'Waiting for motion';
  if (reason === 'restart') return 'Starting';
  return reason === undefined
    ? 'Not recording'
    : `Not recording: ${GAP_STYLE[reason].label.toLowerCase()}`;
}

const CODECS: Record<NonNullable<TrackStatus['codec']>, string> = {
  h264: 'H.264',
  h265: 'H.265',
  aac: 'AAC',
  pcmu: 'G.711 µ-law',
  pcma: 'G.711 A-law',
  opus: 'Opus',
};

/** `1920×1080 · 25 fps · H.264 · 4.1 Mbit/s`, as far as it is known. */
export function streamWords(stream: {
  codec?: TrackStatus['codec'];
  width?: number | undefined;
  height?: number | undefined;
  fps?: number | undefined;
  bitrate?: number | undefined;
}): string {
  const parts: string[] = [];
  if (stream.width !== undefined && stream.height !== undefined) {
    parts.push(`${stream.width}×${stream.height}`);
  }
  if (stream.fps !== undefined) parts.push(`${Math.round(stream.fps * 10) / 10} fps`);
  if (stream.codec !== undefined) parts.push(CODECS[stream.codec]);
  if (stream.bitrate !== undefined) parts.push(formatBitrate(stream.bitrate));
  return parts.join(' · ');
}

/** `AAC · 44.1 kHz · stereo · 64 kbit/s`, or why there is no sound. */
export function soundWords(track: TrackStatus): string {
  if (track.codec === undefined) return track.reason ?? track.encoding ?? 'nothing yet';
  const parts = [CODECS[track.codec]];
  if (track.sampleRate !== undefined) parts.push(`${track.sampleRate / 1000} kHz`);
  if (track.channels !== undefined && track.channels < 3) {
    parts.push(track.channels === 1 ? 'mono' : 'stereo');
  }
  if (track.bitrate !== undefined) parts.push(formatBitrate(track.bitrate));
  return parts.join(' · ');
}

/** Whether recordings are heard: whatever is recorded is. */
export const hasSound = (status: CameraStatus | undefined): boolean =>
  status?.tracks.some(({ track, codec }) => track === 'audio' && codec !== undefined) ?? false;

/** What a picture says while the camera is offline: its recorder knows best. */
export const offlineReason = (status: CameraStatus | undefined): string | undefined =>
  status?.state === 'offline' && status.reason !== undefined
    ? toSentence(status.reason)
    : undefined;
