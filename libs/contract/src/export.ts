// Exports: evidence for people outside, made by a durable job.

import { z } from 'zod';
import { cameraIdSchema, instantInputSchema, instantSchema, renditionSchema } from './scalars.js';

export const exportInputSchema = z
  .object({
    cameras: z.array(cameraIdSchema).min(1).max(100),
    from: instantInputSchema,
    to: instantInputSchema,
    rendition: renditionSchema.default('source'),
    watermark: z.string().max(120).optional(),
    note: z.string().max(1000).default(''),
  })
  .refine((input) => input.from < input.to, 'expected from before to');
export type ExportInput = z.output<typeof exportInputSchema>;

export const exportSchema = z.object({
  id: z.uuid(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  /** 0..1. */
  progress: z.number(),
  cameras: z.array(cameraIdSchema),
  from: instantSchema,
  to: instantSchema,
  rendition: renditionSchema,
  note: z.string(),
  createdBy: z.string(),
  createdAt: instantSchema,
  sizeBytes: z.number().optional(),
  error: z.string().optional(),
});
export type Export = z.infer<typeof exportSchema>;
