// What the words of a camera's retention mean for a chunk: pure arithmetic, so that the pass that
// deletes, the forecast and the preview of a change cannot differ.

import type { TrackName } from '#media';
import type { ChunkRow, Timeline } from '#timeline';

export const DAY_US = 86_400_000_000;
const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
const EVENTS = 100;
const PAGE = 64;

export interface RetentionPolicy {
  /** The compliance window: footage older than this goes. */
  readonly days: number;
  /** For chunks of the main stream and its sound with a group in which something moved. */
  readonly motionDays?: number | undefined;
  /** For the sub stream. */
  readonly lowresDays?: number | undefined;
  /** Younger footage stays, whatever happens. */
  readonly minDays?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** When its disk has no room left; `oldest-first` where absent. */
  readonly whenFull?: 'oldest-first' | 'stop-recording' | undefined;
}

export type RetentionRule = 'age' | 'motion-age' | 'lowres-age' | 'camera-bytes' | 'disk-space';

/** After so many days footage of the track without movement goes. */
export function daysOf(policy: RetentionPolicy, track: TrackName): number {
  const days = track === 'sub' ? (policy.lowresDays ?? policy.days) : policy.days;
  return Math.max(days, policy.minDays ?? 0);
}

/** After so many days footage of the track with movement goes; never sooner than the other. */
export function motionDaysOf(policy: RetentionPolicy, track: TrackName): number {
  const days = daysOf(policy, track);
  return track === 'sub' ? days : Math.max(days, policy.motionDays ?? days);
}

export function shortestDaysOf(policy: RetentionPolicy): number {
  return Math.min(...TRACKS.map((track) => daysOf(policy, track)));
}

export function longestDaysOf(policy: RetentionPolicy): number {
  return Math.max(...TRACKS.map((track) => motionDaysOf(policy, track)));
}

export interface Expiry {
  readonly atUnixUs: number;
  readonly rule: RetentionRule;
}

/** When all of a chunk is over its time. By its last frame: no younger frame goes with it. */
export function expiryOf(policy: RetentionPolicy, chunk: ChunkRow, hasMotion: boolean): Expiry {
  const { track, lastUnixUs } = chunk;
  const plain = daysOf(policy, track);
  const days = hasMotion ? motionDaysOf(policy, track) : plain;
  const rule =
    days > plain
      ? 'motion-age'
      : track === 'sub' && policy.lowresDays !== undefined
        ? 'lowres-age'
        : 'age';
  return { atUnixUs: lastUnixUs + Math.round(days * DAY_US), rule };
}

/** Whether movement asks to keep the chunk longer: one of its groups overlaps a motion event. */
export async function hasMotion(
  timeline: Timeline,
  policy: RetentionPolicy,
  chunk: ChunkRow,
): Promise<boolean> {
  const { camera, track, firstUnixUs, lastUnixUs } = chunk;
  if (motionDaysOf(policy, track) <= daysOf(policy, track)) return false;
  let cursor: string | undefined;
  do {
    const page = await timeline.motion({
      cameras: [camera],
      // An event of no length at the very beginning counts.
      fromUnixUs: Math.max(0, firstUnixUs - 1),
      toUnixUs: lastUnixUs + 1,
      limit: EVENTS,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const event of page.items) {
      const endUnixUs = Math.max(event.endUnixUs, event.startUnixUs + 1);
      if (endUnixUs <= firstUnixUs) continue;
      const fromUnixUs = Math.max(event.startUnixUs, firstUnixUs);
      const toUnixUs = Math.min(endUnixUs, lastUnixUs + 1);
      const groups = await timeline.groups(camera, track, { fromUnixUs, toUnixUs });
      if (groups.some(({ chunkId }) => chunkId === chunk.id)) return true;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return false;
}

/** Chunks of a camera (of one track, if given), oldest first, whatever is deleted meanwhile. */
export async function* chunksByAge(
  timeline: Timeline,
  camera: string,
  query: { readonly track?: TrackName; readonly fromUnixUs?: number } = {},
): AsyncGenerator<ChunkRow> {
  let fromUnixUs = query.fromUnixUs ?? 0;
  let limit = PAGE;
  let seen = new Set<number>();
  for (;;) {
    const page = await timeline.chunksOf(camera, { ...query, fromUnixUs, limit });
    const fresh = page.filter(({ id }) => !seen.has(id));
    yield* fresh;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    // A page full of chunks that begin at one moment needs a longer one.
    if (fresh.length === 0) limit *= 2;
    if (last.firstUnixUs > fromUnixUs) seen = new Set();
    fromUnixUs = last.firstUnixUs;
    for (const { id } of page) seen.add(id);
  }
}
