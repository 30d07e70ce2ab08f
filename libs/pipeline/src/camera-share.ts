// What of a camera lies here and what lies with other recorders, so that `maxBytes` holds for all of
// it: the oldest goes first, wherever it lies.

import type { Timeline } from '#timeline';
import { oldestFirst, type Policies } from './oldest-first.js';

export interface CameraShare {
  readonly camera: string;
  readonly bytes: number;
  /** Where the first chunk begins that may go; absent while none may. */
  readonly oldestUnixUs?: number | undefined;
}

/** Of several recorders together. */
export type Elsewhere = Pick<CameraShare, 'bytes' | 'oldestUnixUs'>;

/**
 * What the other recorders hold of these cameras, as far as anybody knows: who does not answer
 * counts with what was heard last. Never rejects.
 */
export type AskElsewhere = (
  cameras: readonly string[],
) => Promise<ReadonlyMap<string, readonly Elsewhere[]>>;

/** What this recorder tells the others. */
export async function cameraShares(o: {
  readonly timeline: Timeline;
  readonly policies: Policies;
  readonly cameras: readonly string[];
  readonly nowUnixUs: number;
  isWriting(chunkId: number): boolean;
}): Promise<CameraShare[]> {
  const used = new Map((await o.timeline.usage()).map(({ camera, bytes }) => [camera, bytes]));
  const shares: CameraShare[] = [];
  for (const camera of new Set(o.cameras)) {
    const bytes = used.get(camera);
    if (bytes === undefined) continue;
    let oldestUnixUs: number | undefined;
    for await (const chunk of oldestFirst({ ...o, cameras: [camera] })) {
      if (o.isWriting(chunk.id)) continue;
      if (o.timeline.isHeld(camera, chunk.firstUnixUs, chunk.lastUnixUs)) continue;
      oldestUnixUs = chunk.firstUnixUs;
      break;
    }
    shares.push({ camera, bytes, ...(oldestUnixUs === undefined ? {} : { oldestUnixUs }) });
  }
  return shares;
}

/**
 * How much of the oldest footage here may go for `maxBytes`: `alone` whatever the others hold, and
 * `together` only what is older than `beforeUnixUs`. What others hold that is older is theirs to
 * delete, so that newer footage never goes in the place of older.
 */
export function excessOf(
  bytes: number,
  maxBytes: number,
  elsewhere: readonly Elsewhere[],
): { readonly alone: number; readonly together: number; readonly beforeUnixUs: number } {
  const others = elsewhere.reduce((sum, part) => sum + part.bytes, 0);
  return {
    alone: bytes - maxBytes,
    together: bytes + others - maxBytes,
    beforeUnixUs: Math.min(...elsewhere.map(({ oldestUnixUs = Infinity }) => oldestUnixUs)),
  };
}
