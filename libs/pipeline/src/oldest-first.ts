// Chunks that may go before their time is over, in the order in which they go.

import type { ChunkRow, Timeline } from '#timeline';
import { chunksByAge, DAY_US, type RetentionPolicy } from './retention-policy.js';

/** By camera; those without one keep nothing. */
export type Policies = ReadonlyMap<string, { readonly retention: RetentionPolicy }>;

/** Chunks beyond their camera's `minDays`, oldest first over all `cameras`. */
export async function* oldestFirst(o: {
  readonly timeline: Timeline;
  readonly policies: Policies;
  readonly cameras: readonly string[];
  readonly nowUnixUs: number;
}): AsyncGenerator<ChunkRow> {
  const fronts = o.cameras.map((camera) => {
    const { minDays = 0 } = o.policies.get(camera)?.retention ?? {};
    const beforeUs = o.nowUnixUs - minDays * DAY_US;
    return {
      rows: chunksBefore(o.timeline, camera, beforeUs),
      first: undefined as ChunkRow | undefined,
    };
  });
  const next = async (front: (typeof fronts)[number]) => {
    const { value, done } = await front.rows.next();
    front.first = done === true ? undefined : value;
  };
  for (const front of fronts) await next(front);
  for (;;) {
    let oldest: (typeof fronts)[number] | undefined;
    for (const front of fronts) {
      if (front.first === undefined) continue;
      if (oldest?.first === undefined || front.first.firstUnixUs < oldest.first.firstUnixUs) {
        oldest = front;
      }
    }
    if (oldest?.first === undefined) return;
    yield oldest.first;
    await next(oldest);
  }
}

/** The cameras whose footage may go for space. */
export function givingCameras(policies: Policies): string[] {
  return [...policies]
    .filter(([, { retention }]) => retention.whenFull !== 'stop-recording')
    .map(([camera]) => camera);
}

async function* chunksBefore(
  timeline: Timeline,
  camera: string,
  beforeUs: number,
): AsyncGenerator<ChunkRow, undefined> {
  for await (const chunk of chunksByAge(timeline, camera)) {
    if (chunk.firstUnixUs >= beforeUs) return undefined;
    if (chunk.lastUnixUs < beforeUs) yield chunk;
  }
  return undefined;
}
