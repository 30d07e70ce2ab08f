// Opens the footage for a tool that looks at it while no recorder runs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { ChunkStore, WARM_IDENTITY_FILE } from '#store';
import { Timeline } from '#timeline';
import type { CommandOptions } from './options.js';

/** Directories of the warm tier that are not there are away: a tool makes none. */
export function openStore({ storeDirs, warmDirs, mend }: CommandOptions): Promise<ChunkStore> {
  const directories = warmDirs.filter((path) => existsSync(join(path, WARM_IDENTITY_FILE)));
  return ChunkStore.open({
    directories: storeDirs,
    warm: { directories },
    // What is written to while a recorder writes to it, too, would be damaged.
    exclusive: mend,
    clock: systemClock,
    log: silentLog(),
  });
}

export function openTimeline(directory: string): Promise<Timeline> {
  return Timeline.open({ directory, clock: systemClock, log: silentLog() });
}
