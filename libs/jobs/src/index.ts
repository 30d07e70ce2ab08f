// Durable work: one typed table of jobs, kept in PostgreSQL or, where its URL is given, in Redis, by
// BullMQ. A job is done at least once, retried when its failure may pass, and taken over when its
// worker dies; so processors are idempotent. Nothing that a person waits for goes through here: a
// queue may answer late. The work itself, and what it makes, belong to whoever runs the worker.

export type { JobsLocation } from './backend.js';
export type { JobFailure } from './job-failure.js';
export { JobQueue, type JobState, type JobView } from './job-queue.js';
export type {
  ExportJobData,
  ExportJobProgress,
  ExportJobResult,
  JobData,
  JobName,
  JobProgress,
  JobResult,
} from './job-table.js';
export type { JobContext, JobProcessor, JobWorker, JobWorkerOptions } from './job-worker.js';
export { Jobs, openJobs, type JobsOptions } from './jobs.js';
