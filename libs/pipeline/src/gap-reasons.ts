// The words for what is wrong: of a stream's end, of a disk, of a detector.

import type { StreamEndReason } from '#rtsp';
import type { GapReason } from './gap-ledger.js';
import type { DetectorState } from './gate.js';
import type { DiskFailure } from './track-flush.js';

export function gapReasonOf(reason: StreamEndReason): GapReason {
  switch (reason) {
    case 'authentication':
    case 'unsupported-stream':
      return reason;
    case 'timeout':
    case 'stalled':
      return 'network';
    case 'stopped':
      return 'restart';
    default:
      return 'camera-down';
  }
}

export function isOutage(reason: GapReason | undefined): boolean {
  return reason === 'camera-down' || reason === 'network';
}

export function diskSentence(failure: DiskFailure, message: string): string {
  if (failure === 'disk-too-slow') return message;
  return `${failure === 'disk-full' ? 'disk full' : 'disk error'}: ${message}`;
}

export function detectorSentence(state: DetectorState | 'off'): string {
  if (state === 'off') return 'is switched off';
  if (state === 'failed') return 'failed and is being restarted';
  return state === 'behind' ? 'cannot keep up' : 'has not begun yet';
}
