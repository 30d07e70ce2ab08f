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

/** `GET /healthz`; without a session it names no camera and no recorder, and its sentences only count. */
export const healthSchema = z.object({
  /** `failing`: something is not recorded as declared, or a recorder has a fault. */
  status: z.enum(['ok', 'failing']),
  faults: z.array(
    z.object({
      kind: z.enum(['recorder-lost', 'recorder', 'camera']),
      recorder: z.string().optional(),
      camera: z.string().optional(),
      message: z.string(),
    }),
  ),
  /** What needs care but costs no footage. */
  warnings: z.array(z.string()),
});
export type Health = z.infer<typeof healthSchema>;

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
  /** Between the last two key frames. */
  groupSeconds: z.number().optional(),
  /** The shortest and the longest group of the last one to two minutes. */
  groupSecondsMin: z.number().optional(),
  groupSecondsMax: z.number().optional(),
  /** The camera's wall clock minus the recorder's, by its last RTCP sender report. */
  clockOffsetMs: z.number().optional(),
  /** How much faster than the recorder's its media clock goes, in parts per million. */
  clockDriftPpm: z.number().optional(),
  /** Interarrival jitter (RFC 3550, A.8): of datagrams with UDP, of whole frames otherwise. */
  jitterMs: z.number().optional(),
  /** What reading in turns adds to it on average: below, it is not the network's. */
  jitterFloorMs: z.number().optional(),
  lastFrameAt: instantSchema.optional(),
  /** All counts are over all runs since the recorder started. */
  frames: z.number(),
  packets: z.number(),
  /** Of packets, headers included. */
  bytes: z.number(),
  lostPackets: z.number(),
  /** Packets that could not be read. */
  malformedPackets: z.number(),
  /** How often the camera set its media clock. */
  clockJumps: z.number(),
  /** The last minute, or the run if that is younger; absent while nothing comes. */
  recent: z
    .object({
      seconds: z.number(),
      packets: z.number(),
      lostPackets: z.number(),
      frames: z.number(),
      droppedFrames: z.number(),
    })
    .optional(),
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
