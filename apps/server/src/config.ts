// The server's settings: its environment, parsed once, every fault listed.

import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compiledModule, readConfig } from '#base';
import { cameraInputSchema, newPasswordSchema } from '#contract';

/** `dist/console`, seen from `dist/apps/server/src`. */
const BUILT_CONSOLE = fileURLToPath(
  new URL('../../../console', compiledModule('./config.js', import.meta.url)),
);

const port = z.coerce.number().int().min(0).max(65_535);
const secret = z.string().min(32, 'expected at least 32 characters');

/** Cameras that a demonstration starts with: JSON in a variable. */
const seedCamerasSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'expected JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.array(cameraInputSchema).max(1000));

const settingsSchema = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\/./, 'expected a postgresql:// URL'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/./, 'expected a redis:// URL')
    .optional(),
  NIGHTJAR_HOST: z.string().default('0.0.0.0'),
  NIGHTJAR_PORT: port.default(8080),
  /** Where recorders wait for cameras that push: told to whoever adds one. */
  NIGHTJAR_RTMP_PORT: port.default(1935),
  NIGHTJAR_ADMIN_PASSWORD: newPasswordSchema.optional(),
  NIGHTJAR_SECRET_KEY: secret,
  NIGHTJAR_INTERNAL_SECRET: secret,
  NIGHTJAR_SERVER_URL: z.url('expected an http:// URL').optional(),
  NIGHTJAR_INTERNAL_HOST: z.string().default('127.0.0.1'),
  NIGHTJAR_INTERNAL_PORT: port.optional(),
  NIGHTJAR_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  /** Addresses of proxies whose `X-Forwarded-*` headers are believed, separated by commas. */
  NIGHTJAR_TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
  NIGHTJAR_SEED_CAMERAS: seedCamerasSchema.default([]),
  /** Where the built console lies. */
  NIGHTJAR_CONSOLE_DIR: z.string().default(BUILT_CONSOLE),
});

export interface ServerConfig {
  readonly databaseUrl: string;
  readonly redisUrl?: string;
  readonly host: string;
  readonly port: number;
  readonly rtmpPort: number;
  readonly adminPassword?: string;
  readonly secretKey: string;
  readonly internalSecret: string;
  /** Where the others have been told to look for the internal door. */
  readonly serverUrl?: string;
  readonly internalHost: string;
  readonly internalPort: number;
  readonly logLevel: string;
  readonly trustedProxies: readonly string[];
  readonly consoleDirectory: string;
  readonly seedCameras: z.output<typeof seedCamerasSchema>;
}

/** Throws `invalid-argument` naming every faulty variable. */
export function readServerConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ServerConfig {
  const settings = readConfig(settingsSchema, environment);
  const announced = settings.NIGHTJAR_SERVER_URL;
  return {
    databaseUrl: settings.DATABASE_URL,
    ...(settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL }),
    host: settings.NIGHTJAR_HOST,
    port: settings.NIGHTJAR_PORT,
    rtmpPort: settings.NIGHTJAR_RTMP_PORT,
    ...(settings.NIGHTJAR_ADMIN_PASSWORD === undefined
      ? {}
      : { adminPassword: settings.NIGHTJAR_ADMIN_PASSWORD }),
    secretKey: settings.NIGHTJAR_SECRET_KEY,
    internalSecret: settings.NIGHTJAR_INTERNAL_SECRET,
    ...(announced === undefined ? {} : { serverUrl: announced.replace(/\/$/, '') }),
    internalHost: settings.NIGHTJAR_INTERNAL_HOST,
    // Where the others have been told to look for this door.
    internalPort:
      settings.NIGHTJAR_INTERNAL_PORT ??
      (announced === undefined ? 0 : Number(new URL(announced).port || 80)),
    logLevel: settings.NIGHTJAR_LOG_LEVEL,
    trustedProxies: settings.NIGHTJAR_TRUSTED_PROXIES,
    consoleDirectory: settings.NIGHTJAR_CONSOLE_DIR,
    seedCameras: settings.NIGHTJAR_SEED_CAMERAS,
  };
}
