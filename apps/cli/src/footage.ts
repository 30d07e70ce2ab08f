// Opens the footage for a tool that looks at it while no recorder runs.

import { silentLog, systemClock } from '#base';
import { ChunkStore } from '#store';
import { Timeline } from '#timeline';
import type { CommandOptions } from './options.js';

export function openStore({ storeDirs }: CommandOptions): Promise<ChunkStore> {
  return ChunkStore.open({ directories: storeDirs, clock: systemClock, log: silentLog() });
}

export function openTimeline(directory: string): Promise<Timeline> {
  return Timeline.open({ directory, clock: systemClock, log: silentLog() });
}
