// What a start after a crash does with one chunk file: scan the tail, cut what is torn.

import { NightjarError } from '#base';
import type { ChunkFile } from './chunk-files.js';
import type { ByteRange, ChunkInfo, ScannedChunk, WrittenRecord } from './chunk-info.js';
import { scanChunk, type ChunkScan } from './chunk-scan.js';
import { absoluteChunkPath } from './layout.js';
import { endUnixUsOf, type RecordHeader } from './record-header.js';
import type { ChunkDirectory, ListedChunk } from './store-directory.js';

/** A chunk that a crash left without a single record is no larger than one write and its torn rest. */
const MAX_FIRST_WRITE_BYTES = 16_000_000;

/**
 * Scans behind `indexed.sizeBytes` (all, for a chunk that the index does not have) and cuts the
 * file behind its last valid record. Undefined for a file that held no record and was removed.
 */
export async function recoverChunk(
  directory: ChunkDirectory,
  listed: ListedChunk,
  indexed: ChunkInfo | undefined,
): Promise<ScannedChunk | undefined> {
  const path = absoluteChunkPath(directory.path, listed.path);
  let file: ChunkFile;
  try {
    file = await directory.files.open(path, 'append');
  } catch (error) {
    if (indexed === undefined || !isNotFound(error)) throw error;
    return { chunk: indexed, records: [], state: 'missing', tornBytes: 0, damaged: [] };
  }
  try {
    const sizeBytes = await file.sizeBytes();
    if (indexed !== undefined && sizeBytes < indexed.sizeBytes) {
      return await recoverShortened(file, { store: directory.id ?? '', listed, indexed });
    }
    const from = indexed?.sizeBytes ?? 0;
    const scan = await scanChunk(file, listed, from);
    if (scan.units.length === 0 && from === 0) {
      if (sizeBytes > MAX_FIRST_WRITE_BYTES) {
        throw new NightjarError('data-loss', 'expected records, found none', { path: listed.path });
      }
      await directory.files.remove(path);
      return undefined;
    }
    // Keeps S2. A sealed chunk is left as it is: nothing is written behind its seal.
    const isSealed = scan.units.some((unit) => unit.kind === 'seal');
    if (scan.validEnd < sizeBytes && (!isSealed || scan.tornBytes === 0)) {
      await file.truncate(scan.validEnd);
      await file.sync();
    }
    return describe(scan, { store: directory.id ?? '', listed, indexed });
  } finally {
    await file.close();
  }
}

/** Bytes are gone that were safe: says so, and gives what is left, all of it to be indexed anew. */
async function recoverShortened(
  file: ChunkFile,
  found: { store: string; listed: ListedChunk; indexed: ChunkInfo },
): Promise<ScannedChunk> {
  const scan = await scanChunk(file, found.listed, 0);
  const { offset, length } = {
    offset: scan.validEnd,
    length: found.indexed.sizeBytes - scan.validEnd,
  };
  const scanned = describe(scan, { ...found, indexed: undefined });
  await file.truncate(scan.validEnd);
  await file.sync();
  // A file without any record has no times of its own.
  const chunk =
    scanned.records.length === 0
      ? { ...found.indexed, sizeBytes: scan.validEnd, sealed: false }
      : scanned.chunk;
  return { ...scanned, chunk, state: 'damaged', damaged: [...scanned.damaged, { offset, length }] };
}

/** Scans a whole chunk and changes nothing; `file` stays open. */
export async function scanFile(
  file: ChunkFile,
  listed: ListedChunk,
  store: string,
): Promise<ScannedChunk> {
  const scan = await scanChunk(file, listed, 0);
  return describe(scan, { store, listed, indexed: undefined });
}

interface Found {
  readonly store: string;
  readonly listed: ListedChunk;
  readonly indexed: ChunkInfo | undefined;
}

function describe(scan: ChunkScan, found: Found): ScannedChunk {
  const { store, listed, indexed } = found;
  const { playable, orphans } = withoutOrphans(scan, indexed?.sizeBytes ?? 0);
  const starts = playable.map(({ header }) => header.record.startUnixUs);
  const ends = playable.map(({ header }) => endUnixUsOf(header.record));
  if (indexed !== undefined) {
    starts.push(indexed.firstUnixUs);
    ends.push(indexed.lastUnixUs);
  } else if (playable.length === 0) {
    // The id is the time when the chunk was made, the only time that is left.
    starts.push(listed.id);
    ends.push(listed.id);
  }
  const seal = scan.units.find((unit) => unit.kind === 'seal')?.seal;
  const { camera, track, codec, id, path } = listed;
  const chunk: ChunkInfo = {
    id,
    store,
    path,
    camera,
    track,
    codec,
    firstUnixUs: starts.reduce((least, start) => Math.min(least, start), Infinity),
    lastUnixUs: ends.reduce((most, end) => Math.max(most, end), 0),
    sizeBytes: scan.validEnd,
    sealed: seal !== undefined,
    ...(seal === undefined ? {} : { sha256: seal.sha256 }),
    ...(seal?.previousSeal === undefined ? {} : { previousSeal: seal.previousSeal }),
  };
  const records: WrittenRecord[] = playable.map(({ offset, length, header }) => ({
    chunk,
    offset,
    length,
    record: header.record,
  }));
  const lost = orphans.map(({ offset, length }) => ({ offset, length }));
  const damaged = [...scan.damaged, ...lost].sort((a, b) => a.offset - b.offset);
  const { tornBytes } = scan;
  const state = damaged.length > 0 ? 'damaged' : tornBytes > 0 ? 'cut' : 'intact';
  return { chunk, records, state, tornBytes, damaged };
}

type RecordUnit = ByteRange & { readonly header: RecordHeader };

/** Parts the records that begin a group or go on with one from those whose beginning is lost. */
function withoutOrphans(
  scan: ChunkScan,
  from: number,
): { playable: RecordUnit[]; orphans: RecordUnit[] } {
  const playable: RecordUnit[] = [];
  const orphans: RecordUnit[] = [];
  // In front of the tail lies what the index has.
  let goesOnAt = from > 0 ? from : -1;
  for (const unit of scan.units) {
    if (unit.kind === 'seal') continue;
    if (unit.header.record.startsGroup || unit.offset === goesOnAt) {
      playable.push(unit);
      goesOnAt = unit.offset + unit.length;
    } else {
      orphans.push(unit);
    }
  }
  return { playable, orphans };
}

function isNotFound(error: unknown): boolean {
  return error instanceof NightjarError && error.code === 'not-found';
}
