// What a person should know of a camera that does not do all that was declared, in one sentence.

import type { RecordingMode } from './camera-settings.js';
import { detectorSentence } from './gap-reasons.js';
import type { DetectorState } from './gate.js';
import type { AlarmReport } from './motion-watch.js';

interface Stream {
  /** Why nothing comes. */
  readonly reason: string | undefined;
}

/** Undefined when all is as declared. */
export function cameraSentence(o: {
  readonly main: Stream | undefined;
  readonly sub: Stream | undefined;
  readonly mode: RecordingMode;
  readonly disk: string | undefined;
  readonly alarms: AlarmReport | undefined;
  readonly detector: DetectorState | 'off';
  readonly keepsForDetector: boolean;
  /** Movement is looked for in the main stream. */
  readonly looksInMain: boolean;
}): string | undefined {
  const { main, sub, alarms } = o;
  if (main?.reason !== undefined) return main.reason;
  if (o.disk !== undefined) return o.disk;
  if (o.keepsForDetector) {
    if (alarms !== undefined) {
      return `recording continuously: ${alarms.message ?? 'the camera has not told of its events yet'}`;
    }
    if (sub?.reason !== undefined && !o.looksInMain) {
      return `recording continuously: the sub stream, which motion is looked for in, is away (${sub.reason})`;
    }
    return `recording continuously: the motion detector ${detectorSentence(o.detector)}`;
  }
  if (alarms?.message !== undefined) {
    return `motion is looked for in the picture only: ${alarms.message}`;
  }
  if (sub?.reason !== undefined) {
    const instead = o.looksInMain ? '; motion is looked for in the main stream' : '';
    return `the sub stream: ${sub.reason}${instead}`;
  }
  if (o.mode === 'motion+lowres' && sub === undefined) {
    return 'no sub stream is configured, so only movement is recorded';
  }
  return undefined;
}
