// What a camera does at this moment, and what a probe of one found.

import { z } from 'zod';
import {
  audioCodecSchema,
  gapReasonSchema,
  instantSchema,
  trackSchema,
  videoCodecSchema,
} from './scalars.js';
import { motionSourceSchema, recordingModeSchema } from './camera.js';

export const cameraStateSchema = z.enum(['online', 'connecting', 'offline', 'disabled']);
export type CameraState = z.infer<typeof cameraStateSchema>;

export const trackStatusSchema = z.object({
  track: trackSchema,
  codec: z.enum([...videoCodecSchema.options, ...audioCodecSchema.options]).optional(),
  /** Of sound. */
  sampleRate: z.number().optional(),
  channels: z.number().optional(),
  /** Of sound: the camera's own name of its coding, and why it is not recorded, as a sentence. */
  encoding: z.string().optional(),
  reason: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  fps: z.number().optional(),
  /** Bits per second over the last seconds. */
  bitrate: z.number().optional(),
  groupSeconds: z.number().optional(),
  clockOffsetMs: z.number().optional(),
  lastFrameAt: instantSchema.optional(),
  frames: z.number(),
  lostPackets: z.number(),
  /** Frames that were not kept, by reason. */
  dropped: z.record(z.string(), z.number()),
  connects: z.number(),
  /** Ended connections, by reason. */
  disconnects: z.record(z.string(), z.number()),
});
export type TrackStatus = z.infer<typeof trackStatusSchema>;

export const cameraStatusSchema = z.object({
  state: cameraStateSchema,
  /** A sentence for people, when the camera is not online or does not record as declared. */
  reason: z.string().optional(),
  codec: videoCodecSchema.optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  fps: z.number().optional(),
  bitrate: z.number().optional(),
  groupSeconds: z.number().optional(),
  clockOffsetMs: z.number().optional(),
  lastFrameAt: instantSchema.optional(),
  recording: z.object({
    active: z.boolean(),
    mode: recordingModeSchema,
    since: instantSchema.optional(),
    /** Why nothing is being kept now. */
    reason: gapReasonSchema.optional(),
  }),
  motion: z.object({
    active: z.boolean(),
    level: z.number(),
    /** `behind`: the detector lost pace, so the camera records continuously. */
    detector: z.enum(['ok', 'starting', 'behind', 'failed', 'off']),
    source: motionSourceSchema.optional(),
    /** The camera's own events, where they are a source of movement. */
    events: z
      .object({
        state: z.enum(['starting', 'ok', 'failed']),
        /** What fails, as a sentence. */
        message: z.string().optional(),
        /** Alarms that were closed because their end never came. */
        endlessAlarms: z.number(),
      })
      .optional(),
  }),
  tracks: z.array(trackStatusSchema),
});
export type CameraStatus = z.infer<typeof cameraStatusSchema>;
