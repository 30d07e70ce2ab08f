// What every command is told: where the data lies, and how to report.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NightjarError } from '#base';

export interface CommandOptions {
  readonly indexDir: string;
  readonly storeDirs: readonly string[];
  /** Of the warm tier, this recorder's own; empty when there is none. */
  readonly warmDirs: readonly string[];
  readonly json: boolean;
  /** Write lost and damaged shards of the warm tier anew. */
  readonly mend: boolean;
  /** A directory that takes the place of a lost one. */
  readonly dir?: string;
  readonly camera?: string;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly out?: string;
}

/** Throws invalid-argument with a sentence for the person at the terminal. */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        'data-dir': { type: 'string' },
        store: { type: 'string', multiple: true },
        warm: { type: 'string', multiple: true },
        recorder: { type: 'string' },
        mend: { type: 'boolean', default: false },
        dir: { type: 'string' },
        json: { type: 'boolean', default: false },
        camera: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        out: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new NightjarError('invalid-argument', (error as Error).message);
  }
  const dataDir = resolve(values['data-dir'] ?? environment.NIGHTJAR_DATA_DIR ?? './data');
  const recorder = values.recorder ?? environment.NIGHTJAR_RECORDER_ID ?? 'recorder-1';
  const shared = (environment.NIGHTJAR_STORE_DIRS ?? join(dataDir, 'store'))
    .split(',')
    .map((path) => resolve(path.trim()));
  // Further recorders of a machine have a directory of their own on each disk.
  const own = shared.map((path) => join(path, recorder)).filter((path) => existsSync(path));
  const storeDirs =
    values.store?.map((path) => resolve(path.trim())) ?? (own.length > 0 ? own : shared);
  for (const path of storeDirs) {
    // Opening a store makes a directory that is not there; a tool that only looks must not.
    if (!existsSync(path)) {
      throw new NightjarError(
        'not-found',
        `expected a store directory at ${path}; name it with --store`,
      );
    }
  }
  const warmDirs = (values.warm ?? environment.NIGHTJAR_WARM_DIRS?.split(',') ?? []).map((path) =>
    join(resolve(path.trim()), recorder),
  );
  const from = readInstant('from', values.from);
  const to = readInstant('to', values.to);
  return {
    indexDir: join(dataDir, recorder, 'index'),
    storeDirs,
    warmDirs,
    json: values.json,
    mend: values.mend,
    ...(values.dir === undefined ? {} : { dir: join(resolve(values.dir), recorder) }),
    ...(values.camera === undefined ? {} : { camera: values.camera }),
    ...(from === undefined ? {} : { fromUnixMs: from }),
    ...(to === undefined ? {} : { toUnixMs: to }),
    ...(values.out === undefined ? {} : { out: resolve(values.out) }),
  };
}

function readInstant(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const unixMs = /^\d{9,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(unixMs)) {
    throw new NightjarError(
      'invalid-argument',
      `expected an ISO 8601 time or Unix milliseconds for --${name}, found ${text}`,
    );
  }
  return unixMs;
}
