// The small shapes that every other shape is made of.

import { z } from 'zod';

export const cameraIdSchema = z.uuid();

export const roleSchema = z.enum(['admin', 'operator', 'viewer']);
export type Role = z.infer<typeof roleSchema>;

/** A track of a camera. */
export const trackSchema = z.enum(['main', 'sub', 'audio']);
export type Track = z.infer<typeof trackSchema>;

export const videoCodecSchema = z.enum(['h264', 'h265']);
export type VideoCodec = z.infer<typeof videoCodecSchema>;

export const audioCodecSchema = z.enum(['aac', 'pcmu', 'pcma', 'opus']);
export type AudioCodec = z.infer<typeof audioCodecSchema>;

/** In responses: ISO 8601, UTC, milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 });

/** In requests: ISO 8601 with any offset, or Unix milliseconds as number or digits. Gives Unix ms. */
export const instantInputSchema = z.union([z.number(), z.string()]).transform((value, context) => {
  const unixMs =
    typeof value === 'number'
      ? value
      : /^\d{9,16}$/.test(value)
        ? Number(value)
        : /^\d{4}-\d{2}-\d{2}/.test(value)
          ? Date.parse(value)
          : Number.NaN;
  // Year 2255 is where microseconds leave the safe integers.
  if (!Number.isFinite(unixMs) || unixMs < 0 || unixMs > 9e12) {
    context.addIssue({
      code: 'custom',
      message: 'expected an ISO 8601 time or Unix milliseconds',
    });
    return z.NEVER;
  }
  return Math.round(unixMs);
});

export const renditionSchema = z.enum(['source', '1080p', '720p', '480p', '240p']);
export type Rendition = z.infer<typeof renditionSchema>;

/** Why a span of time has no recording. */
export const gapReasonSchema = z.enum([
  'no-motion',
  'camera-down',
  'network',
  'authentication',
  'unsupported-stream',
  'disk-full',
  'disk-too-slow',
  'disk-error',
  'restart',
  'off',
  'no-space-policy',
  'expired',
  'damaged',
  'moved',
  'recorder-away',
  'unknown',
]);
export type GapReason = z.infer<typeof gapReasonSchema>;

export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(512).optional(),
});

/** RFC 9457 problem details, with the code of the house. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Rows of an image that motion is reported on, left to right, top to bottom. */
export const CELL_COLUMNS = 16;
export const CELL_ROWS = 9;
