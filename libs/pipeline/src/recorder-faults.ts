// What is wrong with a whole recorder: for whoever looks after it as a sentence with its paths, for
// everybody else as a kind.

import type { ChunkStore } from '#store';
import type { Retention } from './retention.js';

export interface RecorderFault {
  readonly kind: 'disk-failed' | 'disk-full' | 'disk-slow' | 'disk-low' | 'warm-tier' | 'index';
  readonly message: string;
  /** The same for directories on one file system; absent where none is known. */
  readonly device?: string;
}

export function recorderFaults(o: {
  readonly store: ChunkStore;
  readonly retention: Retention;
  readonly indexFailure: string | undefined;
}): RecorderFault[] {
  const { store, retention, indexFailure } = o;
  const faults: RecorderFault[] = [];
  for (const { path, state, reason, device } of store.directories) {
    if (state === 'ok') continue;
    faults.push({
      ...{ kind: `disk-${state}`, message: `${path}: ${reason ?? state}` },
      ...(device === undefined ? {} : { device }),
    });
  }
  if (store.warm?.fault !== undefined) {
    faults.push({ kind: 'warm-tier', message: store.warm.fault });
  }
  faults.push(...retention.alarms.map((message) => ({ kind: 'disk-low' as const, message })));
  if (indexFailure !== undefined) faults.push({ kind: 'index', message: indexFailure });
  return faults;
}
