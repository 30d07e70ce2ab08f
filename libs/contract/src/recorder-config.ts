// What the control plane tells a recorder to do; the recorder keeps a sealed copy of it.

import { z } from 'zod';
import {
  motionSettingsSchema,
  recordingSchema,
  retentionSchema,
  transportSchema,
} from './camera.js';
import { cameraIdSchema } from './scalars.js';

export const recorderCameraSchema = z.object({
  id: cameraIdSchema,
  name: z.string(),
  /** With credentials. */
  streams: z.object({ main: z.string(), sub: z.string().optional() }),
  transport: transportSchema,
  recording: recordingSchema,
  retention: retentionSchema,
  motion: motionSettingsSchema,
  /** Only where its events are a source of movement. */
  onvif: z
    .object({ url: z.string(), username: z.string().optional(), password: z.string().optional() })
    .optional(),
  /** The camera is gone: record nothing, keep its footage until it expires. */
  removed: z.boolean().optional(),
  /** Another recorder has the camera: record nothing, keep the footage until it expires. */
  moved: z.boolean().optional(),
});
export type RecorderCamera = z.infer<typeof recorderCameraSchema>;

export const recorderHoldSchema = z.object({
  id: z.uuid(),
  cameras: z.array(cameraIdSchema),
  fromUnixMs: z.number(),
  toUnixMs: z.number(),
});
export type RecorderHold = z.infer<typeof recorderHoldSchema>;

export const recorderConfigSchema = z.object({
  /** Changes with every change of the rest: an opaque digest. */
  version: z.string(),
  cameras: z.array(recorderCameraSchema),
  holds: z.array(recorderHoldSchema),
});
export type RecorderConfig = z.infer<typeof recorderConfigSchema>;

/** A recorder (or transcoder) says that it lives; the answer carries the configuration to apply. */
export const announceSchema = z.object({
  role: z.enum(['recorder', 'transcoder']),
  /** Stable over restarts. */
  id: z.string().min(1).max(128),
  /** Its internal door. */
  url: z.string(),
  /** What it runs now; absent for a transcoder and for a recorder without any. */
  configVersion: z.string().optional(),
  /** A recorder's share of the cameras against the others', 1 if absent; 0 keeps footage only. */
  weight: z.number().min(0).max(1000).optional(),
  /** Whether cameras can push to it; one recorder of a machine has the port. True if absent. */
  takesPushes: z.boolean().optional(),
});
export type Announce = z.infer<typeof announceSchema>;

export const announceAnswerSchema = z.object({ config: recorderConfigSchema.optional() });
export type AnnounceAnswer = z.infer<typeof announceAnswerSchema>;

/** What a recorder holds of cameras whose `maxBytes` is to hold for all recorders together. */
export const cameraSharesSchema = z.object({
  /** Who answers: an address may be somebody else's by now. */
  recorder: z.string(),
  items: z.array(
    z.object({
      camera: cameraIdSchema,
      bytes: z.number(),
      /** Where the first chunk begins that may go; absent while none may. */
      oldestUnixUs: z.number().optional(),
    }),
  ),
});
export type CameraShares = z.infer<typeof cameraSharesSchema>;

export const cameraSharesQuerySchema = z.object({
  cameras: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(cameraIdSchema).min(1).max(200)),
  /** Who asks: its own share is not in the answer. */
  recorder: z.string().max(128).optional(),
});

/** Every other recorder that may hold footage of them; without `items` it did not answer. */
export const otherSharesSchema = z.object({
  recorders: z.array(
    z.object({
      id: z.string(),
      url: z.string().optional(),
      items: cameraSharesSchema.shape.items.optional(),
    }),
  ),
});
export type OtherShares = z.infer<typeof otherSharesSchema>;
