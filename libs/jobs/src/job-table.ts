// Every kind of durable work: what goes in, what is said on the way, what comes out, how often it is tried.

import { cameraIdSchema, renditionSchema } from '#contract';
import { z } from 'zod';

const unixMs = z.number().int().nonnegative();

/** One camera of an export, and the recorder that has its footage. */
export const exportCameraSchema = z.object({
  id: cameraIdSchema,
  name: z.string(),
  /** Base URL of the recorder's internal door. */
  recorderUrl: z.string(),
});

export const exportJobDataSchema = z.object({
  cameras: z.array(exportCameraSchema).min(1),
  fromUnixMs: unixMs,
  toUnixMs: unixMs,
  rendition: renditionSchema,
  watermark: z.string().optional(),
  note: z.string(),
  createdBy: z.string(),
  createdAtUnixMs: unixMs,
});

export const exportJobProgressSchema = z.object({
  /** 0..1. */
  fraction: z.number().min(0).max(1),
  /** Written so far. */
  sizeBytes: z.number(),
});

export const exportJobResultSchema = z.object({
  sizeBytes: z.number(),
  sha256: z.string(),
  /** The transcoder that has the file (its id as it announces itself). */
  transcoder: z.string(),
  /** Cameras that had no footage in the period. */
  withoutFootage: z.array(cameraIdSchema),
});

export interface JobKind {
  readonly data: z.ZodType;
  readonly progress: z.ZodType;
  readonly result: z.ZodType;
  /** How often it is begun, at most, when it fails for a reason that may pass. */
  readonly attempts: number;
  /** Before the second attempt; doubles with each further one. */
  readonly firstRetryMs: number;
}

/** The id of an export's job is the export's own. */
export const JOB_TABLE = {
  exports: {
    data: exportJobDataSchema,
    progress: exportJobProgressSchema,
    result: exportJobResultSchema,
    attempts: 4,
    firstRetryMs: 2000,
  },
} as const satisfies Record<string, JobKind>;

export type JobTable = typeof JOB_TABLE;
export type JobName = keyof JobTable;
export type JobData<N extends JobName> = z.output<JobTable[N]['data']>;
export type JobProgress<N extends JobName> = z.output<JobTable[N]['progress']>;
export type JobResult<N extends JobName> = z.output<JobTable[N]['result']>;

export type ExportJobData = JobData<'exports'>;
export type ExportJobProgress = JobProgress<'exports'>;
export type ExportJobResult = JobResult<'exports'>;
