// Finds the groups of a period and reads them: the main track, and the sub track where main is away.

import { NightjarError, toNightjarError } from '#base';
import { nalKind, ParameterSets, type AudioFormat, type TrackName, type VideoFormat } from '#media';
import { Sound } from './sound.js';
import type { ChunkStore, ParsedAudio, ParsedRecord, ReadRecords } from '#store';
import type { ChunkRow, GroupRow, Timeline } from '#timeline';
import type { DamageLedger } from './damage-ledger.js';
import { SHORTEST_GAP_US } from './gap-ledger.js';
import { ticksToUs } from './units.js';

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
  readonly #damage: DamageLedger;
  readonly #chunks = new Map<number, ChunkRow>();
  readonly #formats = new Map<string, VideoFormat>();

  constructor(parts: { timeline: Timeline; store: ChunkStore; damage: DamageLedger }) {
    this.#timeline = parts.timeline;
    this.#store = parts.store;
    this.#damage = parts.damage;
  }

  /**
   * Groups that overlap the period in order of time, without overlaps between the tracks. What is
   * known to be damaged is not there: such a group ends early, or is left out.
   */
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

  /**
   * The records of a group, up to the first that is damaged; the caller owns their bytes. Throws
   * data-loss when there is none, not-found, unavailable.
   */
  async read(group: GroupRow): Promise<ParsedRecord[]> {
    const chunk = await this.#chunk(group.chunkId);
    const { records, lost } = await this.#readFrom(chunk, group);
    const first = records[0];
    if (lost !== undefined) {
      const good = records.at(-1)?.record;
      const fromUnixUs =
        good === undefined ? group.startUnixUs : good.startUnixUs + ticksToUs(good.duration90k);
      await this.#damage.note(chunk, [{ fromUnixUs, toUnixUs: endOf(group) }]);
      if (first === undefined) throw lost;
    }
    const key = formatKey(group);
    if (first !== undefined && !this.#formats.has(key)) {
      bounded(this.#formats, key, formatOf(first));
    }
    return records;
  }

  async #readFrom(chunk: ChunkRow, { offset, length }: GroupRow): Promise<ReadRecords> {
    try {
      return await this.#store.readLeadingRecords(chunk, offset, length);
    } catch (error) {
      // It may have moved to another tier since its row was read.
      this.#chunks.delete(chunk.id);
      const now = await this.#chunk(chunk.id);
      if (now.store !== chunk.store || now.path !== chunk.path) {
        return this.#store.readLeadingRecords(now, offset, length);
      }
      const lost = toNightjarError(error);
      if (lost.code !== 'data-loss') throw lost;
      return { records: [], lost };
    }
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

  /** The sound of a period: the records that overlap it, by window after window. */
  async sound(period: Period): Promise<Sound> {
    return new Sound(await this.#groupsOf(period, 'audio'), (group) => this.#readSound(group));
  }

  /** The format of the sound that begins at a moment, or covers it. */
  async soundFormat(camera: string, atUnixUs: number): Promise<AudioFormat | undefined> {
    const group = await this.#timeline.groupAt(camera, 'audio', atUnixUs);
    return group === undefined ? undefined : (await this.#readSound(group))[0]?.format;
  }

  async codecOf(group: GroupRow): Promise<ChunkRow['codec']> {
    return (await this.#chunk(group.chunkId)).codec;
  }

  /** Empty where it cannot be read: pictures are shown without it. */
  async #readSound(group: GroupRow): Promise<ParsedAudio[]> {
    try {
      return await this.#store.readAudio(
        await this.#chunk(group.chunkId),
        group.offset,
        group.length,
      );
    } catch (error) {
      const { code } = toNightjarError(error);
      if (code !== 'data-loss' && code !== 'not-found' && code !== 'unavailable') throw error;
      return [];
    }
  }

  async #groupsOf({ camera, fromUnixUs, toUnixUs }: Period, track: TrackName) {
    const groups: GroupRow[] = [];
    let from = fromUnixUs;
    let lastStart = -1;
    for (;;) {
      const page = await this.#timeline.groups(camera, track, {
        fromUnixUs: from,
        toUnixUs,
        limit: PAGE,
      });
      const fresh = page.filter((group) => group.startUnixUs > lastStart);
      lastStart = fresh.at(-1)?.startUnixUs ?? lastStart;
      groups.push(...fresh.flatMap((group) => this.#damage.playable(group) ?? []));
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
