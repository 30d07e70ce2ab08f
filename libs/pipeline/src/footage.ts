// Finds the groups of a period and reads them: the main track, and the sub track where main is away.

import { NightjarError } from '#base';
import { nalKind, ParameterSets, type VideoFormat } from '#media';
import type { ChunkStore, ParsedRecord } from '#store';
import type { ChunkRow, GroupRow, Timeline } from '#timeline';
import { SHORTEST_GAP_US } from './gap-ledger.js';

const PAGE = 4096;
const CACHED_ROWS = 2048;

export interface Period {
  readonly camera: string;
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
}

export function endOf(group: Pick<GroupRow, 'startUnixUs' | 'durationUs'>): number {
  return group.startUnixUs + group.durationUs;
}

export class Footage {
  readonly #timeline: Timeline;
  readonly #store: ChunkStore;
  readonly #chunks = new Map<number, ChunkRow>();
  readonly #formats = new Map<string, VideoFormat>();

  constructor(timeline: Timeline, store: ChunkStore) {
    this.#timeline = timeline;
    this.#store = store;
  }

  /** Groups that overlap the period in order of time, without overlaps between the tracks. */
  async groups(period: Period): Promise<GroupRow[]> {
    const [main, sub] = await Promise.all([
      this.#groupsOf(period, 'main'),
      this.#groupsOf(period, 'sub'),
    ]);
    if (sub.length === 0) return main;
    const merged: GroupRow[] = [];
    let at = 0;
    let coveredUs = period.fromUnixUs;
    const fill = (untilUs: number) => {
      for (; at < sub.length; at++) {
        const group = sub[at];
        if (group === undefined || group.startUnixUs >= untilUs) return;
        const begins = merged.length === 0 && endOf(group) > coveredUs;
        if (group.startUnixUs >= coveredUs || begins) merged.push(group);
      }
    };
    for (const group of main) {
      if (group.startUnixUs - coveredUs >= SHORTEST_GAP_US) fill(group.startUnixUs);
      merged.push(group);
      coveredUs = Math.max(coveredUs, endOf(group));
    }
    if (period.toUnixUs - coveredUs >= SHORTEST_GAP_US) fill(period.toUnixUs);
    return merged;
  }

  /** The group that shows the moment; undefined when none does. */
  async groupAt(camera: string, atUnixUs: number): Promise<GroupRow | undefined> {
    for (const track of ['main', 'sub'] as const) {
      const group = await this.#timeline.groupAt(camera, track, atUnixUs);
      if (group !== undefined) return group;
    }
    return undefined;
  }

  /** The records of a group; the caller owns their bytes. Throws data-loss, not-found, unavailable. */
  async read(group: GroupRow): Promise<ParsedRecord[]> {
    const chunk = await this.#chunk(group.chunkId);
    const records = await this.#store.readRecords(chunk, group.offset, group.length);
    const first = records[0];
    const key = formatKey(group);
    if (first !== undefined && !this.#formats.has(key)) {
      bounded(this.#formats, key, formatOf(first));
    }
    return records;
  }

  /** What a decoder needs for a group; the same for all groups of a run. */
  async format(group: GroupRow): Promise<VideoFormat> {
    const known = this.#formats.get(formatKey(group));
    if (known !== undefined) return known;
    await this.read(group);
    const format = this.#formats.get(formatKey(group));
    if (format === undefined) throw new NightjarError('data-loss', 'expected records, found none');
    return format;
  }

  async #groupsOf({ camera, fromUnixUs, toUnixUs }: Period, track: 'main' | 'sub') {
    const groups: GroupRow[] = [];
    let from = fromUnixUs;
    for (;;) {
      const page = await this.#timeline.groups(camera, track, {
        fromUnixUs: from,
        toUnixUs,
        limit: PAGE,
      });
      const lastStart = groups.at(-1)?.startUnixUs ?? -1;
      const fresh = page.filter((group) => group.startUnixUs > lastStart);
      groups.push(...fresh);
      const last = fresh.at(-1);
      if (page.length < PAGE || last === undefined) return groups;
      from = Math.max(last.startUnixUs, endOf(last) - 1);
    }
  }

  async #chunk(id: number): Promise<ChunkRow> {
    const known = this.#chunks.get(id);
    if (known !== undefined) return known;
    const chunk = await this.#timeline.chunk(id);
    if (chunk === undefined) {
      throw new NightjarError('not-found', 'the footage has been deleted', { chunk: id });
    }
    bounded(this.#chunks, id, chunk);
    return chunk;
  }
}

/** The format that the parameter sets in front of a record's key frame describe. */
export function formatOf(record: ParsedRecord): VideoFormat {
  const { codec, frames, payload } = record;
  const sets = new ParameterSets(codec);
  let at = 0;
  for (let nal = 0; nal < frames.firstNalOf(1); nal++) {
    const end = at + 4 + frames.nalSizeOf(nal);
    if (nalKind(codec, payload[at + 4] ?? 0) === 'set') sets.put(payload.subarray(at + 4, end));
    at = end;
  }
  const format = sets.format();
  if (format === undefined) {
    throw new NightjarError('data-loss', 'expected parameter sets in front of a key frame', {
      offset: record.offset,
    });
  }
  return format;
}

function formatKey({ camera, track, run }: GroupRow): string {
  return `${camera} ${track} ${run}`;
}

/** Forgets the oldest entry beyond the bound. */
function bounded<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > CACHED_ROWS && oldest.done !== true) map.delete(oldest.value);
}
