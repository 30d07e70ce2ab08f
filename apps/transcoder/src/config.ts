// The transcoder's settings: its environment, parsed once, every fault listed.

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { readConfig } from '#base';

const port = z.coerce.number().int().min(0).max(65_535);
const GIBIBYTE = 1024 ** 3;

const settingsSchema = z.object({
  NIGHTJAR_DATA_DIR: z.string().refine(isAbsolute, 'expected an absolute path'),
  NIGHTJAR_SERVER_URL: z.url({ protocol: /^https?$/, error: 'expected an http:// URL' }),
  NIGHTJAR_INTERNAL_SECRET: z.string().min(32, 'expected at least 32 characters'),
  NIGHTJAR_INTERNAL_HOST: z.string().default('127.0.0.1'),
  NIGHTJAR_INTERNAL_PORT: port.default(0),
  /** Where others reach this door, when that is not the address it listens on. */
  NIGHTJAR_INTERNAL_URL: z.url('expected an http:// URL').optional(),
  /** Stable over restarts: exports are fetched from the transcoder that made them. */
  NIGHTJAR_TRANSCODER_ID: z.string().min(1).max(128).default('transcoder-1'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/./, 'expected a postgresql:// URL')
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/./, 'expected a redis:// URL')
    .optional(),
  /** Transcodes at once; by default as many as there are cores. */
  NIGHTJAR_TRANSCODES: z.coerce.number().int().min(1).max(256).optional(),
  /** How much renditions that were made once may take on disk. */
  NIGHTJAR_RENDITION_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(2 * GIBIBYTE),
  NIGHTJAR_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  NIGHTJAR_LOG_FORMAT: z.enum(['text', 'json']).default('json'),
});

export interface TranscoderConfig {
  readonly dataDirectory: string;
  readonly serverUrl: string;
  readonly internalSecret: string;
  readonly internalHost: string;
  readonly internalPort: number;
  readonly internalUrl?: string;
  readonly id: string;
  /** Where jobs are kept; without one there are renditions and stills, and no exports. */
  readonly jobs?: { readonly databaseUrl: string } | { readonly redisUrl: string };
  readonly transcodes?: number;
  readonly cacheBytes: number;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
}

/** Throws `invalid-argument` naming every faulty variable. */
export function readTranscoderConfig(
  environment: Readonly<Record<string, string | undefined>>,
): TranscoderConfig {
  const settings = readConfig(settingsSchema, environment);
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = settings;
  return {
    dataDirectory: settings.NIGHTJAR_DATA_DIR,
    serverUrl: settings.NIGHTJAR_SERVER_URL,
    internalSecret: settings.NIGHTJAR_INTERNAL_SECRET,
    internalHost: settings.NIGHTJAR_INTERNAL_HOST,
    internalPort: settings.NIGHTJAR_INTERNAL_PORT,
    ...(settings.NIGHTJAR_INTERNAL_URL === undefined
      ? {}
      : { internalUrl: settings.NIGHTJAR_INTERNAL_URL }),
    id: settings.NIGHTJAR_TRANSCODER_ID,
    ...(redisUrl !== undefined
      ? { jobs: { redisUrl } }
      : databaseUrl !== undefined
        ? { jobs: { databaseUrl } }
        : {}),
    ...(settings.NIGHTJAR_TRANSCODES === undefined
      ? {}
      : { transcodes: settings.NIGHTJAR_TRANSCODES }),
    cacheBytes: settings.NIGHTJAR_RENDITION_CACHE_BYTES,
    logLevel: settings.NIGHTJAR_LOG_LEVEL,
    logFormat: settings.NIGHTJAR_LOG_FORMAT,
  };
}
