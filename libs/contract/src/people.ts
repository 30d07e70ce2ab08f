// Users, sign-in, audit records and events.

import { z } from 'zod';
import { instantSchema, roleSchema } from './scalars.js';

const username = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[\p{L}\p{N}._@-]+$/u, 'expected letters, digits, dot, dash, underscore or @');
/** NIST SP 800-63B: length matters, composition rules do not. */
export const newPasswordSchema = z.string().min(8).max(256);

export const loginInputSchema = z.object({
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
});
export type LoginInput = z.infer<typeof loginInputSchema>;

export const userSchema = z.object({
  id: z.uuid(),
  username,
  role: roleSchema,
  disabled: z.boolean(),
  createdAt: instantSchema,
  lastLoginAt: instantSchema.optional(),
});
export type User = z.infer<typeof userSchema>;

export const loginAnswerSchema = z.object({
  token: z.string(),
  expiresAt: instantSchema,
  user: userSchema,
  /** Goes back in `X-CSRF-Token` with every writing request that leans on the cookie. */
  csrfToken: z.string(),
});
export type LoginAnswer = z.infer<typeof loginAnswerSchema>;

export const meSchema = z.object({
  user: userSchema,
  csrfToken: z.string(),
  expiresAt: instantSchema,
});
export type Me = z.infer<typeof meSchema>;

/** First run: whether an administrator exists yet. */
export const setupStateSchema = z.object({ needed: z.boolean() });
export const setupInputSchema = z.object({
  token: z.string().min(1).max(128),
  password: newPasswordSchema,
});

export const userInputSchema = z.object({
  username,
  password: newPasswordSchema,
  role: roleSchema,
});
export type UserInput = z.infer<typeof userInputSchema>;
export const userPatchSchema = z.object({
  password: newPasswordSchema.optional(),
  role: roleSchema.optional(),
  disabled: z.boolean().optional(),
});
export type UserPatch = z.infer<typeof userPatchSchema>;

export const auditEntrySchema = z.object({
  id: z.string(),
  at: instantSchema,
  /** A user name, or `system`. */
  actor: z.string(),
  address: z.string().optional(),
  action: z.string(),
  /** What it was done to: a camera, user, export or hold id. */
  subject: z.string().optional(),
  outcome: z.enum(['ok', 'denied', 'failed']),
  detail: z.record(z.string(), z.unknown()),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Something that an operator wants to know now. */
export const eventSchema = z.object({
  id: z.string(),
  at: instantSchema,
  kind: z.enum([
    'camera-online',
    'camera-offline',
    'motion',
    'storage',
    'recorder-lost',
    'recorder-back',
    'export',
    'configuration',
  ]),
  camera: z.uuid().optional(),
  message: z.string(),
});
export type NightjarEvent = z.infer<typeof eventSchema>;
