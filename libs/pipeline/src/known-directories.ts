// Which store was found under which path, kept in the index: a disk that is missing has a name.

import type { StoreDirectory } from '#store';
import type { Timeline } from '#timeline';

type Tier = 'store' | 'warm';

/** Identities by path, as they were last seen. */
export async function knownDirectories(
  timeline: Timeline,
  tier: Tier,
): Promise<Map<string, string>> {
  const bytes = await timeline.getSetting(keyOf(tier));
  if (bytes === undefined) return new Map();
  return new Map(JSON.parse(Buffer.from(bytes).toString()) as [string, string][]);
}

export async function rememberDirectories(
  timeline: Timeline,
  tier: Tier,
  directories: readonly StoreDirectory[],
): Promise<void> {
  const known = await knownDirectories(timeline, tier);
  for (const { path, id } of directories) if (id !== undefined) known.set(path, id);
  await timeline.putSetting(keyOf(tier), Buffer.from(JSON.stringify([...known])));
}

function keyOf(tier: Tier): string {
  return `${tier}/directories`;
}
