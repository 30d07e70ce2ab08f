// `nightjar export`: one MP4 from the chunks alone, with no index, no database and no server.

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { NightjarError } from '#base';
import {
  nalKind,
  ParameterSets,
  patchNalLengths,
  splitAnnexB,
  writeFmp4Init,
  writeFragmentHead,
  type VideoFormat,
} from '#media';
import { foldGroups, type ChunkStore, type ParsedRecord, type RecordedGroup } from '#store';
import { openStore } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Report } from './report.js';

interface Found {
  readonly group: RecordedGroup;
  readonly chunk: Parameters<ChunkStore['readRecords']>[0];
}

export async function exportClip(
  options: CommandOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const { camera, fromUnixMs, toUnixMs, out } = options;
  if (
    camera === undefined ||
    fromUnixMs === undefined ||
    toUnixMs === undefined ||
    out === undefined
  ) {
    throw new NightjarError('invalid-argument', 'export needs --camera, --from, --to and --out');
  }
  const store = await openStore(options);
  try {
    const found = await findGroups(store, camera, fromUnixMs * 1000, toUnixMs * 1000);
    if (found.length === 0) {
      throw new NightjarError('not-found', 'there is no footage of that camera in that time');
    }
    const partial = `${out}.part`;
    const file = createWriteStream(partial);
    const write = async (bytes: Uint8Array) => {
      if (!file.write(bytes)) await once(file, 'drain');
    };
    let frames = 0;
    let damaged = 0;
    try {
      const clip = new Clip();
      for (const [index, { group, chunk }] of found.entries()) {
        progress(`${index + 1} of ${found.length} groups`);
        try {
          for (const record of await store.readRecords(chunk, group.offset, group.length)) {
            for (const part of clip.add(record)) await write(part);
            frames += record.frames.count;
          }
        } catch (error) {
          if (!(error instanceof NightjarError) || error.code !== 'data-loss') throw error;
          damaged += 1;
        }
      }
      file.end();
      await once(file, 'finish');
      await rename(partial, out);
    } catch (error) {
      file.destroy();
      await rm(partial, { force: true });
      throw error;
    }
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

/** Whole groups that overlap the time, oldest first. */
async function findGroups(
  store: ChunkStore,
  camera: string,
  fromUnixUs: number,
  toUnixUs: number,
): Promise<Found[]> {
  const found: Found[] = [];
  for await (const { chunk, records } of store.scanAll()) {
    const apart = chunk.lastUnixUs <= fromUnixUs || chunk.firstUnixUs >= toUnixUs;
    if (chunk.camera !== camera || chunk.track !== 'main' || apart) continue;
    for (const group of foldGroups(records)) {
      const endUnixUs = group.startUnixUs + group.durationUs;
      if (endUnixUs > fromUnixUs && group.startUnixUs < toUnixUs) found.push({ group, chunk });
    }
  }
  return found.sort((a, b) => a.group.startUnixUs - b.group.startUnixUs);
}

/** Turns records into the parts of one fragmented MP4. */
class Clip {
  #format: VideoFormat | undefined;
  #sequence = 0;
  #dts90k = 0;

  add(record: ParsedRecord): Uint8Array[] {
    const parts: Uint8Array[] = [];
    if (this.#format === undefined) {
      this.#format = formatOf(record);
      parts.push(
        writeFmp4Init({ formats: [this.#format], startUnixUs: record.record.startUnixUs }),
      );
    }
    const runs = [{ frames: record.frames }];
    patchNalLengths(record.payload, 0, { frames: record.frames });
    this.#sequence += 1;
    parts.push(
      writeFragmentHead({ sequence: this.#sequence, baseDts90k: this.#dts90k, runs }),
      record.payload,
    );
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
