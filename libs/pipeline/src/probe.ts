// Looks at a camera without adding it, and says in plain words how fit it is for recording.

import { toNightjarError, type Clock, type ErrorCode } from '#base';
import type { VideoCodec } from '#media';
import { probeStream, type GroupLengths, type StreamProbe } from '#rtsp';
import { clockItem, gradeStream, type DeclaredSettings, type GradedItem } from './probe-grades.js';
import type { CameraSettings } from './camera-settings.js';

/** Long enough for two groups of 7 s; a camera with short ones is let go sooner. */
const PROBE_MS = 15_000;
const ENOUGH_MS = 5000;
/** Refusals that only somebody who was reached can give. */
const ANSWERS: readonly ErrorCode[] = [
  'unauthenticated',
  'permission-denied',
  'not-found',
  'unsupported',
];

export interface ProbeSource extends DeclaredSettings {
  readonly url: string;
  readonly transport: CameraSettings['transport'];
  /** The camera's clock minus ours, where it told it by other means; else its sender reports count. */
  readonly clockOffsetMs?: number | undefined;
}

export interface ProbedCamera {
  reachable: boolean;
  /** `unusable` has its reason first in `advice`. */
  grade: 'good' | 'usable' | 'unusable';
  advice: string[];
  items: GradedItem[];
  /** Why nothing could be measured. */
  refusal?: ErrorCode;
  codec?: VideoCodec;
  codecString?: string;
  width?: number;
  height?: number;
  fps?: number;
  declaredFps?: number;
  bitrate?: number;
  peakBitrate?: number;
  groupSeconds?: number;
  groups?: GroupLengths;
  audio?: string;
  audioRate?: number;
  clockOffsetMs?: number;
  hasBFrames?: boolean;
  server?: string;
}

/** Never throws for what is wrong with the camera: that is the answer. */
export async function probeCamera(source: ProbeSource, clock: Clock): Promise<ProbedCamera> {
  const { url, transport } = source;
  try {
    const limits = { durationMs: PROBE_MS, enoughMs: ENOUGH_MS };
    return gradeProbe(await probeStream({ url, transport, ...limits, clock }), source);
  } catch (error) {
    const { code, message } = toNightjarError(error);
    const reachable = ANSWERS.includes(code);
    const items = clockItem(source.clockOffsetMs);
    return { reachable, grade: 'unusable', advice: [message], items, refusal: code };
  }
}

export function gradeProbe(
  found: StreamProbe,
  source: Pick<ProbeSource, 'clockOffsetMs' | 'groupFrames' | 'fps'> = {},
): ProbedCamera {
  const clockOffsetMs = source.clockOffsetMs ?? found.clockOffsetMs;
  const told = clockOffsetMs === undefined ? {} : { clockOffsetMs };
  const items = gradeStream({ ...found, ...told }, source);
  const declaredFps = source.fps ?? found.format.nominalFps;
  const { format, fps, bitrate, peakBitrate, groupSeconds, groups, audio, audioRate } = found;
  return {
    reachable: true,
    grade: overall(found, items),
    advice: inOrder(items).flatMap(({ advice }) => (advice === undefined ? [] : [advice])),
    items,
    codec: format.codec,
    codecString: format.codecString,
    width: format.width,
    height: format.height,
    ...(fps > 0 ? { fps } : {}),
    ...(declaredFps === undefined ? {} : { declaredFps }),
    ...(bitrate > 0 ? { bitrate, peakBitrate } : {}),
    ...(groupSeconds === undefined ? {} : { groupSeconds }),
    ...(groups === undefined ? {} : { groups }),
    ...(audio === undefined ? {} : { audio }),
    ...(audioRate === undefined ? {} : { audioRate }),
    ...told,
    hasBFrames: found.hasBFrames,
    ...(found.server === undefined ? {} : { server: found.server }),
  };
}

/** Without a key frame nothing can be recorded. */
function overall({ keyFrames }: StreamProbe, items: readonly GradedItem[]): ProbedCamera['grade'] {
  if (keyFrames === 0) return 'unusable';
  return items.every(({ grade }) => grade === 'good') ? 'good' : 'usable';
}

/** The worst first. */
function inOrder(items: readonly GradedItem[]): GradedItem[] {
  const rank = { poor: 0, fair: 1, good: 2 };
  return [...items].sort((a, b) => rank[a.grade] - rank[b.grade]);
}
