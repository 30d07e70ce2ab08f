// Which recorded time cannot be played because its bytes are damaged: found by the scrub and by
// playback, kept over restarts, and left out of playlists and clips from then on.

import { messageOf, type Log } from '#base';
import type { TrackName } from '#media';
import type { ChunkRow, GroupRow, Timeline } from '#timeline';

const KEY = 'footage/damage';
/** Beyond this a store has other troubles; the oldest go. */
const MAX_CHUNKS = 10_000;

interface DamagedChunk {
  readonly chunkId: number;
  readonly camera: string;
  readonly track: TrackName;
  /** Without overlaps, in order of time. */
  readonly spans: readonly DamagedSpan[];
}

export interface DamagedSpan {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

export class DamageLedger {
  readonly #timeline: Timeline;
  readonly #log: Log;
  readonly #chunks = new Map<number, DamagedChunk>();

  constructor(timeline: Timeline, log: Log) {
    this.#timeline = timeline;
    this.#log = log;
  }

  async load(): Promise<void> {
    const bytes = await this.#timeline.getSetting(KEY);
    if (bytes === undefined) return;
    const rows = JSON.parse(Buffer.from(bytes).toString()) as DamagedChunk[];
    for (const row of rows) this.#chunks.set(row.chunkId, row);
  }

  /** Chunks with damage that is known. */
  get size(): number {
    return this.#chunks.size;
  }

  /** Newest chunk last. */
  list(): DamagedChunk[] {
    return [...this.#chunks.values()];
  }

  /** True when some of it was not known before. Of the main track it shows as gaps `damaged`. */
  async note(
    chunk: Pick<ChunkRow, 'id' | 'camera' | 'track'>,
    found: readonly DamagedSpan[],
  ): Promise<boolean> {
    const { id, camera, track } = chunk;
    const known = this.#chunks.get(id)?.spans ?? [];
    const spans = merged([...known, ...found]);
    if (spans.length === 0 || JSON.stringify(spans) === JSON.stringify(known)) return false;
    this.#chunks.set(id, { chunkId: id, camera, track, spans });
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size > MAX_CHUNKS && oldest.done !== true) this.#chunks.delete(oldest.value);
    await this.#save(camera, track, { removed: known, added: spans });
    return true;
  }

  /** The chunk is whole (again), or gone. */
  async clear(chunkId: number): Promise<void> {
    const known = this.#chunks.get(chunkId);
    if (known === undefined) return;
    this.#chunks.delete(chunkId);
    await this.#save(known.camera, known.track, { removed: known.spans, added: [] });
  }

  /** Forgets chunks that retention has deleted. */
  async prune(): Promise<void> {
    for (const id of [...this.#chunks.keys()]) {
      if ((await this.#timeline.chunk(id)) === undefined) await this.clear(id);
    }
  }

  /** What of a group can be played: all, its beginning, or nothing. */
  playable(group: GroupRow): GroupRow | undefined {
    const spans = this.#chunks.get(group.chunkId)?.spans;
    if (spans === undefined) return group;
    const endUnixUs = group.startUnixUs + group.durationUs;
    // Behind the damage nothing of the group decodes.
    const first = spans.find(
      ({ fromUnixUs, toUnixUs }) => fromUnixUs < endUnixUs && toUnixUs > group.startUnixUs,
    );
    if (first === undefined) return group;
    const durationUs = first.fromUnixUs - group.startUnixUs;
    return durationUs > 0 ? { ...group, durationUs } : undefined;
  }

  async #save(
    camera: string,
    track: TrackName,
    change: { removed: readonly DamagedSpan[]; added: readonly DamagedSpan[] },
  ): Promise<void> {
    try {
      await this.#timeline.putSetting(KEY, Buffer.from(JSON.stringify(this.list())));
      if (track !== 'main') return;
      await this.#timeline.commit({
        removedGaps: change.removed.map(({ fromUnixUs }) => ({ camera, startUnixUs: fromUnixUs })),
        gaps: change.added.map(({ fromUnixUs, toUnixUs }) => ({
          camera,
          startUnixUs: fromUnixUs,
          endUnixUs: toUnixUs,
          reason: 'damaged',
        })),
      });
    } catch (error) {
      // It is known in memory; the next scrub or playback finds it again.
      this.#log.error({ why: messageOf(error) }, 'damage could not be noted');
    }
  }
}

function merged(spans: readonly DamagedSpan[]): DamagedSpan[] {
  const sorted = spans
    .filter((span) => span.toUnixUs > span.fromUnixUs)
    .sort((a, b) => a.fromUnixUs - b.fromUnixUs);
  const joined: DamagedSpan[] = [];
  for (const { fromUnixUs, toUnixUs } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && last.toUnixUs >= fromUnixUs) {
      joined[joined.length - 1] = {
        fromUnixUs: last.fromUnixUs,
        toUnixUs: Math.max(last.toUnixUs, toUnixUs),
      };
    } else joined.push({ fromUnixUs, toUnixUs });
  }
  return joined;
}
