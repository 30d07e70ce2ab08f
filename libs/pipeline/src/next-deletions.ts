// What goes next, when and under which rule: by age, for its camera's bytes, for space on its disk.

import type { TrackName } from '#media';
import type { ChunkRow, Timeline } from '#timeline';
import { excessOf, type Elsewhere } from './camera-share.js';
import { givingCameras, type Policies } from './oldest-first.js';
import {
  chunksByAge,
  DAY_US,
  expiryOf,
  hasMotion,
  type Expiry,
  type RetentionPolicy,
  type RetentionRule,
} from './retention-policy.js';

const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
/** So many held chunks in a row are looked past. */
const LOOK = 64;

export interface NextDeletion {
  readonly camera: string;
  readonly atUnixUs: number;
  readonly bytes: number;
  readonly rule: RetentionRule;
  /** Of its footage. */
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

export interface NextQuery {
  readonly timeline: Timeline;
  readonly policies: Policies;
  readonly nowUnixUs: number;
  readonly limit: number;
  isWriting(chunkId: number): boolean;
  /** By camera, all that it has here, and what it brings a day. */
  readonly usage: ReadonlyMap<string, { readonly bytes: number; readonly bytesPerDay: number }>;
  readonly elsewhere: ReadonlyMap<string, readonly Elsewhere[]>;
  /** By store, when it is low at this rate; those that never will be are not in it. */
  readonly lowAtUnixUs: ReadonlyMap<string, number>;
}

/** Soonest first; what a hold covers is left out. */
export async function nextDeletions(query: NextQuery): Promise<NextDeletion[]> {
  const due = new Map<number, { chunk: ChunkRow; expiry: Expiry }>();
  const offer = (chunk: ChunkRow, expiry: Expiry) => {
    const known = due.get(chunk.id);
    if (known === undefined || expiry.atUnixUs < known.expiry.atUnixUs) {
      due.set(chunk.id, { chunk, expiry });
    }
  };
  const oldestOn = new Map<string, ChunkRow>();
  const giving = new Set(givingCameras(query.policies));
  for (const [camera, { retention }] of query.policies) {
    let first: ChunkRow | undefined;
    for (const track of TRACKS) {
      const oldest = await oldestFree(query, camera, track);
      if (oldest === undefined) continue;
      const moved = await hasMotion(query.timeline, retention, oldest);
      offer(oldest, expiryOf(retention, oldest, moved));
      // What is being written goes for nothing but its age.
      if (query.isWriting(oldest.id)) continue;
      if (first === undefined || oldest.firstUnixUs < first.firstUnixUs) first = oldest;
      const { store } = oldest;
      const rival = oldestOn.get(store);
      if (!giving.has(camera)) continue;
      if (rival === undefined || oldest.firstUnixUs < rival.firstUnixUs)
        oldestOn.set(store, oldest);
    }
    const atUnixUs = first && overBytesAt(query, camera, retention, first);
    if (first !== undefined && atUnixUs !== undefined) {
      offer(first, { atUnixUs, rule: 'camera-bytes' });
    }
  }
  for (const [store, chunk] of oldestOn) {
    const lowUs = query.lowAtUnixUs.get(store);
    const { minDays = 0 } = query.policies.get(chunk.camera)?.retention ?? {};
    if (lowUs === undefined) continue;
    const atUnixUs = Math.max(lowUs, chunk.lastUnixUs + minDays * DAY_US);
    offer(chunk, { atUnixUs, rule: 'disk-space' });
  }
  return [...due.values()]
    .map(({ chunk, expiry }) => ({
      ...{ camera: chunk.camera, bytes: chunk.sizeBytes, rule: expiry.rule },
      ...{ fromUnixUs: chunk.firstUnixUs, toUnixUs: chunk.lastUnixUs },
      atUnixUs: Math.round(expiry.atUnixUs),
    }))
    .sort((a, b) => a.atUnixUs - b.atUnixUs)
    .slice(0, query.limit);
}

async function oldestFree(
  { timeline }: NextQuery,
  camera: string,
  track: TrackName,
): Promise<ChunkRow | undefined> {
  let looked = 0;
  for await (const chunk of chunksByAge(timeline, camera, { track })) {
    if (!timeline.isHeld(camera, chunk.firstUnixUs, chunk.lastUnixUs)) return chunk;
    looked += 1;
    if (looked === LOOK) return undefined;
  }
  return undefined;
}

/** When the camera has more than its bytes; undefined where that is not for this chunk to end. */
function overBytesAt(
  { usage, elsewhere, nowUnixUs }: NextQuery,
  camera: string,
  { maxBytes, minDays = 0 }: RetentionPolicy,
  oldest: ChunkRow,
): number | undefined {
  const { bytes = 0, bytesPerDay = 0 } = usage.get(camera) ?? {};
  if (maxBytes === undefined) return undefined;
  const excess = excessOf(bytes, maxBytes, elsewhere.get(camera) ?? []);
  const over = oldest.firstUnixUs < excess.beforeUnixUs ? excess.together : excess.alone;
  if (over <= 0 && bytesPerDay <= 0) return undefined;
  const inUs = over > 0 ? 0 : (-over / bytesPerDay) * DAY_US;
  return Math.max(nowUnixUs + inUs, oldest.lastUnixUs + minDays * DAY_US);
}
