// The recorder's settings: its environment, parsed once, every fault listed.

import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '#base';

const port = z.coerce.number().int().min(0).max(65_535);
const secret = z.string().min(32, 'expected at least 32 characters');

const settingsSchema = z.object({
  NIGHTJAR_DATA_DIR: z.string().refine(isAbsolute, 'expected an absolute path'),
  NIGHTJAR_STORE_DIRS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().min(1, 'expected a path')).min(1))
    .optional(),
  /** 14 directories of the warm tier; each recorder has a directory of its own in each of them. */
  NIGHTJAR_WARM_DIRS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().refine(isAbsolute, 'expected absolute paths')).min(1))
    .optional(),
  /** Days after its last frame when a chunk moves there. */
  NIGHTJAR_WARM_AFTER_DAYS: z.coerce.number().min(0).max(3650).default(1),
  NIGHTJAR_WARM_MB_PER_SECOND: z.coerce.number().min(0.1).max(10_000).default(50),
  NIGHTJAR_RECORDER_ID: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected letters, digits, dot, dash, underscore')
    .default('recorder-1'),
  /** Its share of the cameras against the other recorders'; 0: it keeps footage only. */
  NIGHTJAR_RECORDER_WEIGHT: z.coerce.number().min(0).max(1000).default(1),
  NIGHTJAR_SECRET_KEY: secret,
  NIGHTJAR_INTERNAL_SECRET: secret,
  NIGHTJAR_SERVER_URL: z.url('expected an http:// URL'),
  NIGHTJAR_INTERNAL_HOST: z.string().default('127.0.0.1'),
  NIGHTJAR_INTERNAL_PORT: port.default(0),
  /** Where others reach the internal door, when that is not host and port. */
  NIGHTJAR_INTERNAL_URL: z.url('expected an http:// URL').optional(),
  NIGHTJAR_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  NIGHTJAR_LOG_FORMAT: z.enum(['text', 'json']).default('json'),
  /** Seconds between two passes of retention. */
  NIGHTJAR_RETENTION_SECONDS: z.coerce.number().min(0.1).max(86_400).default(120),
  /** Days within which every sealed chunk is read once; 0 switches the scrub off. */
  NIGHTJAR_SCRUB_DAYS: z.coerce.number().min(0).max(3650).default(30),
  /** The scrub's upper bound. */
  NIGHTJAR_SCRUB_MB_PER_SECOND: z.coerce.number().min(0.1).max(10_000).default(20),
  /** Where cameras push to (RTMP); listened on only while there is such a camera. */
  NIGHTJAR_RTMP_HOST: z.string().optional(),
  NIGHTJAR_HOST: z.string().default('0.0.0.0'),
  NIGHTJAR_RTMP_PORT: port.default(1935),
  NIGHTJAR_MOTION_PROCESSES: z.coerce.number().int().min(1).max(64).optional(),
  /** How many of them share the machine's memory. */
  NIGHTJAR_RECORDERS: z.coerce.number().int().min(1).max(1024).optional(),
  /** Read by libuv: how many disk operations can be under way. */
  UV_THREADPOOL_SIZE: z.coerce.number().int().min(1).max(1024).default(4),
  /** Cameras are read so often while nobody watches: fewer wake-ups cost less; 0 is at once. */
  NIGHTJAR_INGEST_TURN_MS: z.coerce.number().int().min(0).max(200).default(200),
});

export interface RecorderConfig {
  readonly id: string;
  readonly weight: number;
  readonly indexDirectory: string;
  readonly storeDirectories: readonly string[];
  readonly secretKey: string;
  readonly internalSecret: string;
  readonly serverUrl: string;
  readonly internalHost: string;
  readonly internalPort: number;
  readonly internalUrl: string | undefined;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
  readonly retentionIntervalMs: number;
  /** This recorder's own; undefined when there is no warm tier. */
  readonly warmDirectories: readonly string[] | undefined;
  readonly warmAfterDays: number;
  readonly warmBytesPerSecond: number;
  readonly scrubDays: number;
  readonly scrubBytesPerSecond: number;
  readonly motionProcesses: number | undefined;
  readonly recorders: number | undefined;
  readonly push: { readonly host: string; readonly port: number };
  readonly ingestTurnMs: number;
  /** Of libuv's pool. */
  readonly threads: number;
}

/** Throws `invalid-argument` naming every faulty variable. */
export function readRecorderConfig(
  environment: Readonly<Record<string, string | undefined>>,
): RecorderConfig {
  const settings = readConfig(settingsSchema, environment);
  const dataDirectory = settings.NIGHTJAR_DATA_DIR;
  return {
    id: settings.NIGHTJAR_RECORDER_ID,
    weight: settings.NIGHTJAR_RECORDER_WEIGHT,
    indexDirectory: join(dataDirectory, settings.NIGHTJAR_RECORDER_ID, 'index'),
    storeDirectories: settings.NIGHTJAR_STORE_DIRS ?? [join(dataDirectory, 'store')],
    secretKey: settings.NIGHTJAR_SECRET_KEY,
    internalSecret: settings.NIGHTJAR_INTERNAL_SECRET,
    serverUrl: settings.NIGHTJAR_SERVER_URL,
    internalHost: settings.NIGHTJAR_INTERNAL_HOST,
    internalPort: settings.NIGHTJAR_INTERNAL_PORT,
    internalUrl: settings.NIGHTJAR_INTERNAL_URL,
    logLevel: settings.NIGHTJAR_LOG_LEVEL,
    logFormat: settings.NIGHTJAR_LOG_FORMAT,
    retentionIntervalMs: settings.NIGHTJAR_RETENTION_SECONDS * 1000,
    warmDirectories: settings.NIGHTJAR_WARM_DIRS?.map((path) =>
      join(path, settings.NIGHTJAR_RECORDER_ID),
    ),
    warmAfterDays: settings.NIGHTJAR_WARM_AFTER_DAYS,
    warmBytesPerSecond: settings.NIGHTJAR_WARM_MB_PER_SECOND * 1e6,
    scrubDays: settings.NIGHTJAR_SCRUB_DAYS,
    scrubBytesPerSecond: settings.NIGHTJAR_SCRUB_MB_PER_SECOND * 1e6,
    motionProcesses: settings.NIGHTJAR_MOTION_PROCESSES,
    recorders: settings.NIGHTJAR_RECORDERS,
    push: {
      host: settings.NIGHTJAR_RTMP_HOST ?? settings.NIGHTJAR_HOST,
      port: settings.NIGHTJAR_RTMP_PORT,
    },
    threads: settings.UV_THREADPOOL_SIZE,
    ingestTurnMs: settings.NIGHTJAR_INGEST_TURN_MS,
  };
}
