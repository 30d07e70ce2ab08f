// Reads the settings that a person may give, checks all of them together, and keeps the secrets
// that the processes of this installation share.

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Name, what it does, default: printed by `npm start -- --help`. */
export const SETTINGS = [
  ['NIGHTJAR_DATA_DIR', 'where everything is kept', './data'],
  ['NIGHTJAR_STORE_DIRS', 'directories for footage, separated by commas', '<data>/store'],
  ['NIGHTJAR_RECORDERS', 'recorder processes that share the cameras', 'one per core'],
  ['NIGHTJAR_HOST', 'address that the console and the API listen on', '0.0.0.0'],
  ['NIGHTJAR_PORT', 'port that the console and the API listen on', '8080'],
  ['NIGHTJAR_RTMP_PORT', 'port for cameras that push; open only while there is one', '1935'],
  ['NIGHTJAR_ADMIN_PASSWORD', 'first password of user admin, on an empty installation', ''],
  ['DATABASE_URL', 'a PostgreSQL of yours instead of the embedded one', ''],
  ['REDIS_URL', 'a Redis for jobs instead of PostgreSQL', ''],
  [
    'NIGHTJAR_SECRET_KEY',
    'key for camera passwords at rest, 32 characters or more',
    'made and kept',
  ],
  ['NIGHTJAR_INTERNAL_SECRET', 'secret of the doors between processes', 'made and kept'],
  ['NIGHTJAR_LOG_LEVEL', 'trace, debug, info, warn or error', 'info'],
  ['NIGHTJAR_LOG_FORMAT', 'text or json', 'text on a terminal, else json'],
];

const MOST_RECORDERS = 64;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/**
 * @param {Record<string, string | undefined>} environment
 * @returns {{dataDir: string, storeDirs: string[], recorders: number, cores: number, host: string, port: number, databaseUrl?: string, environment: Record<string, string>}}
 * @throws Error with one line per fault.
 */
export function readSettings(environment) {
  const faults = [];
  const text = (name) => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const fail = (name, expected) => faults.push(`${name}: expected ${expected}`);

  for (const name of Object.keys(environment)) {
    if (/^NIGHTJAR_[A-Z_]+_DIRS?$/.test(name) && environment[name]?.includes('\0')) {
      fail(name, 'no zero byte');
    }
  }
  const dataDir = resolve(text('NIGHTJAR_DATA_DIR') ?? './data');
  const storeDirs = (text('NIGHTJAR_STORE_DIRS') ?? join(dataDir, 'store'))
    .split(',')
    .map((part) => part.trim());
  if (storeDirs.some((part) => part === '')) {
    fail('NIGHTJAR_STORE_DIRS', 'directories separated by single commas');
  }
  const absoluteStoreDirs = storeDirs.map((part) => (isAbsolute(part) ? part : resolve(part)));
  if (new Set(absoluteStoreDirs).size !== absoluteStoreDirs.length) {
    fail('NIGHTJAR_STORE_DIRS', 'every directory once');
  }
  const cores = availableParallelism();
  const recorders = Number(text('NIGHTJAR_RECORDERS') ?? Math.min(cores, MOST_RECORDERS));
  if (!Number.isInteger(recorders) || recorders < 1 || recorders > MOST_RECORDERS) {
    fail('NIGHTJAR_RECORDERS', `a number from 1 to ${MOST_RECORDERS}`);
  }
  const port = Number(text('NIGHTJAR_PORT') ?? 8080);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    fail('NIGHTJAR_PORT', 'a number from 1 to 65535');
  }
  const rtmpPort = Number(text('NIGHTJAR_RTMP_PORT') ?? 1935);
  if (!Number.isInteger(rtmpPort) || rtmpPort < 1 || rtmpPort > 65_535 || rtmpPort === port) {
    fail('NIGHTJAR_RTMP_PORT', 'a number from 1 to 65535 that is not NIGHTJAR_PORT');
  }
  const host = text('NIGHTJAR_HOST') ?? '0.0.0.0';
  if (!/^[0-9a-zA-Z.:_-]+$/.test(host)) fail('NIGHTJAR_HOST', 'an IP address or a host name');
  const password = text('NIGHTJAR_ADMIN_PASSWORD');
  if (password !== undefined && password.length < 8) {
    fail('NIGHTJAR_ADMIN_PASSWORD', 'at least 8 characters');
  }
  const databaseUrl = text('DATABASE_URL');
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\/./.test(databaseUrl)) {
    fail('DATABASE_URL', 'a URL that begins with postgres:// or postgresql://');
  }
  const redisUrl = text('REDIS_URL');
  if (redisUrl !== undefined && !/^rediss?:\/\/./.test(redisUrl)) {
    fail('REDIS_URL', 'a URL that begins with redis:// or rediss://');
  }
  for (const name of ['NIGHTJAR_SECRET_KEY', 'NIGHTJAR_INTERNAL_SECRET']) {
    if ((text(name)?.length ?? 32) < 32) fail(name, 'at least 32 characters');
  }
  const level = text('NIGHTJAR_LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(level)) fail('NIGHTJAR_LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`);
  const format = text('NIGHTJAR_LOG_FORMAT') ?? (process.stdout.isTTY ? 'text' : 'json');
  if (!['text', 'json'].includes(format)) fail('NIGHTJAR_LOG_FORMAT', 'text or json');

  if (faults.length > 0) {
    throw new Error(
      `these settings are not valid:\n${faults.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  return {
    dataDir,
    storeDirs: absoluteStoreDirs,
    recorders,
    cores,
    host,
    port,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    environment: {
      ...definedOnly(environment),
      NIGHTJAR_DATA_DIR: dataDir,
      NIGHTJAR_STORE_DIRS: absoluteStoreDirs.join(','),
      NIGHTJAR_HOST: host,
      NIGHTJAR_PORT: String(port),
      NIGHTJAR_RTMP_PORT: String(rtmpPort),
      NIGHTJAR_LOG_LEVEL: level,
      NIGHTJAR_LOG_FORMAT: format,
    },
  };
}

function definedOnly(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}

/** The secrets of this installation, made once and readable by its owner alone. */
export function readSecrets(dataDir) {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'secrets.json');
  if (existsSync(path)) {
    let secrets;
    try {
      secrets = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Error(`${path} is not valid JSON; restore it from a backup`, { cause: error });
    }
    for (const name of ['secretKey', 'internalSecret', 'databasePassword']) {
      if (typeof secrets[name] !== 'string') throw new Error(`${path} has no ${name}`);
    }
    chmodSync(path, 0o600);
    return secrets;
  }
  const make = () => randomBytes(32).toString('base64url');
  const secrets = { secretKey: make(), internalSecret: make(), databasePassword: make() };
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  renameSync(`${path}.new`, path);
  return secrets;
}
