// Which store was at which path when a recorder opened it last: of its store directories, and of
// those of its warm tier.

import type { Timeline } from './timeline.js';

const KEYS = { store: 'store/directories', warm: 'warm/directories' } as const;
type Tier = keyof typeof KEYS;

/** Identities by path, of paths that are no longer used, too. */
export async function knownDirectories(
  timeline: Timeline,
  tier: Tier,
): Promise<Map<string, string>> {
  const bytes = await timeline.getSetting(KEYS[tier]);
  if (bytes === undefined) return new Map();
  return new Map(JSON.parse(Buffer.from(bytes).toString()) as [string, string][]);
}

/** Adds those that have an identity. */
export async function rememberDirectories(
  timeline: Timeline,
  tier: Tier,
  directories: readonly { readonly path: string; readonly id?: string }[],
): Promise<void> {
  const known = await knownDirectories(timeline, tier);
  for (const { path, id } of directories) if (id !== undefined) known.set(path, id);
  await timeline.putSetting(KEYS[tier], Buffer.from(JSON.stringify([...known])));
}
