// `nightjar check`: does the index agree with the chunks on disk, group by group?

import { existsSync } from 'node:fs';
import { NightjarError } from '#base';
import { foldGroups, type ListedPlace, type RecordedGroup, type ScannedChunk } from '#store';
import type { Timeline } from '#timeline';
import { openStore, openTimeline, withKnownWarm } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

export async function check(options: CommandOptions, progress: Progress): Promise<Report> {
  if (!existsSync(options.indexDir)) {
    throw new NightjarError(
      'not-found',
      `expected an index at ${options.indexDir}; nightjar rebuild-index makes one`,
    );
  }
  // A recorder that runs holds the index: that is said before anything is read.
  const timeline = await openTimeline(options.indexDir);
  const store = await openStore(await withKnownWarm(options, timeline)).catch(
    async (error: unknown) => {
      await timeline.close();
      throw error;
    },
  );
  const faults: string[] = [];
  let chunks = 0;
  let bytes = 0;
  let groups = 0;
  try {
    const seen = new Set<number>();
    const total = await store.countChunks();
    const onUnreadable = ({ id, path }: ListedPlace, why: string) => {
      seen.add(id);
      faults.push(`${path}: ${why}`);
    };
    for await (const scanned of store.scanAll({ onUnreadable })) {
      chunks += 1;
      bytes += scanned.chunk.sizeBytes;
      seen.add(scanned.chunk.id);
      progress({ done: chunks, total, unit: 'chunks', bytes });
      groups += await compare(scanned, timeline, faults);
    }
    for (const { camera } of await timeline.usage()) {
      for (const row of await timeline.chunksOf(camera)) {
        if (!seen.has(row.id)) faults.push(`${row.path}: in the index, but not on disk`);
      }
    }
  } finally {
    await timeline.close();
    await store.close();
  }
  const summary = `${chunks} chunks, ${groups} groups, ${(bytes / 1e9).toFixed(2)} GB: ${
    faults.length === 0 ? 'index and chunks agree' : `${faults.length} faults`
  }`;
  return {
    ok: faults.length === 0,
    lines: [...faults, summary],
    facts: { chunks, groups, bytes, faults },
  };
}

/** Adds what differs to `faults`; gives how many groups the chunk holds. */
async function compare(
  { chunk, records, state, damaged, tornBytes }: ScannedChunk,
  timeline: Timeline,
  faults: string[],
): Promise<number> {
  const row = await timeline.chunk(chunk.id);
  if (row === undefined) faults.push(`${chunk.path}: on disk, but not in the index`);
  else if (row.sizeBytes !== chunk.sizeBytes) {
    faults.push(`${chunk.path}: ${chunk.sizeBytes} bytes on disk, ${row.sizeBytes} in the index`);
  }
  if (tornBytes > 0) faults.push(`${chunk.path}: ${tornBytes} torn bytes at its end`);
  for (const range of damaged) {
    faults.push(`${chunk.path}: ${range.length} damaged bytes at ${range.offset}`);
  }
  if (state === 'missing' || records.length === 0) return 0;
  const found = foldGroups(records);
  const known = new Map(
    (
      await timeline.groups(chunk.camera, chunk.track, {
        fromUnixUs: chunk.firstUnixUs,
        toUnixUs: chunk.lastUnixUs,
      })
    )
      .filter((group) => group.chunkId === chunk.id)
      .map((group) => [group.offset, group]),
  );
  for (const group of found) {
    const other = known.get(group.offset);
    if (other === undefined || !isSame(group, other)) {
      faults.push(`${chunk.path}: the group at ${group.offset} is not as the index says`);
    }
    known.delete(group.offset);
  }
  for (const offset of known.keys()) {
    faults.push(`${chunk.path}: the index has a group at ${offset} that is not there`);
  }
  return found.length;
}

function isSame(a: RecordedGroup, b: RecordedGroup): boolean {
  return (
    a.startUnixUs === b.startUnixUs &&
    a.durationUs === b.durationUs &&
    a.length === b.length &&
    a.frameCount === b.frameCount
  );
}
