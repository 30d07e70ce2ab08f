// The only room where camera, disk and viewer meet. Ingest lays what a camera sends into records, a
// gate decides what is kept, a flush makes it safe and then indexed, a ledger gives every missing
// second its reason; retention deletes, playback and live hand out. A Recorder owns all of it (see
// LIFETIME.md). It decodes no picture, speaks no HTTP and knows nothing of users.

export type {
  AlarmListener,
  AlarmState,
  CameraAlarms,
  OnvifAccess,
  OpenAlarms,
} from './camera-alarms.js';
export type { CameraSettings, RecordingMode, ScheduleEntry } from './camera-settings.js';
export type { AskElsewhere, Elsewhere } from './camera-share.js';
export type { CameraEvent, CameraReport, VideoTrack } from './camera.js';
export type { Period } from './footage.js';
export type { GapReason } from './gap-ledger.js';
export {
  watchLive,
  type LiveFormat,
  type LiveOptions,
  type LivePart,
  type LiveViewer,
} from './live.js';
export { Playback, type Clip, type ClipGap, type SliceAddress, type Still } from './playback.js';
export { probeCamera, type ProbedCamera } from './probe.js';
export type { AudioReport, TrackReport } from './track-report.js';
export { Recorder, type RecorderOptions, type RecorderSettings } from './recorder.js';
export { reportStorage, type StorageReport } from './storage-report.js';
export { retentionEffect, type RetentionEffect } from './retention-effect.js';
export type { NextDeletion } from './next-deletions.js';
export { watermarksOf, type Watermarks } from './retention.js';
