// What a start does before the first camera runs: brings the index in line with the chunks, whatever
// a crash or a power cut left of both, and reads of the chunks only what the index lacks.

import type { Clock, Log } from '#base';
import { foldGroups, recordsEndOf, type ChunkStore, type ScannedChunk } from '#store';
import type { ChunkRow, GroupRow, Timeline } from '#timeline';
import { dropDoubledGroups, liesElsewhere } from './doubled-groups.js';

export interface RecoveryParts {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly log: Log;
}

/** A chunk whose rows are whole up to `sizeBytes`. */
interface Tail {
  readonly row: ChunkRow;
  readonly endBytes: number;
  /** The last row in front of that; a record behind it may go on with it. */
  readonly last: GroupRow | undefined;
  /** The index says that the chunk is longer. */
  readonly hasHole: boolean;
}

/**
 * Keeps S2 for the index: every record on disk has its row afterwards. Sealed chunks are opened only
 * where their rows have a hole. Gives whether the life before ended in order; where it did not, what
 * each camera takes is to be counted anew.
 */
export async function recoverFootage(parts: RecoveryParts): Promise<{ isClean: boolean }> {
  const { store, timeline, log } = parts;
  const { chunks, provenId, isClean } = await timeline.suspects();
  const tails = new Map<number, Tail>();
  for (const row of chunks) {
    const tail = tailOf(row, await timeline.groupsOf(row));
    if (!row.sealed || tail.hasHole) tails.set(row.id, tail);
  }
  await timeline.relink(chunks);
  const unsealed = [...tails.values()].map(({ row, endBytes }) => ({
    ...row,
    sizeBytes: endBytes,
    sealed: false,
  }));
  /** Where the spans of a track may be wrong from. */
  const torn = new Map<string, { chunk: ChunkRow; fromUnixUs: number }>();
  const open: ChunkRow[] = [];
  for await (const scanned of store.recover({
    unsealed,
    provenId,
    find: (id) => timeline.chunk(id),
  })) {
    const { chunk } = scanned;
    const tail = tails.get(chunk.id);
    await indexRecovered(parts, scanned, tail);
    if (scanned.state !== 'missing' && !chunk.sealed) open.push(chunk);
    if (scanned.state === 'missing') continue;
    const newest = { track: chunk.track, reverse: true, limit: 1 } as const;
    const [last] = await timeline.chunksOf(chunk.camera, newest);
    if (tail?.hasHole !== true && last?.id === chunk.id) continue;
    const key = `${chunk.camera}/${chunk.track}`;
    const fromUnixUs = Math.min(
      torn.get(key)?.fromUnixUs ?? Infinity,
      tail?.last?.startUnixUs ?? chunk.firstUnixUs,
    );
    torn.set(key, { chunk, fromUnixUs });
    log.warn({ chunk: chunk.path }, 'the index had lost rows of a chunk: they are put anew');
  }
  for (const { chunk, fromUnixUs } of torn.values()) {
    await timeline.rederiveSpans(chunk.camera, chunk.track, fromUnixUs);
  }
  await dropDoubledGroups(parts, open);
  // One sync for all of it; what a crash loses of it is found again.
  await timeline.commitSafePoint();
  return { isClean };
}

function tailOf(row: ChunkRow, groups: readonly GroupRow[]): Tail {
  const wholeBytes = recordsEndOf(row);
  let endBytes = 0;
  let last: GroupRow | undefined;
  for (const group of groups) {
    if (group.offset !== endBytes) break;
    endBytes += group.length;
    last = group;
  }
  const hasHole = endBytes < wholeBytes;
  return { row, endBytes: hasHole ? endBytes : row.sizeBytes, last, hasHole };
}

/** Puts what a scan found behind the last whole row into the index. */
async function indexRecovered(
  { timeline, clock, log }: RecoveryParts,
  scanned: ScannedChunk,
  tail: Tail | undefined,
): Promise<void> {
  const { chunk, records, state, tornBytes } = scanned;
  if (state === 'missing') {
    // It comes behind those that are there.
    if (await liesElsewhere(timeline, tail?.row ?? chunk)) {
      await timeline.commit({ removedChunks: [chunk.id] });
      return;
    }
    log.error({ chunk: chunk.path }, 'a chunk file is missing: its footage is lost');
    await timeline.dropChunk(chunk.id, {
      atUnixUs: clock.nowUnixUs(),
      camera: chunk.camera,
      track: chunk.track,
      chunkPath: chunk.path,
      fromUnixUs: chunk.firstUnixUs,
      toUnixUs: chunk.lastUnixUs,
      bytes: (tail?.row ?? chunk).sizeBytes,
      rule: 'missing',
    });
    return;
  }
  const groups = foldGroups(records, tail?.last);
  if (tornBytes > 0 || groups.length > 0) {
    log.info({ chunk: chunk.path, groups: groups.length, tornBytes }, 'recovered a chunk');
  }
  await timeline.commit({ groups, chunks: [chunk] });
}
