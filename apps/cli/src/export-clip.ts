// `nightjar export`: one MP4 from the chunks alone, sound included, with no index, no database and
// no server.

import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isUuid, NightjarError } from '#base';
import {
  audioSamples,
  FMP4_AUDIO_TRACK_ID,
  nalKind,
  ParameterSets,
  patchNalLengths,
  splitAnnexB,
  writeFmp4Init,
  writeFragmentHead,
  type AudioFormat,
  type VideoFormat,
} from '#media';
import {
  foldGroups,
  type ChunkStore,
  type ListedPlace,
  type ParsedAudio,
  type ParsedRecord,
  type RecordedGroup,
} from '#store';
import { asFileError } from './file-error.js';
import { openStore, warmHint, type Footage } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

const DAY_US = 86_400_000_000;

interface Found {
  readonly group: RecordedGroup;
  readonly chunk: Parameters<ChunkStore['readRecords']>[0];
}

type ExportOptions = Footage & Pick<CommandOptions, 'camera' | 'fromUnixMs' | 'toUnixMs' | 'out'>;

export async function exportClip(options: ExportOptions, progress: Progress): Promise<Report> {
  const { camera, fromUnixMs, toUnixMs, out } = options;
  if (
    camera === undefined ||
    fromUnixMs === undefined ||
    toUnixMs === undefined ||
    out === undefined
  ) {
    throw new NightjarError('invalid-argument', 'export needs --camera, --from, --to and --out');
  }
  if (!isUuid(camera)) {
    throw new NightjarError('invalid-argument', `expected the id of a camera, found ${camera}`);
  }
  if (fromUnixMs >= toUnixMs) {
    throw new NightjarError('invalid-argument', 'expected --from before --to');
  }
  if (existsSync(out)) {
    throw new NightjarError('conflict', `expected no file at ${out}: an export replaces none`);
  }
  const store = await openStore(options);
  try {
    const period = { camera, fromUnixUs: fromUnixMs * 1000, toUnixUs: toUnixMs * 1000 };
    const all = await findGroups(store, period, progress);
    const found = all.filter(({ group }) => group.track === 'main');
    const sound = new ChunkSound(
      store,
      all.filter(({ group }) => group.track === 'audio'),
    );
    if (found.length === 0) {
      const [hint] = warmHint(options);
      const why = 'there is no footage of that camera in that time';
      throw new NightjarError('not-found', hint === undefined ? why : `${why}; ${hint}`);
    }
    const { frames, damaged } = await writeClip(store, { found, sound, out, progress });
    const first = found[0]?.group;
    const startsAt = first === undefined ? '' : new Date(first.startUnixUs / 1000).toISOString();
    return {
      ok: damaged === 0,
      lines: [
        `${out}: ${frames} frames from ${startsAt} on`,
        ...(damaged === 0 ? [] : [`${damaged} damaged groups were left out`]),
      ],
      facts: { out, frames, startsAt, damaged },
    };
  } finally {
    await store.close();
  }
}

/** The file is there when all of it is on disk, or not at all. */
async function writeClip(
  store: ChunkStore,
  o: { found: readonly Found[]; sound: ChunkSound; out: string; progress: Progress },
): Promise<{ frames: number; damaged: number }> {
  const { found, sound, out, progress } = o;
  let [frames, damaged] = [0, 0];
  const parts = async function* () {
    const clip = new Clip(await sound.format());
    for (const [index, { group, chunk }] of found.entries()) {
      progress({ done: index, total: found.length, unit: 'groups' });
      try {
        for (const record of await store.readRecords(chunk, group.offset, group.length)) {
          yield* clip.add(record);
          const { startUnixUs, duration90k } = record.record;
          yield* clip.addSound(await sound.until(startUnixUs + (duration90k * 100) / 9));
          frames += record.frames.count;
        }
      } catch (error) {
        if (!(error instanceof NightjarError) || error.code !== 'data-loss') throw error;
        damaged += 1;
      }
    }
  };
  const partial = `${out}.part`;
  try {
    await pipeline(parts(), createWriteStream(partial, { flags: 'wx', flush: true }));
    await rename(partial, out);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') await rm(partial, { force: true });
    throw asFileError(error, out);
  }
  return { frames, damaged };
}

/** Whole groups that overlap the time, oldest first. */
async function findGroups(
  store: ChunkStore,
  { camera, fromUnixUs, toUnixUs }: { camera: string; fromUnixUs: number; toUnixUs: number },
  progress: Progress,
): Promise<Found[]> {
  const found: Found[] = [];
  // A chunk's id is the time when it was made; its footage may lie beside that as far as clocks do.
  const wants = ({ id, ...chunk }: ListedPlace) =>
    chunk.camera === camera &&
    chunk.track !== 'sub' &&
    id >= fromUnixUs - DAY_US &&
    id <= toUnixUs + DAY_US;
  const total = await store.countChunks(wants);
  let done = 0;
  for await (const { chunk, records } of store.scanAll({ wants })) {
    progress({ done: (done += 1), total, unit: 'chunks looked through' });
    if (chunk.lastUnixUs <= fromUnixUs || chunk.firstUnixUs >= toUnixUs) continue;
    for (const group of foldGroups(records)) {
      const endUnixUs = group.startUnixUs + group.durationUs;
      if (endUnixUs > fromUnixUs && group.startUnixUs < toUnixUs) found.push({ group, chunk });
    }
  }
  return withoutDoubles(found).sort((a, b) => a.group.startUnixUs - b.group.startUnixUs);
}

/** A group whose disk hung may lie in two chunks, until a start has cut one of them. */
function withoutDoubles(found: readonly Found[]): Found[] {
  const longest = new Map<string, Found>();
  for (const one of found) {
    const { track, run, startUnixUs, frameCount } = one.group;
    const key = `${track} ${run} ${startUnixUs}`;
    if (frameCount > (longest.get(key)?.group.frameCount ?? 0)) longest.set(key, one);
  }
  return [...longest.values()];
}

/** Turns records into the parts of one fragmented MP4. */
class Clip {
  readonly #sound: AudioFormat | undefined;
  /** Where the last picture lies in time and in the file, and where the sound in the file ends. */
  #anchor = { unixUs: 0, dts90k: 0 };
  #soundEnd90k = 0;
  #format: VideoFormat | undefined;
  #sequence = 0;
  #dts90k = 0;

  constructor(sound: AudioFormat | undefined) {
    this.#sound = sound;
  }

  /** Records of sound that begin with the picture added last, or shortly before it. */
  addSound(records: readonly ParsedAudio[]): Uint8Array[] {
    return records.flatMap((record) => {
      // One format for all of it: what is otherwise coded is left out.
      if (record.format.codecString !== this.#sound?.codecString) return [];
      const { frames, payload } = audioSamples(record.format, record.frames, record.payload);
      const sinceUs = record.record.startUnixUs - this.#anchor.unixUs;
      const wanted = this.#anchor.dts90k + Math.round((sinceUs * 9) / 100);
      const baseDts90k = Math.max(this.#soundEnd90k, wanted);
      this.#soundEnd90k = baseDts90k + frames.duration90k;
      this.#sequence += 1;
      const runs = [{ frames }];
      const trackId = FMP4_AUDIO_TRACK_ID;
      return [writeFragmentHead({ sequence: this.#sequence, baseDts90k, trackId, runs }), payload];
    });
  }

  add(record: ParsedRecord): Uint8Array[] {
    const parts: Uint8Array[] = [];
    if (this.#format === undefined) {
      this.#format = formatOf(record);
      parts.push(
        writeFmp4Init({
          formats: [this.#format],
          ...(this.#sound === undefined ? {} : { audio: [this.#sound] }),
          startUnixUs: record.record.startUnixUs,
        }),
      );
    }
    const runs = [{ frames: record.frames }];
    patchNalLengths(record.payload, 0, { frames: record.frames });
    this.#sequence += 1;
    parts.push(
      writeFragmentHead({ sequence: this.#sequence, baseDts90k: this.#dts90k, runs }),
      record.payload,
    );
    this.#anchor = { unixUs: record.record.startUnixUs, dts90k: this.#dts90k };
    this.#dts90k += record.frames.duration90k;
    return parts;
  }
}

/** From the parameter sets that every key frame in a chunk carries. */
function formatOf(record: ParsedRecord): VideoFormat {
  const sets = new ParameterSets(record.codec);
  for (const nal of splitAnnexB(record.payload)) {
    if (nalKind(record.codec, nal[0] ?? 0) === 'set') sets.put(nal);
  }
  const format = sets.format();
  if (format === undefined) {
    throw new NightjarError('data-loss', 'the first key frame carries no parameter sets');
  }
  return format;
}

/** The sound of the period in order of time, group after group. What is damaged is left out. */
class ChunkSound {
  readonly #store: ChunkStore;
  readonly #found: Found[];
  #next: ParsedAudio[] = [];

  constructor(store: ChunkStore, found: readonly Found[]) {
    this.#store = store;
    this.#found = [...found];
  }

  async format(): Promise<AudioFormat | undefined> {
    await this.#readAhead();
    return this.#next[0]?.format;
  }

  /** What was not given out yet and begins before the moment. */
  async until(unixUs: number): Promise<ParsedAudio[]> {
    const heard: ParsedAudio[] = [];
    for (;;) {
      await this.#readAhead();
      const [record] = this.#next;
      if (record === undefined || record.record.startUnixUs >= unixUs) return heard;
      this.#next.shift();
      heard.push(record);
    }
  }

  async #readAhead(): Promise<void> {
    for (let found = this.#found[0]; found !== undefined; found = this.#found[0]) {
      if (this.#next.length > 0) return;
      this.#found.shift();
      const { group, chunk } = found;
      try {
        this.#next = await this.#store.readAudio(chunk, group.offset, group.length);
      } catch (error) {
        if (!(error instanceof NightjarError) || error.code !== 'data-loss') throw error;
      }
    }
  }
}
