// `nightjar rebuild-index`: makes the index again from the chunks alone, beside the old one, which is
// kept aside when the new one is whole; what only an index knows (gaps, motion, holds, deletions,
// settings) is taken over from it when it still opens.

import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { systemClock } from '#base';
import { foldGroups } from '#store';
import type { Timeline } from '#timeline';
import { openStore, openTimeline, withKnownWarm } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

const ALWAYS_UNIX_US = Number.MAX_SAFE_INTEGER;
const PAGE = 1000;

export async function rebuildIndex(options: CommandOptions, progress: Progress): Promise<Report> {
  const { indexDir } = options;
  // A recorder that runs holds the index open: opening it here says so before anything is made.
  const old = existsSync(indexDir) ? await openOld(indexDir) : undefined;
  try {
    const store = await openStore(old === undefined ? options : await withKnownWarm(options, old));
    const fresh = `${indexDir}.new`;
    try {
      // Of one that was killed.
      await rm(fresh, { recursive: true, force: true });
      const timeline = await openTimeline(fresh);
      const done = await fill(timeline, { store, old, progress }).finally(() => timeline.close());
      await old?.close();
      const kept = existsSync(indexDir) ? `${indexDir}.${systemClock.nowUnixMs()}` : undefined;
      if (kept !== undefined) await rename(indexDir, kept);
      await rename(fresh, indexDir);
      return reportOf(done, { hasOld: old !== undefined, kept });
    } finally {
      // Of one that was not finished.
      await rm(fresh, { recursive: true, force: true });
      await store.close();
    }
  } finally {
    await old?.close();
  }
}

/** Undefined for an index that is damaged. */
async function openOld(directory: string): Promise<Timeline | undefined> {
  try {
    return await openTimeline(directory);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'data-loss') return undefined;
    throw error;
  }
}

interface Done {
  chunks: number;
  groups: number;
  damagedBytes: number;
  readonly cameras: Set<string>;
  readonly unreadable: string[];
  taken: Taken;
}

async function fill(
  timeline: Timeline,
  o: {
    store: Awaited<ReturnType<typeof openStore>>;
    old: Timeline | undefined;
    progress: Progress;
  },
): Promise<Done> {
  const done: Done = {
    ...{ chunks: 0, groups: 0, damagedBytes: 0, taken: NOTHING },
    ...{ cameras: new Set<string>(), unreadable: [] },
  };
  const total = await o.store.countChunks();
  let bytes = 0;
  const onUnreadable = ({ path }: { path: string }, why: string) => {
    done.unreadable.push(`${path}: ${why}`);
  };
  let seen = 0;
  for await (const { chunk, records, damaged } of o.store.scanAll({ onUnreadable })) {
    done.damagedBytes += damaged.reduce((sum, range) => sum + range.length, 0);
    bytes += chunk.sizeBytes;
    o.progress({ done: (seen += 1), total, unit: 'chunks', bytes });
    if (records.length === 0) continue;
    const rows = foldGroups(records);
    await timeline.commit({ groups: rows, chunks: [chunk] });
    done.cameras.add(chunk.camera);
    done.chunks += 1;
    done.groups += rows.length;
  }
  if (o.old !== undefined) done.taken = await takeOver(o.old, timeline, done.cameras);
  await timeline.commit({}, { sync: true });
  return done;
}

function reportOf(
  { chunks, groups, cameras, damagedBytes, unreadable, taken }: Done,
  { hasOld, kept }: { hasOld: boolean; kept: string | undefined },
): Report {
  const took = `${taken.gaps} gaps, ${taken.motion} events of motion, ${taken.holds} holds and ${taken.deletions} deletions are taken over`;
  return {
    ok: unreadable.length === 0,
    lines: [
      ...unreadable,
      `${chunks} chunks with ${groups} groups of ${cameras.size} cameras are indexed`,
      ...(hasOld ? [took] : []),
      ...(kept !== undefined && !hasOld
        ? ['the old index does not open: its gaps, motion and holds are not taken over']
        : []),
      ...(damagedBytes === 0 ? [] : [`${damagedBytes} bytes belong to no valid record`]),
      ...(kept === undefined ? [] : [`the old index is kept at ${kept}`]),
    ],
    facts: {
      ...{ chunks, groups, ...taken, cameras: cameras.size, damagedBytes, unreadable },
      ...(kept === undefined ? {} : { kept }),
    },
  };
}

interface Taken {
  readonly gaps: number;
  readonly motion: number;
  readonly holds: number;
  readonly deletions: number;
}

const NOTHING: Taken = { gaps: 0, motion: 0, holds: 0, deletions: 0 };

async function takeOver(old: Timeline, timeline: Timeline, cameras: Set<string>): Promise<Taken> {
  const taken = { ...NOTHING, holds: old.holds().length };
  await timeline.putHolds(old.holds());
  for (const [key, value] of await old.settings()) await timeline.putSetting(key, value);
  for (const camera of cameras) {
    const gaps = await old.gaps(camera, 0, ALWAYS_UNIX_US);
    await timeline.commit({ gaps });
    taken.gaps += gaps.length;
    let cursor: string | undefined;
    do {
      const page = await old.motion({
        cameras: [camera],
        fromUnixUs: 0,
        toUnixUs: ALWAYS_UNIX_US,
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      await timeline.commit({ motion: page.items });
      taken.motion += page.items.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  for (let after: string | undefined, more = true; more;) {
    const page = await old.deletions({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    await timeline.commit({ deletions: page });
    taken.deletions += page.length;
    after = page.at(-1)?.id;
    more = page.length === PAGE;
  }
  return taken;
}
