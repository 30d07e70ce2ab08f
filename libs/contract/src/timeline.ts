// What exists when: recordings, motion, gaps, storage and holds.

import { z } from 'zod';
import {
  cameraIdSchema,
  gapReasonSchema,
  instantInputSchema,
  instantSchema,
  trackSchema,
} from './scalars.js';

const cameraList = z
  .string()
  .max(40_000)
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .pipe(z.array(cameraIdSchema).min(1).max(1000));

const period = { from: instantInputSchema, to: instantInputSchema };

export const timelineQuerySchema = z
  .object({ cameras: cameraList, ...period })
  .refine((query) => query.from < query.to, 'expected from before to');
export type TimelineQuery = z.output<typeof timelineQuerySchema>;

export const recordingSpanSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  track: trackSchema,
});
export const motionSpanSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  peak: z.number(),
});
export const gapSpanSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  reason: gapReasonSchema,
});

export const timelineSchema = z.object({
  cameras: z.array(
    z.object({
      id: cameraIdSchema,
      recordings: z.array(recordingSpanSchema),
      motion: z.array(motionSpanSchema),
      gaps: z.array(gapSpanSchema),
    }),
  ),
  /** Recorders that could not be asked; what they hold is missing here. */
  unavailable: z.array(z.string()).optional(),
});
export type TimelineAnswer = z.infer<typeof timelineSchema>;

const regionSchema = z
  .string()
  .transform((text) => text.split(',').map(Number))
  .pipe(z.tuple([z.number(), z.number(), z.number(), z.number()]))
  .refine(
    ([x, y, w, h]) => x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 1.0001 && y + h <= 1.0001,
    'expected x,y,w,h inside 0..1',
  );

export const motionQuerySchema = z
  .object({
    cameras: cameraList,
    ...period,
    region: regionSchema.optional(),
    minLevel: z.coerce.number().min(0).max(1).default(0),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
    /** Has a place in it for every recorder. */
    cursor: z.string().max(8192).optional(),
  })
  .refine((query) => query.from < query.to, 'expected from before to');
export type MotionQuery = z.output<typeof motionQuerySchema>;

export const motionEventSchema = z.object({
  id: z.string(),
  camera: cameraIdSchema,
  from: instantSchema,
  to: instantSchema,
  /** 0..1. */
  peak: z.number(),
  /** Indices of moved cells in a grid of 16 x 9, left to right, top to bottom. */
  cells: z.array(z.number().int().min(0).max(143)),
});
export type MotionEvent = z.infer<typeof motionEventSchema>;

/** Newest first. */
export const motionAnswerSchema = z.object({
  items: z.array(motionEventSchema),
  cursor: z.string().optional(),
  unavailable: z.array(z.string()).optional(),
});
export type MotionAnswer = z.infer<typeof motionAnswerSchema>;

const watermarksSchema = z.object({
  /** Below it the oldest footage goes. */
  lowBytes: z.number(),
  criticalBytes: z.number(),
  /** Below it nothing is written: the reserve of the index. */
  stopBytes: z.number(),
});

export const storageSchema = z.object({
  disks: z.array(
    z.object({
      path: z.string(),
      /** The same for directories on one file system. */
      device: z.string().optional(),
      state: z.enum(['ok', 'low', 'slow', 'critical', 'full', 'failed']),
      reason: z.string().optional(),
      sizeBytes: z.number(),
      freeBytes: z.number(),
      footageBytes: z.number(),
      /** Of free space, by the size of this disk. */
      watermarks: watermarksSchema.optional(),
    }),
  ),
  /** Of the largest disk. */
  watermarks: watermarksSchema,
  cameras: z.array(
    z.object({
      id: cameraIdSchema,
      bytes: z.number(),
      chunks: z.number(),
      oldest: instantSchema.optional(),
      newest: instantSchema.optional(),
      bytesPerDay: z.number(),
      /** The same by the rule that it falls under; one, `all`, where there is only one. */
      brings: z
        .array(
          z.object({
            kind: z.enum(['all', 'motion', 'lowres']),
            bytesPerDay: z.number(),
            days: z.number(),
          }),
        )
        .optional(),
      retentionDays: z.number(),
      minDays: z.number().optional(),
      maxBytes: z.number().optional(),
      /** Whether its oldest goes when the disks are low. */
      givesSpace: z.boolean().optional(),
      /** So far back it will reach at today's rates, and what decides that. */
      forecastDays: z.number().optional(),
      /** Only where what moved, or the sub stream, has days of its own. */
      forecastMotionDays: z.number().optional(),
      forecastLowresDays: z.number().optional(),
      limitedBy: z.enum(['age', 'camera-bytes', 'disk-space']).optional(),
    }),
  ),
  /** Days that the free space lasts at today's rate; absent while the rate is zero. */
  daysLeft: z.number().optional(),
  /** Days until recording stops, since what must stay does not fit; absent where it fits. */
  stopsInDays: z.number().optional(),
  nextDeletions: z.array(
    z.object({
      camera: cameraIdSchema,
      at: instantSchema,
      bytes: z.number(),
      /** `age`, `motion-age`, `lowres-age`, `camera-bytes` or `disk-space`. */
      rule: z.string(),
      /** Of its footage. */
      from: instantSchema.optional(),
      to: instantSchema.optional(),
    }),
  ),
  /** The reading of every sealed chunk in the background, one line per recorder. */
  scrubs: z
    .array(
      z.object({
        recorder: z.string(),
        state: z.enum(['off', 'reading', 'resting']),
        periodDays: z.number(),
        startedAt: instantSchema.optional(),
        /** Read in this round, of what a whole round reads. */
        bytes: z.number(),
        totalBytes: z.number(),
        chunks: z.number(),
        damagedChunks: z.number(),
        /** Seals that do not fit the seal before, in this round. */
        brokenSeals: z.number(),
        /** What cannot be played because its bytes are damaged, the latest finds first; at most 50. */
        damage: z
          .array(
            z.object({
              camera: cameraIdSchema,
              track: trackSchema,
              from: instantSchema,
              to: instantSchema,
            }),
          )
          .default([]),
        completedAt: instantSchema.optional(),
      }),
    )
    .default([]),
  /** Warm tiers (erasure coding over 14 directories), one line per recorder that has one. */
  warmTiers: z
    .array(
      z.object({
        recorder: z.string(),
        state: z.enum(['off', 'idle', 'moving', 'mending']),
        /** Why nothing moves there now. */
        reason: z.string().optional(),
        /** Of footage, without parity. */
        bytes: z.number(),
        /** Of footage that it still takes; absent while it takes none. */
        roomBytes: z.number().optional(),
        chunks: z.number(),
        movedChunks: z.number(),
        mendedShards: z.number(),
        lostStripes: z.number(),
        reconstructedReads: z.number(),
        /** Of 14 shards: all there, some missing and nothing lost, too many missing. */
        stripes: z.object({ whole: z.number(), degraded: z.number(), lost: z.number() }).optional(),
        /** Stripes mended, of those that lack shards which can be written. */
        mending: z.object({ done: z.number(), total: z.number() }).optional(),
        directories: z.array(
          z.object({
            path: z.string(),
            slot: z.number().optional(),
            /** Shards that it lacks. */
            missingShards: z.number().optional(),
            state: z.enum(['ok', 'slow', 'full', 'failed']),
            reason: z.string().optional(),
            sizeBytes: z.number(),
            freeBytes: z.number(),
          }),
        ),
      }),
    )
    .default([]),
  unavailable: z.array(z.string()).optional(),
});
export type Storage = z.infer<typeof storageSchema>;

export const holdInputSchema = z
  .object({
    cameras: z.array(cameraIdSchema).min(1).max(1000),
    ...period,
    reason: z.string().trim().min(1).max(1000),
  })
  .refine((hold) => hold.from < hold.to, 'expected from before to');
export type HoldInput = z.output<typeof holdInputSchema>;

export const holdSchema = z.object({
  id: z.uuid(),
  cameras: z.array(cameraIdSchema),
  from: instantSchema,
  to: instantSchema,
  reason: z.string(),
  createdBy: z.string(),
  createdAt: instantSchema,
  /** Every recorder that holds such footage has confirmed. */
  confirmed: z.boolean(),
});
export type Hold = z.infer<typeof holdSchema>;

/** A deletion of footage, as the recorder recorded it. */
export const deletionSchema = z.object({
  at: instantSchema,
  camera: cameraIdSchema,
  track: trackSchema,
  chunk: z.string(),
  from: instantSchema,
  to: instantSchema,
  bytes: z.number(),
  rule: z.string(),
});
export type Deletion = z.infer<typeof deletionSchema>;

/** As the server has taken it over into the audit trail. */
export const recordedDeletionSchema = deletionSchema.extend({
  id: z.string(),
  recorder: z.string(),
});
export type RecordedDeletion = z.infer<typeof recordedDeletionSchema>;
