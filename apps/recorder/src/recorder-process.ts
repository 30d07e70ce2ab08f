// The running recorder: first it records, then it opens its door, then it says that it is there.

import type { Clock, Log, Shutdown } from '#base';
import type { RecorderConfig } from './config.js';
import { openParts } from './open-parts.js';
import type { Parts } from './parts.js';

export interface RunningRecorder {
  /** The internal door, as others reach it. */
  readonly url: string;
  readonly parts: Parts;
}

export async function startRecorder(o: {
  config: RecorderConfig;
  clock: Clock;
  log: Log;
  shutdown: Shutdown;
}): Promise<RunningRecorder> {
  const parts = await openParts(o);
  // Loaded only now: after a crash every moment counts, and the framework takes most of a second.
  const { openInternalDoor } = await import('./internal-door.js');
  const url = await openInternalDoor(parts, o.shutdown);
  parts.link.start(url);
  o.log.info({ url, cameras: parts.recorder.reports().length }, 'recording');
  return { url, parts };
}
