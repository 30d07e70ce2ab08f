// Moving a camera: requests, presets, and the joystick's WebSocket.

import { z } from 'zod';
import { cameraIdSchema } from './scalars.js';

const speed = z.number().min(-1).max(1).default(0);
export const ptzMoveSchema = z.object({ pan: speed, tilt: speed, zoom: speed });
export type PtzMove = z.output<typeof ptzMoveSchema>;

export const ptzPresetSchema = z.object({ token: z.string(), name: z.string() });
export type PtzPreset = z.infer<typeof ptzPresetSchema>;
export const ptzPresetInputSchema = z.object({ name: z.string().trim().min(1).max(64) });

/** The server stops a camera this long after the operator's last word. */
export const PTZ_DEADMAN_MS = 500;

export const ptzCommandSchema = z.discriminatedUnion('type', [
  ptzMoveSchema.extend({
    type: z.literal('move'),
    camera: cameraIdSchema,
    sequence: z.number().optional(),
  }),
  z.object({ type: z.literal('stop'), camera: cameraIdSchema, sequence: z.number().optional() }),
]);
export type PtzCommand = z.output<typeof ptzCommandSchema>;

export const ptzReplySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('done'),
    camera: cameraIdSchema,
    sequence: z.number().optional(),
    /** From the server's reading of the command to the camera's answer. */
    latencyMs: z.number(),
  }),
  z.object({
    type: z.literal('stopped'),
    camera: cameraIdSchema,
    why: z.enum(['operator', 'silence', 'closed']),
  }),
  z.object({ type: z.literal('locked'), camera: cameraIdSchema, holder: z.string() }),
  z.object({
    type: z.literal('error'),
    camera: cameraIdSchema.optional(),
    code: z.string(),
    detail: z.string(),
  }),
]);
export type PtzReply = z.infer<typeof ptzReplySchema>;
