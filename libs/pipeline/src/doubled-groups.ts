// Groups that lie in two chunks: their disk hung, they were written again elsewhere, and the process
// ended before the first chunk was cut. One of the two goes.

import type { Log } from '#base';
import type { ChunkStore } from '#store';
import type { ChunkRow, GroupRow, Timeline } from '#timeline';

interface Parts {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly log: Log;
}

/**
 * A chunk is cut only at its end, so the copy that is not the last group of its chunk stays. Of two
 * that are, the longer one stays: the other was cut short by the same end; of two alike the younger.
 * `unsealed` are all chunks without a seal; one that was left is among them.
 */
export async function dropDoubledGroups(
  parts: Parts,
  unsealed: readonly ChunkRow[],
): Promise<void> {
  const { timeline } = parts;
  /** Tracks with a chunk that may have been left: behind it there is a younger one. */
  const tracks = new Set<string>();
  for (const chunk of unsealed) {
    const { id, camera, track } = chunk;
    const [newest] = await timeline.chunksOf(camera, { track, reverse: true, limit: 1 });
    if (newest?.id !== id) tracks.add(trackOf(chunk));
  }
  // Also the younger one: it may have got no further than the first of several groups.
  const suspects = unsealed.filter((chunk) => tracks.has(trackOf(chunk)));
  const waiting = new Set(suspects.map(({ id }) => id));
  for (const id of waiting) {
    const chunk = await timeline.chunk(id);
    if (chunk === undefined || chunk.sealed) continue;
    const groups = await timeline.groupsOf(chunk);
    const last = groups.at(-1);
    const twin = last === undefined ? undefined : await twinOf(timeline, last);
    if (last === undefined || twin === undefined) continue;
    const other = await timeline.chunk(twin.chunkId);
    const isOtherLast =
      other?.sealed === false && (await timeline.groupsOf(other)).at(-1)?.offset === twin.offset;
    if (other !== undefined && isOtherLast && isBetter(last, twin)) {
      await cut(parts, other, twin);
      // What lies in front of it may be doubled, too.
      waiting.delete(other.id);
      waiting.add(other.id);
    } else await cut(parts, chunk, last);
    waiting.delete(id);
    waiting.add(id);
  }
}

function trackOf({ camera, track }: ChunkRow): string {
  return `${camera}/${track}`;
}

async function twinOf(timeline: Timeline, group: GroupRow): Promise<GroupRow | undefined> {
  const { camera, track, startUnixUs } = group;
  const range = { fromUnixUs: startUnixUs, toUnixUs: startUnixUs + 1 };
  const rows = await timeline.groups(camera, track, range);
  return rows.find(
    (row) =>
      row.startUnixUs === startUnixUs && row.run === group.run && row.chunkId !== group.chunkId,
  );
}

/** Whether every group of the chunk is whole in another one: it was left, and removed for that. */
export async function liesElsewhere(timeline: Timeline, chunk: ChunkRow): Promise<boolean> {
  const groups = await timeline.groupsOf(chunk);
  for (const group of groups) {
    const twin = await twinOf(timeline, group);
    if (twin === undefined || twin.frameCount < group.frameCount) return false;
  }
  return groups.length > 0;
}

function isBetter(a: GroupRow, b: GroupRow): boolean {
  return a.frameCount === b.frameCount ? a.chunkId > b.chunkId : a.frameCount > b.frameCount;
}

/** Takes `group`, its last one, off the chunk: first in the index, so that a crash repeats it. */
async function cut({ store, timeline, log }: Parts, chunk: ChunkRow, group: GroupRow) {
  const before = (await timeline.groupsOf(chunk)).filter((row) => row.offset < group.offset);
  const ends = before.map((row) => row.startUnixUs + row.durationUs);
  const kept =
    before.length === 0
      ? undefined
      : { ...chunk, sizeBytes: group.offset, lastUnixUs: Math.max(...ends) };
  log.info({ chunk: chunk.path, from: group.offset }, 'footage lies in another chunk, too: cut');
  await timeline.commit(kept === undefined ? { removedChunks: [chunk.id] } : { chunks: [kept] });
  try {
    await store.cutRecovered(chunk, kept);
  } catch (error) {
    // Recording on the other disks goes on; the next start finds it again.
    log.error({ chunk: chunk.path, err: error }, 'footage that lies in another chunk, too, stays');
  }
}
