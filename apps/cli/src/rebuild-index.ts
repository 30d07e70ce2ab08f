// `nightjar rebuild-index`: makes the index again from the chunks alone. The old one is kept aside,
// and what only an index knows (gaps, holds) is taken over from it when it still opens.

import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { systemClock } from '#base';
import { foldGroups } from '#store';
import type { Timeline } from '#timeline';
import { openStore, openTimeline } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Report } from './report.js';

const ALWAYS_UNIX_US = Number.MAX_SAFE_INTEGER;

export async function rebuildIndex(
  options: CommandOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const store = await openStore(options);
  let kept: string | undefined;
  let old: Timeline | undefined;
  if (existsSync(options.indexDir)) {
    kept = `${options.indexDir}.${systemClock.nowUnixMs()}`;
    // A recorder that runs holds the index open: opening it here says so before anything moves.
    const opened = await openTimeline(options.indexDir).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'failed-precondition') throw error;
      return undefined;
    });
    await opened?.close();
    await rename(options.indexDir, kept);
    if (opened !== undefined) old = await openTimeline(kept);
  }
  const timeline = await openTimeline(options.indexDir);
  let chunks = 0;
  let groups = 0;
  let damagedBytes = 0;
  const cameras = new Set<string>();
  try {
    for await (const { chunk, records, damaged } of store.scanAll()) {
      damagedBytes += damaged.reduce((sum, range) => sum + range.length, 0);
      if (records.length === 0) continue;
      const rows = foldGroups(records);
      await timeline.commit({ groups: rows, chunks: [chunk] });
      cameras.add(chunk.camera);
      chunks += 1;
      groups += rows.length;
      progress(`${chunks} chunks, ${groups} groups`);
    }
    let gaps = 0;
    if (old !== undefined) gaps = await takeOver(old, timeline, cameras);
    await timeline.commit({}, { sync: true });
    return {
      ok: true,
      lines: [
        `${chunks} chunks with ${groups} groups of ${cameras.size} cameras are indexed`,
        ...(old === undefined ? [] : [`${gaps} gaps and all holds are taken over`]),
        ...(damagedBytes === 0 ? [] : [`${damagedBytes} bytes belong to no valid record`]),
        ...(kept === undefined ? [] : [`the old index is kept at ${kept}`]),
      ],
      facts: { chunks, groups, gaps, cameras: cameras.size, damagedBytes, kept },
    };
  } finally {
    await old?.close();
    await timeline.close();
    await store.close();
  }
}

/** Gives the number of gaps taken over. */
async function takeOver(old: Timeline, timeline: Timeline, cameras: Set<string>): Promise<number> {
  await timeline.putHolds(old.holds());
  let count = 0;
  for (const camera of cameras) {
    const gaps = await old.gaps(camera, 0, ALWAYS_UNIX_US);
    await timeline.commit({ gaps });
    count += gaps.length;
    let cursor: string | undefined;
    do {
      const page = await old.motion({
        cameras: [camera],
        fromUnixUs: 0,
        toUnixUs: ALWAYS_UNIX_US,
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      await timeline.commit({ motion: page.items });
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return count;
}
