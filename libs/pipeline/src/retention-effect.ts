// What a change of a camera's retention would delete if it held now, before anybody lets it hold.

import type { ChunkRow, Timeline } from '#timeline';
import {
  chunksByAge,
  DAY_US,
  expiryOf,
  hasMotion,
  type RetentionPolicy,
} from './retention-policy.js';

/** What goes first for `maxBytes`, in so many parts at most. */
const PARTS = 256;

export interface EffectPart {
  readonly bytes: number;
  readonly chunks: number;
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

export interface RetentionEffect {
  /** All that there is of the camera. */
  readonly storedBytes: number;
  /** What would go that the rules of now keep. */
  readonly bytes: number;
  readonly chunks: number;
  readonly fromUnixUs?: number;
  readonly toUnixUs?: number;
  /** Where others hold footage, too: what stays by age, and what of it goes first for space. */
  readonly keptBytes?: number;
  readonly next?: readonly EffectPart[];
}

/** With `othersHoldSome` it leaves `maxBytes` to whoever knows what all of them hold. */
export async function retentionEffect(o: {
  readonly timeline: Timeline;
  readonly camera: string;
  readonly now: RetentionPolicy | undefined;
  readonly next: RetentionPolicy;
  readonly nowUnixUs: number;
  readonly othersHoldSome?: boolean;
  /** Such a chunk does not go yet. */
  isWriting?(chunkId: number): boolean;
}): Promise<RetentionEffect> {
  const { timeline, camera, now, next, nowUnixUs } = o;
  const goes: ChunkRow[] = [];
  const stays: ChunkRow[] = [];
  let storedBytes = 0;
  let keptBytes = 0;
  for await (const chunk of chunksByAge(timeline, camera)) {
    storedBytes += chunk.sizeBytes;
    const isHeld =
      timeline.isHeld(camera, chunk.firstUnixUs, chunk.lastUnixUs) ||
      o.isWriting?.(chunk.id) === true;
    const isOver = async (policy: RetentionPolicy) =>
      expiryOf(policy, chunk, await hasMotion(timeline, policy, chunk)).atUnixUs < nowUnixUs;
    // What is due by the rules of now goes anyhow.
    if (!isHeld && now !== undefined && (await isOver(now))) continue;
    if (!isHeld && (await isOver(next))) {
      goes.push(chunk);
      continue;
    }
    keptBytes += chunk.sizeBytes;
    const youngestUs = nowUnixUs - (next.minDays ?? 0) * DAY_US;
    if (!isHeld && chunk.lastUnixUs < youngestUs) stays.push(chunk);
  }
  for (const chunk of o.othersHoldSome === true ? [] : stays) {
    if (keptBytes <= (next.maxBytes ?? Infinity)) break;
    keptBytes -= chunk.sizeBytes;
    goes.push(chunk);
  }
  return {
    storedBytes,
    bytes: goes.reduce((sum, chunk) => sum + chunk.sizeBytes, 0),
    chunks: goes.length,
    ...(goes.length === 0
      ? {}
      : {
          fromUnixUs: goes.reduce(
            (least, { firstUnixUs }) => Math.min(least, firstUnixUs),
            Infinity,
          ),
          toUnixUs: goes.reduce((most, { lastUnixUs }) => Math.max(most, lastUnixUs), 0),
        }),
    ...(o.othersHoldSome === true ? { keptBytes, next: partsOf(stays) } : {}),
  };
}

function partsOf(chunks: readonly ChunkRow[]): EffectPart[] {
  const size = Math.ceil(chunks.length / PARTS);
  return Array.from({ length: Math.min(PARTS, chunks.length) }, (_, index) =>
    chunks.slice(index * size, (index + 1) * size),
  )
    .filter((part) => part.length > 0)
    .map((part) => ({
      bytes: part.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      chunks: part.length,
      fromUnixUs: Math.min(...part.map(({ firstUnixUs }) => firstUnixUs)),
      toUnixUs: Math.max(...part.map(({ lastUnixUs }) => lastUnixUs)),
    }));
}
