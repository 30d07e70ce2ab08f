// The groups of a batch: which of them are put, and which time they cover.

import type { GroupRow, TimelineBatch } from './rows.js';
import { coalesce, spanOf, type Span, type TrackKey } from './spans.js';

/** Several batches may come as one: without what a later one cut off or removed. */
export function groupsWithin({
  groups = [],
  chunks = [],
  removedChunks = [],
}: TimelineBatch): readonly GroupRow[] {
  const ends = new Map(removedChunks.map((id) => [id, 0]));
  const largest = new Map<number, number>();
  for (const { id, sizeBytes } of chunks) {
    const before = largest.get(id) ?? 0;
    largest.set(id, Math.max(before, sizeBytes));
    if (sizeBytes < before) ends.set(id, Math.min(sizeBytes, ends.get(id) ?? Infinity));
  }
  if (ends.size === 0) return groups;
  return groups.filter(
    ({ chunkId, offset, length }) => offset + length <= (ends.get(chunkId) ?? Infinity),
  );
}

export function spansByTrack(groups: readonly GroupRow[]): { key: TrackKey; spans: Span[] }[] {
  const tracks = new Map<string, { key: TrackKey; spans: Span[] }>();
  for (const row of groups) {
    const { camera, track } = row;
    const name = `${camera}/${track}`;
    const entry = tracks.get(name);
    if (entry === undefined) tracks.set(name, { key: { camera, track }, spans: [spanOf(row)] });
    else entry.spans.push(spanOf(row));
  }
  return [...tracks.values()].map(({ key, spans }) => ({ key, spans: coalesce(spans) }));
}
