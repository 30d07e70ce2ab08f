// What a change of a camera's retention would delete if it held now, before anybody lets it hold.

import type { ChunkRow, Timeline } from '#timeline';
import {
  chunksByAge,
  DAY_US,
  expiryOf,
  hasMotion,
  type RetentionPolicy,
} from './retention-policy.js';

export interface RetentionEffect {
  /** All that there is of the camera. */
  readonly storedBytes: number;
  /** What would go that the rules of now keep. */
  readonly bytes: number;
  readonly chunks: number;
  readonly fromUnixUs?: number;
  readonly toUnixUs?: number;
}

export async function retentionEffect(o: {
  readonly timeline: Timeline;
  readonly camera: string;
  readonly now: RetentionPolicy | undefined;
  readonly next: RetentionPolicy;
  readonly nowUnixUs: number;
}): Promise<RetentionEffect> {
  const { timeline, camera, now, next, nowUnixUs } = o;
  const goes: ChunkRow[] = [];
  const stays: ChunkRow[] = [];
  let storedBytes = 0;
  let keptBytes = 0;
  for await (const chunk of chunksByAge(timeline, camera)) {
    storedBytes += chunk.sizeBytes;
    const isHeld = timeline.isHeld(camera, chunk.firstUnixUs, chunk.lastUnixUs);
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
  for (const chunk of stays) {
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
  };
}
