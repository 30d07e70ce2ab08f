// Which of the faults are everybody's concern: those of cameras are told beside the cameras.

import type { Health } from '#contract';

export function alarmsOf(health: Health): Health['faults'] {
  return health.faults.filter(({ kind }) => kind !== 'camera');
}

/** For the dot at the way to the storage page. */
export function storageLevel(health: Health): 'bad' | 'warn' | undefined {
  if (alarmsOf(health).length > 0) return 'bad';
  return health.warnings.length > 0 ? 'warn' : undefined;
}
