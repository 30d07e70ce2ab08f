// Opens the footage for a tool that looks at it while no recorder runs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NightjarError, silentLog, systemClock } from '#base';
import { ChunkStore, nodeFiles, WARM_IDENTITY_FILE, type ChunkFiles } from '#store';
import { knownDirectories, Timeline } from '#timeline';
import type { CommandOptions } from './options.js';

export type Footage = Pick<CommandOptions, 'storeDirs' | 'warmDirs' | 'mend'>;

/** A disk that takes no writes any more still gives its footage. */
const READ_ONLY: ChunkFiles = { ...nodeFiles, assertWritable: () => Promise.resolve() };

/** The warm tier of the index, where none was named: footage there is footage all the same. */
export async function withKnownWarm<T extends Footage>(options: T, timeline: Timeline): Promise<T> {
  if (options.warmDirs.length > 0) return options;
  return { ...options, warmDirs: [...(await knownDirectories(timeline, 'warm')).keys()] };
}

/** Said where the index, which a recorder may use, was not asked: chunks of a tier may be missing. */
export function warmHint({ warmDirs }: Footage): string[] {
  if (warmDirs.length > 0) return [];
  return ['no directory of a warm tier was named (--warm): if there is one, it was not looked at'];
}

/** Directories of the warm tier that are not there are away: a tool makes none. */
export async function openStore({ storeDirs, warmDirs, mend }: Footage): Promise<ChunkStore> {
  const directories = warmDirs.filter((path) => existsSync(join(path, WARM_IDENTITY_FILE)));
  const store = await ChunkStore.open({
    directories: storeDirs,
    warm: { directories },
    // What is written to while a recorder writes to it, too, would be damaged.
    exclusive: mend,
    ...(mend ? {} : { files: READ_ONLY }),
    clock: systemClock,
    log: silentLog(),
  });
  const refused = store.directories.find(({ state }) => state === 'failed');
  if (refused === undefined) return store;
  await store.close();
  throw new NightjarError(
    'failed-precondition',
    `the store at ${refused.path} cannot be used: ${refused.reason ?? 'nobody knows why'}`,
  );
}

export function openTimeline(directory: string): Promise<Timeline> {
  return Timeline.open({ directory, clock: systemClock, log: silentLog() });
}
