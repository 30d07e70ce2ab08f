// Looks at a camera without adding it, and says in plain words how fit it is for recording.

import { toNightjarError, type Clock, type ErrorCode } from '#base';
import type { VideoCodec } from '#media';
import { probeStream } from '#rtsp';

const PROBE_MS = 5000;
const LONG_GROUP_SECONDS = 4;
/** Refusals that only somebody who was reached can give. */
const ANSWERS: readonly ErrorCode[] = [
  'unauthenticated',
  'permission-denied',
  'not-found',
  'unsupported',
];

export interface ProbedCamera {
  reachable: boolean;
  /** `unusable` has its reason first in `advice`. */
  grade: 'good' | 'usable' | 'unusable';
  advice: string[];
  codec?: VideoCodec;
  width?: number;
  height?: number;
  fps?: number;
  bitrate?: number;
  groupSeconds?: number;
  audio?: string;
  server?: string;
}

/** Never throws for what is wrong with the camera: that is the answer. */
export async function probeCamera(
  source: { readonly url: string; readonly transport: 'tcp' | 'udp' | 'http' },
  clock: Clock,
): Promise<ProbedCamera> {
  try {
    const found = await probeStream({ ...source, durationMs: PROBE_MS, clock });
    const { format, fps, bitrate, groupSeconds, audio, server, keyFrames } = found;
    const advice: string[] = [];
    const broken = keyFrames === 0;
    if (broken) {
      advice.push(
        `no key frame came within ${PROBE_MS / 1000} s: set the key frame interval to 2 s`,
      );
    } else if (groupSeconds === undefined) {
      advice.push('key frames come more than a few seconds apart: set the interval to 2 s');
    } else if (groupSeconds > LONG_GROUP_SECONDS) {
      advice.push(
        `key frames come every ${groupSeconds.toFixed(1)} s: set the interval to 2 s, so that ` +
          'recording and playback begin without delay',
      );
    }
    if (fps > 0 && fps < 5) {
      advice.push(`only ${fps.toFixed(1)} pictures a second come: movement is seen late`);
    }
    if (bitrate > 16_000_000) {
      const megabits = (bitrate / 1e6).toFixed(0);
      advice.push(`${megabits} Mbit/s is much: half of it usually looks the same`);
    }
    if (format.codec === 'h265') {
      advice.push('H.265 is recorded as it is; browsers without it are shown a converted picture');
    }
    const serious = advice.length > (format.codec === 'h265' ? 1 : 0);
    return {
      reachable: true,
      grade: broken ? 'unusable' : serious ? 'usable' : 'good',
      advice,
      codec: format.codec,
      width: format.width,
      height: format.height,
      ...(fps > 0 ? { fps } : {}),
      ...(bitrate > 0 ? { bitrate } : {}),
      ...(groupSeconds === undefined ? {} : { groupSeconds }),
      ...(audio === undefined ? {} : { audio }),
      ...(server === undefined ? {} : { server }),
    };
  } catch (error) {
    const { code, message } = toNightjarError(error);
    const reachable = ANSWERS.includes(code);
    return { reachable, grade: 'unusable', advice: [message] };
  }
}
