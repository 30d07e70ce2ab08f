// The past of a camera: playlists, slices, exact clips and stills, out of chunks, without decoding.

import { NightjarError, toNightjarError, type Clock, type Log } from '#base';
import {
  fragmentDuration90k,
  patchNalLengths,
  writeFmp4Init,
  writeFragmentHead,
  type FragmentFrames,
  type AudioFormat,
  type VideoFormat,
} from '#media';
import type { ChunkStore, ParsedRecord } from '#store';
import type { GapRow, GroupRow, Timeline } from '#timeline';
import { DamageLedger } from './damage-ledger.js';
import { endOf, Footage, type Period } from './footage.js';
import { SHORTEST_GAP_US } from './gap-ledger.js';
import { slicesOf, writePlaylist, type Slice } from './playlist.js';
import { SoundCutter } from './sound-cutter.js';
import type { Sound } from './sound.js';
import { ticksToUs, usToTicks } from './units.js';

/** Decoding times of a run's first frames may lie before its zero; a file's may not. */
const SLICE_DTS_OFFSET = 2 ** 20;
/** Groups closer than this go on with each other: their clock was moved a little. */
const SHORTEST_SEAM_US = 100_000;
/** What was received but is not safe yet: a still of "now" is the newest picture before it. */
const UNSAFE_US = 4_000_000;

/** Slices are for browsers, which know no G.711; clips have what was recorded. */
const IN_SLICES = 'flac';

/** What of a clip is read before its first byte is sent. */
const READ_AHEAD_BYTES = 32_000_000;

export interface ClipGap {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly reason: string;
}

export interface Clip {
  /** What is missing in the period. */
  readonly gaps: readonly ClipGap[];
  /** The file, piece by piece; each piece belongs to the reader. */
  readonly bytes: AsyncIterable<Buffer>;
}

export interface Still {
  /** An fMP4 whose last frame is the picture. */
  readonly bytes: Buffer[];
  readonly frameUnixUs: number;
}

/** What a playlist names. */
export interface SliceAddress extends Period {
  readonly track: 'main' | 'sub';
  readonly lastUnixUs: number;
}

interface Piece {
  readonly record: ParsedRecord;
  readonly run: FragmentFrames;
}

export class Playback {
  readonly #footage: Footage;
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Groups that could not be read, since the start. */
  damagedGroups = 0;

  constructor(options: {
    timeline: Timeline;
    store: ChunkStore;
    clock: Clock;
    log: Log;
    /** Its own, which remembers for its own life only, if absent. */
    damage?: DamageLedger;
  }) {
    const { timeline, store, log, damage = new DamageLedger(timeline, log) } = options;
    this.#footage = new Footage({ timeline, store, damage });
    this.#timeline = options.timeline;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** An HLS playlist of the period; `query` goes onto its addresses. */
  async playlist(period: Period, query = ''): Promise<string> {
    const slices = slicesOf(await this.#footage.groups(period));
    const sounds = query === '' ? await this.#soundsOf(slices, period) : [];
    const queries = slices.map((_, index) => query + (sounds[index] ?? ''));
    return writePlaylist(slices, period.fromUnixUs, queries);
  }

  /** What the address of each slice adds where its initialisation has sound. */
  async #soundsOf(slices: readonly Slice[], period: Period): Promise<string[]> {
    const { groups } = await this.#footage.sound(period);
    let sound = '';
    const found: string[] = [];
    for (const [index, slice] of slices.entries()) {
      if (slice.newInit) {
        const later = slices.findIndex((other, at) => at > index && other.newInit);
        const last = slices[(later < 0 ? slices.length : later) - 1]?.groups.at(-1);
        const fromUs = slice.groups[0]?.startUnixUs ?? 0;
        const toUs = last === undefined ? fromUs : endOf(last);
        const first = groups.find((row) => endOf(row) > fromUs && row.startUnixUs < toUs);
        const codec = first === undefined ? undefined : await this.#codecOrSkip(first);
        sound = first === undefined || codec === undefined ? '' : `&sound=${first.startUnixUs}`;
      }
      found.push(sound);
    }
    return found;
  }

  async #codecOrSkip(group: GroupRow) {
    try {
      return await this.#footage.codecOf(group);
    } catch (error) {
      if (toNightjarError(error).code !== 'not-found') throw error;
      return undefined;
    }
  }

  /** The initialisation for the group that begins at `fromUnixUs`. Throws not-found. */
  async init(
    { camera, track, fromUnixUs }: Pick<SliceAddress, 'camera' | 'track' | 'fromUnixUs'>,
    soundUnixUs?: number,
  ): Promise<Buffer> {
    const group = await this.#timeline.groupAt(camera, track, fromUnixUs);
    if (group === undefined) throw noFootage(camera, fromUnixUs);
    const audio = await this.#soundFormat(camera, soundUnixUs);
    return writeFmp4Init({
      formats: [await this.#footage.format(group)],
      ...(audio === undefined ? {} : { audio: [audio], g711: IN_SLICES }),
    });
  }

  async #soundFormat(camera: string, unixUs: number | undefined): Promise<AudioFormat | undefined> {
    if (unixUs === undefined) return undefined;
    const format = await this.#footage.soundFormat(camera, unixUs);
    if (format === undefined) throw noFootage(camera, unixUs);
    return format;
  }

  /**
   * The groups that begin from `fromUnixUs` to `lastUnixUs`, both included, with what of them begins
   * before `toUnixUs`, as fragments. Throws not-found.
   */
  async slice(address: SliceAddress, soundUnixUs?: number): Promise<Buffer[]> {
    const { camera, track, fromUnixUs, lastUnixUs, toUnixUs } = address;
    const query = { fromUnixUs, toUnixUs: lastUnixUs + 1 };
    const rows = await this.#timeline.groups(camera, track, query);
    const groups = rows.filter((group) => group.startUnixUs >= fromUnixUs);
    const bytes: Buffer[] = [];
    let sequence = 1;
    const format = await this.#soundFormat(camera, soundUnixUs);
    const cutter = format === undefined ? undefined : new SoundCutter(format, IN_SLICES);
    const sound =
      format === undefined
        ? undefined
        : await this.#footage.sound({ camera, fromUnixUs, toUnixUs });
    for (const [index, group] of groups.entries()) {
      const records = await this.#readOrSkip(group);
      // Records that were indexed after the address was given belong to another address.
      const own = records.filter(({ record }) => record.startUnixUs < toUnixUs);
      for (const pieces of unbroken(
        own.map((record) => ({ record, run: { frames: record.frames } })),
      )) {
        const baseDts90k = (pieces[0]?.record.record.startDts90k ?? 0) + SLICE_DTS_OFFSET;
        bytes.push(...fragment({ pieces, sequence, baseDts90k, styp: sequence === 1 }));
        sequence += 1;
        if (cutter === undefined || sound === undefined) continue;
        const { first, endUs } = stretchOf(pieces);
        const next = groups[index + 1]?.startUnixUs ?? endUs;
        // A seam of a few milliseconds belongs to what comes before it.
        const goesOn =
          pieces.at(-1)?.record === own.at(-1) && Math.abs(next - endUs) < SHORTEST_SEAM_US;
        const window = {
          fromUs: first.startUnixUs,
          toUs: goesOn ? next : endUs,
          dts90k: baseDts90k,
        };
        const heard = await sound.between(window.fromUs, window.toUs);
        bytes.push(...cutter.cut(window, heard, { nextSequence: () => sequence++ }));
      }
    }
    if (bytes.length === 0) throw noFootage(camera, fromUnixUs);
    return bytes;
  }

  /**
   * One MP4 whose presentation begins at `fromUnixUs` and ends at `toUnixUs`, where there is
   * footage; it goes on across gaps. Throws not-found when there is none at all.
   */
  async clip(period: Period, sound: 'with-sound' | 'silent' = 'with-sound'): Promise<Clip> {
    let groups = await this.#footage.groups(period);
    if (groups.length === 0) throw noFootage(period.camera, period.fromUnixUs);
    // Damage in what is read ahead is known before the clip says what is missing.
    const ahead = await this.#readAhead(groups);
    groups = await this.#footage.groups(period);
    const formats: VideoFormat[] = [];
    const entries = new Map<string, number>();
    for (const group of groups) {
      const key = `${group.track} ${group.run}`;
      if (entries.has(key)) continue;
      const format = await this.#formatOrSkip(group);
      if (format === undefined) continue;
      const known = formats.findIndex((other) => sameFormat(other, format));
      entries.set(key, known >= 0 ? known + 1 : formats.push(format));
    }
    if (formats.length === 0) {
      throw new NightjarError('data-loss', 'the footage of this period cannot be read');
    }
    const gaps = await this.#gapsBetween(groups, period);
    const heard = sound === 'silent' ? undefined : await this.#footage.sound(period);
    const audio = await heard?.format();
    const parts = { groups, ahead, formats, entries };
    const cut =
      heard === undefined || audio === undefined
        ? {}
        : { sound: { heard, audio, cutter: new SoundCutter(audio) } };
    return { gaps, bytes: this.#clipBytes({ ...parts, ...cut }, period) };
  }

  /** From the key frame up to the frame that shows the moment; undefined without footage there. */
  async still(camera: string, atUnixUs: number): Promise<Still | undefined> {
    const group =
      (await this.#footage.groupAt(camera, atUnixUs)) ?? (await this.#newest(camera, atUnixUs));
    if (group === undefined) return undefined;
    const records = await this.#footage.read(group);
    const pieces: Piece[] = [];
    let frameUnixUs = group.startUnixUs;
    for (const record of records) {
      let startUs = record.record.startUnixUs;
      let end = 0;
      for (; end < record.frames.count; end++) {
        if (startUs > atUnixUs && (end > 0 || pieces.length > 0)) break;
        frameUnixUs = startUs;
        startUs += ticksToUs(record.frames.durationOf(end));
      }
      if (end > 0) pieces.push({ record, run: { frames: record.frames, end } });
      if (end < record.frames.count) break;
    }
    const format = await this.#footage.format(group);
    return {
      bytes: [
        writeFmp4Init({ formats: [format] }),
        ...fragment({ pieces, sequence: 1, baseDts90k: 0 }),
      ],
      frameUnixUs,
    };
  }

  /** By group, until it is too much to hold. */
  async #readAhead(groups: readonly GroupRow[]): Promise<Map<string, ParsedRecord[]>> {
    const ahead = new Map<string, ParsedRecord[]>();
    let bytes = 0;
    for (const group of groups) {
      bytes += group.length;
      if (bytes > READ_AHEAD_BYTES) break;
      ahead.set(placeOf(group), await this.#readOrSkip(group));
    }
    return ahead;
  }

  async *#clipBytes(
    clip: {
      groups: readonly GroupRow[];
      /** Emptied on the way. */
      ahead: Map<string, ParsedRecord[]>;
      formats: readonly VideoFormat[];
      entries: ReadonlyMap<string, number>;
      /** One format for all of it: what is otherwise coded is silent. */
      sound?: { heard: Sound; audio: AudioFormat; cutter: SoundCutter };
    },
    { fromUnixUs, toUnixUs }: Period,
  ): AsyncGenerator<Buffer> {
    const { groups, ahead, formats, entries, sound } = clip;
    const audio = sound === undefined ? {} : { audio: [sound.audio] };
    yield writeFmp4Init({ formats, ...audio, startUnixUs: fromUnixUs });
    let dts90k = 0;
    let sequence = 1;
    let squeezed = 0;
    let endUnixUs: number | undefined;
    for (const group of groups) {
      const sampleEntry = entries.get(`${group.track} ${group.run}`);
      if (sampleEntry === undefined) continue;
      const pieces: Piece[] = [];
      let startUnixUs: number | undefined;
      const records = ahead.get(placeOf(group)) ?? (await this.#readOrSkip(group));
      ahead.delete(placeOf(group));
      for (const record of records) {
        const run = trimmed(record, fromUnixUs, toUnixUs, squeezed);
        if (run === undefined) break;
        squeezed += run.squeezedBefore ?? 0;
        startUnixUs ??= record.record.startUnixUs;
        pieces.push({ record, run });
      }
      if (startUnixUs === undefined) continue;
      // A seam too short for a gap keeps its time, so that the clip does not run ahead.
      const seamUs = endUnixUs === undefined ? 0 : startUnixUs - endUnixUs;
      if (seamUs > 0 && seamUs < SHORTEST_GAP_US) dts90k += usToTicks(seamUs);
      yield* fragment({ pieces, sequence, baseDts90k: dts90k, sampleEntry });
      sequence += 1;
      if (sound !== undefined) {
        const fromUs = Math.max(startUnixUs, fromUnixUs);
        const toUs = Math.min(stretchOf(pieces).endUs, toUnixUs);
        const records = await sound.heard.between(fromUs, toUs);
        const window = { fromUs, toUs, dts90k };
        yield* sound.cutter.cut(window, records, { nextSequence: () => sequence++ });
      }
      for (const { run } of pieces) dts90k += fragmentDuration90k(run);
      endUnixUs = endOf(group);
    }
  }

  async #readOrSkip(group: GroupRow): Promise<ParsedRecord[]> {
    try {
      return await this.#footage.read(group);
    } catch (error) {
      const { code } = toNightjarError(error);
      // A disk that cannot read a sector says `unavailable`.
      if (code !== 'data-loss' && code !== 'not-found' && code !== 'unavailable') throw error;
      this.damagedGroups += 1;
      const { chunkId, offset } = group;
      this.#log.error({ err: error, chunkId, offset }, 'a group cannot be read and is left out');
      return [];
    }
  }

  async #formatOrSkip(group: GroupRow): Promise<VideoFormat | undefined> {
    try {
      return await this.#footage.format(group);
    } catch (error) {
      const { code } = toNightjarError(error);
      if (code !== 'data-loss' && code !== 'not-found' && code !== 'unavailable') throw error;
      return undefined;
    }
  }

  async #newest(camera: string, atUnixUs: number): Promise<GroupRow | undefined> {
    if (atUnixUs < this.#clock.nowUnixUs() - 2 * UNSAFE_US) return undefined;
    const query = { fromUnixUs: atUnixUs - UNSAFE_US, toUnixUs: atUnixUs, limit: 1, reverse: true };
    const group = (await this.#timeline.groups(camera, 'main', query))[0];
    if (group === undefined) return undefined;
    const gaps = await this.#timeline.gaps(camera, endOf(group), atUnixUs + 1);
    return gaps.some((gap) => gap.startUnixUs <= atUnixUs) ? undefined : group;
  }

  async #gapsBetween(groups: readonly GroupRow[], period: Period): Promise<ClipGap[]> {
    const { camera, fromUnixUs } = period;
    const nowUs = this.#clock.nowUnixUs();
    const toUnixUs = Math.min(period.toUnixUs, nowUs);
    const rows = await this.#timeline.gaps(camera, fromUnixUs, toUnixUs);
    const gaps: ClipGap[] = [];
    let coveredUs = fromUnixUs;
    const hole = (untilUs: number) => {
      if (untilUs - coveredUs >= SHORTEST_GAP_US) gaps.push(...explained(coveredUs, untilUs, rows));
    };
    for (const group of groups) {
      hole(group.startUnixUs);
      coveredUs = Math.max(coveredUs, endOf(group));
    }
    const explainedEnd = rows.some((row) => (row.endUnixUs ?? Infinity) > coveredUs);
    // The newest seconds may merely not be safe yet.
    if (explainedEnd || toUnixUs < nowUs - UNSAFE_US) hole(toUnixUs);
    return gaps;
  }
}

function explained(fromUs: number, toUs: number, rows: readonly GapRow[]): ClipGap[] {
  const gaps: ClipGap[] = [];
  let atUs = fromUs;
  for (const row of rows) {
    const startUs = Math.max(row.startUnixUs, atUs);
    const endUs = Math.min(row.endUnixUs ?? Infinity, toUs);
    if (endUs <= startUs) continue;
    if (startUs > atUs) gaps.push({ fromUnixUs: atUs, toUnixUs: startUs, reason: 'unknown' });
    gaps.push({ fromUnixUs: startUs, toUnixUs: endUs, reason: row.reason });
    atUs = endUs;
  }
  if (toUs - atUs > 0) gaps.push({ fromUnixUs: atUs, toUnixUs: toUs, reason: 'unknown' });
  return gaps;
}

/**
 * What of a record is shown between the two moments; undefined when it begins behind them. The first
 * frame that is shown gives back the ticks of those squeezed before it.
 */
function trimmed(
  { record, frames }: ParsedRecord,
  fromUnixUs: number,
  toUnixUs: number,
  squeezedTicks: number,
): FragmentFrames | undefined {
  if (record.startUnixUs >= toUnixUs) return undefined;
  let startUs = record.startUnixUs;
  let squeezedBefore = 0;
  let firstDuration90k: number | undefined;
  let lastDuration90k: number | undefined;
  let end = 0;
  for (; end < frames.count && startUs < toUnixUs; end++) {
    const endUs = startUs + ticksToUs(frames.durationOf(end));
    if (endUs <= fromUnixUs) squeezedBefore = end + 1;
    else if (startUs <= fromUnixUs || (end === squeezedBefore && end > 0)) {
      const shown = usToTicks(endUs - Math.max(startUs, fromUnixUs));
      firstDuration90k = Math.max(1, shown - squeezedTicks - squeezedBefore);
    }
    if (endUs > toUnixUs) {
      lastDuration90k = Math.max(1, usToTicks(toUnixUs - Math.max(startUs, fromUnixUs)));
    }
    startUs = endUs;
  }
  return {
    frames,
    end,
    squeezedBefore,
    ...(firstDuration90k === undefined ? {} : { firstDuration90k }),
    ...(lastDuration90k === undefined ? {} : { lastDuration90k }),
  };
}

function stretchOf(pieces: readonly Piece[]) {
  const first = (pieces[0] as Piece).record.record;
  const last = (pieces.at(-1) as Piece).record.record;
  return { first, endUs: last.startUnixUs + ticksToUs(last.duration90k) };
}

/** Cuts where the decoding time jumps: a fragment has one beginning only. */
function unbroken(pieces: readonly Piece[]): Piece[][] {
  const runs: Piece[][] = [];
  let endDts90k: number | undefined;
  for (const piece of pieces) {
    const { startDts90k, duration90k } = piece.record.record;
    if (endDts90k !== startDts90k) runs.push([]);
    runs.at(-1)?.push(piece);
    endDts90k = startDts90k + duration90k;
  }
  return runs;
}

/** The head and the payloads, whose start codes become lengths in place. */
function fragment(options: {
  pieces: readonly Piece[];
  sequence: number;
  baseDts90k: number;
  sampleEntry?: number;
  styp?: boolean;
}): Buffer[] {
  const { pieces, ...rest } = options;
  const payloads = pieces.map(({ record, run }) =>
    record.payload.subarray(0, patchNalLengths(record.payload, 0, run)),
  );
  return [writeFragmentHead({ ...rest, runs: pieces.map(({ run }) => run) }), ...payloads];
}

function placeOf({ chunkId, offset }: GroupRow): string {
  return `${chunkId} ${offset}`;
}

function sameFormat(a: VideoFormat, b: VideoFormat): boolean {
  return (
    a.codec === b.codec &&
    a.parameterSets.length === b.parameterSets.length &&
    a.parameterSets.every((set, index) => Buffer.compare(set, b.parameterSets[index] ?? set) === 0)
  );
}

function noFootage(camera: string, atUnixUs: number): NightjarError {
  const at = new Date(Math.round(atUnixUs / 1000)).toISOString();
  return new NightjarError('not-found', `there is no footage at ${at}`, { camera });
}
