// What people declare of a camera, and what the public door tells of it.

import { z } from 'zod';
import { cameraIdSchema, instantSchema } from './scalars.js';

/** A camera that cannot be called: it publishes to us by RTMP, under a key that the server makes. */
export const PUSH = 'push';

const streamUrlSchema = z
  .string()
  .max(2048)
  .regex(
    /^(?:push$|[rR][tT][sS][pP][sS]?:\/\/[^\s]+$)/,
    'expected an rtsp:// or rtsps:// URL, or "push" for a camera that publishes by RTMP',
  )
  .refine((text) => text === PUSH || URL.canParse(text), 'expected a URL that can be parsed');

export const recordingModeSchema = z.enum(['motion', 'motion+lowres', 'continuous', 'off']);
export type RecordingMode = z.infer<typeof recordingModeSchema>;

/** A weekly exception to the mode: minutes from Monday 00:00 in the recorder's time zone. */
export const scheduleEntrySchema = z
  .object({
    fromMinute: z.number().int().min(0).max(10_080),
    toMinute: z.number().int().min(0).max(10_080),
    mode: recordingModeSchema,
  })
  .refine((entry) => entry.fromMinute < entry.toMinute, 'expected fromMinute before toMinute');
export type ScheduleEntry = z.infer<typeof scheduleEntrySchema>;

export const recordingSchema = z.object({
  mode: recordingModeSchema.default('motion'),
  preRollSeconds: z.number().min(0).max(60).default(5),
  postRollSeconds: z.number().min(0).max(600).default(10),
  schedule: z.array(scheduleEntrySchema).max(336).optional(),
});
export type Recording = z.infer<typeof recordingSchema>;

export const retentionSchema = z.object({
  /** The compliance window: footage older than this is deleted within the hour. */
  days: z.number().positive().max(3650).default(30),
  /** For the chunks of the main stream and its sound in which something moved. */
  motionDays: z.number().positive().max(3650).optional(),
  /** For the sub stream. */
  lowresDays: z.number().positive().max(3650).optional(),
  /** Never deleted before, not even when the disk is full. */
  minDays: z.number().min(0).max(3650).optional(),
  /** With all recorders that have footage of the camera together: the oldest goes first. */
  maxBytes: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  /** When its disk has no room: the oldest goes (default), or nothing, and recording stops. */
  whenFull: z.enum(['oldest-first', 'stop-recording']).optional(),
});
export type Retention = z.infer<typeof retentionSchema>;

/** What is wrong with the words together, as a sentence. */
export function retentionFault(retention: Retention): string | undefined {
  const { days, motionDays = days, lowresDays = days, minDays = 0 } = retention;
  if (motionDays < days) {
    return `retention.motionDays: expected at least days (${days}), found ${motionDays}`;
  }
  const shortest = Math.min(days, lowresDays);
  if (minDays > shortest) {
    return `retention.minDays: expected at most ${shortest}, as days or lowresDays say, found ${minDays}`;
  }
  return undefined;
}

/** A change that would delete footage sooner, and waits. */
export const pendingRetentionSchema = z.object({
  retention: retentionSchema,
  requestedBy: z.string(),
  requestedAt: instantSchema,
  /** Then it holds by itself. */
  effectiveAt: instantSchema,
  /** What would go that the rules of now would keep; by the index of each recorder when asked. */
  effect: z.object({
    bytes: z.number(),
    chunks: z.number(),
    from: instantSchema.optional(),
    to: instantSchema.optional(),
    /** Recorders that did not answer: they may hold more. */
    unavailable: z.array(z.string()).optional(),
  }),
});
export type PendingRetention = z.infer<typeof pendingRetentionSchema>;

const unit = z.number().min(0).max(1);
export const polygonSchema = z
  .array(z.tuple([unit, unit]))
  .min(3)
  .max(64);
export type Polygon = z.infer<typeof polygonSchema>;

/** Movement is learned from the picture, from the camera's own ONVIF events, or from either. */
export const motionSourceSchema = z.enum(['video', 'onvif', 'both', 'off']);

export const motionSettingsSchema = z.object({
  /** `onvif` and `both` need an ONVIF address. */
  source: motionSourceSchema.default('video'),
  sensitivity: z.number().min(0).max(1).default(0.5),
  /** When given, only movement inside one of them counts. */
  zones: z.array(polygonSchema).max(32).optional(),
  /** Movement inside any of them is ignored. */
  masks: z.array(polygonSchema).max(32).optional(),
});
export type MotionSettings = z.infer<typeof motionSettingsSchema>;

export const locationSchema = z.object({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  headingDegrees: z.number().min(0).max(360).optional(),
  fieldOfViewDegrees: z.number().min(1).max(360).optional(),
});
export type Location = z.infer<typeof locationSchema>;

export const onvifInputSchema = z.object({
  url: z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s]+$/i, 'expected an http:// or https:// URL')
    .refine((text) => URL.canParse(text), 'expected a URL that can be parsed'),
  username: z.string().max(256).optional(),
  /** Goes in and never comes out. */
  password: z.string().max(256).optional(),
});

const cameraName = z.string().trim().min(1).max(120);
/** `http`: RTSP in an HTTP tunnel, which passes where only the web's ports are open. */
export const transportSchema = z.enum(['tcp', 'udp', 'http']);

export const cameraInputSchema = z.object({
  name: cameraName,
  streams: z.object({ main: streamUrlSchema, sub: streamUrlSchema.optional() }),
  onvif: onvifInputSchema.optional(),
  recording: recordingSchema.prefault({}),
  retention: retentionSchema.prefault({}).superRefine((retention, context) => {
    const message = retentionFault(retention);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  motion: motionSettingsSchema.prefault({}),
  location: locationSchema.optional(),
  transport: transportSchema.default('tcp'),
});
export type CameraInput = z.output<typeof cameraInputSchema>;

/** A patch merges one level deep; null removes what is optional. */
export const cameraPatchSchema = z.object({
  name: cameraName.optional(),
  streams: z
    .object({ main: streamUrlSchema.optional(), sub: streamUrlSchema.nullable().optional() })
    .optional(),
  onvif: onvifInputSchema.partial().nullable().optional(),
  recording: z
    .object({
      mode: recordingModeSchema.optional(),
      preRollSeconds: z.number().min(0).max(60).optional(),
      postRollSeconds: z.number().min(0).max(600).optional(),
      schedule: z.array(scheduleEntrySchema).max(336).nullable().optional(),
    })
    .optional(),
  retention: z
    .object({
      days: z.number().positive().max(3650).optional(),
      motionDays: z.number().positive().max(3650).nullable().optional(),
      lowresDays: z.number().positive().max(3650).nullable().optional(),
      minDays: z.number().min(0).max(3650).nullable().optional(),
      maxBytes: z.number().int().positive().nullable().optional(),
      whenFull: z.enum(['oldest-first', 'stop-recording']).nullable().optional(),
    })
    .optional(),
  motion: z
    .object({
      source: motionSourceSchema.optional(),
      sensitivity: z.number().min(0).max(1).optional(),
      zones: z.array(polygonSchema).max(32).nullable().optional(),
      masks: z.array(polygonSchema).max(32).nullable().optional(),
    })
    .optional(),
  location: locationSchema.nullable().optional(),
  transport: transportSchema.optional(),
  /** Lets a retention that deletes footage sooner hold at once, not after 24 hours. */
  confirm: z.boolean().optional(),
});
export type CameraPatch = z.output<typeof cameraPatchSchema>;

/** Which stream gets a new key: the old one is worth nothing from then on. */
export const publishKeyInputSchema = z.object({ track: z.enum(['main', 'sub']).default('main') });
export type PublishKeyInput = z.output<typeof publishKeyInputSchema>;

/** Where a camera that pushes has to publish. Holds the key, which is shown this once. */
const publishAddressSchema = z.object({
  path: z.string(),
  /** By the host name that the caller used. */
  url: z.string().optional(),
});

/** A camera as it comes out: stream URLs without user and password, pushed streams as `push`. */
export const cameraSchema = z.object({
  id: cameraIdSchema,
  name: cameraName,
  streams: z.object({ main: z.string(), sub: z.string().optional() }),
  onvif: z
    .object({ url: z.string(), username: z.string().optional(), hasPassword: z.boolean() })
    .optional(),
  hasCredentials: z.boolean(),
  /** Only in the answer to the request that made the keys. */
  publish: z
    .object({ main: publishAddressSchema.optional(), sub: publishAddressSchema.optional() })
    .optional(),
  recording: recordingSchema,
  retention: retentionSchema,
  pendingRetention: pendingRetentionSchema.optional(),
  motion: motionSettingsSchema,
  location: locationSchema.optional(),
  transport: transportSchema,
  ptz: z.boolean(),
  createdAt: instantSchema,
  updatedAt: instantSchema,
});
export type Camera = z.infer<typeof cameraSchema>;
