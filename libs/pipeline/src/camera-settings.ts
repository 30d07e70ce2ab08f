// What a recorder is told of a camera: plain values, mapped from the contract by the app.

import type { MotionPolygon } from '#motion';
import type { OnvifAccess } from './camera-alarms.js';
import type { RetentionPolicy } from './retention-policy.js';

export type RecordingMode = 'motion' | 'motion+lowres' | 'continuous' | 'off';

/** `onvif` is the camera's own word; `off` looks for no movement. */
export type MotionSource = 'video' | 'onvif' | 'both' | 'off';

export interface CameraSettings {
  readonly id: string;
  readonly name: string;
  /** With credentials. */
  readonly streams: { readonly main: string; readonly sub?: string | undefined };
  readonly transport: 'tcp' | 'udp' | 'http';
  readonly recording: {
    readonly mode: RecordingMode;
    readonly preRollSeconds: number;
    readonly postRollSeconds: number;
    /** Minutes from Monday 00:00 in the recorder's time zone; the last entry that fits counts. */
    readonly schedule?: readonly ScheduleEntry[] | undefined;
  };
  readonly retention: RetentionPolicy;
  readonly motion: {
    /** `video` when absent. */
    readonly source?: MotionSource | undefined;
    readonly sensitivity: number;
    readonly zones?: readonly MotionPolygon[] | undefined;
    readonly masks?: readonly MotionPolygon[] | undefined;
  };
  /** Where the camera's own events are asked for. */
  readonly onvif?: OnvifAccess | undefined;
  /** No longer recorded; its footage stays until it expires. */
  readonly removed?: boolean | undefined;
  /** As `removed`, but another recorder has the camera now. */
  readonly moved?: boolean | undefined;
}

export interface ScheduleEntry {
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly mode: RecordingMode;
}

/** The mode that holds at a moment, by the week of the recorder's time zone. */
export function modeAt(recording: CameraSettings['recording'], unixMs: number): RecordingMode {
  if (recording.schedule === undefined || recording.schedule.length === 0) return recording.mode;
  const date = new Date(unixMs);
  const minute = ((date.getDay() + 6) % 7) * 1440 + date.getHours() * 60 + date.getMinutes();
  const entry = recording.schedule.findLast(
    ({ fromMinute, toMinute }) => fromMinute <= minute && minute < toMinute,
  );
  return entry?.mode ?? recording.mode;
}
