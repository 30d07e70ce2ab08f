// Walks over a chunk file record by record, verifies every CRC, and finds its way past damage.

import { crc32c } from '@node-rs/crc32';
import { NightjarError } from '#base';
import type { ByteRange } from './chunk-info.js';
import type { ChunkFile } from './chunk-files.js';
import { readRecordHeader } from './audio-header.js';
import { maxUnitBytes, readUnit, UNIT_PREFIXES } from './carrier.js';
import { KIND_SEAL, kindOf, type RecordHeader, type TrackIdentity } from './record-header.js';
import { decodeSeal, type Seal } from './seal.js';
import { LONGEST_PREFIX_BYTES, MAX_SEI_BODY_BYTES } from './sei.js';
import { BLOCK_BYTES } from './staging.js';

/** A part of the file that is in memory; moves on demand. */
class FileWindow {
  readonly sizeBytes: number;
  readonly #file: ChunkFile;
  #buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(file: ChunkFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** The bytes from `offset`: `count` of them, fewer only at the end of the file. */
  async at(offset: number, count: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(count, this.sizeBytes - offset));
    const end = this.#offset + this.#buffer.length;
    if (offset < this.#offset || offset + wanted > end) {
      const bytes = Buffer.allocUnsafe(
        Math.max(0, Math.min(Math.max(wanted, WINDOW_BYTES), this.sizeBytes - offset)),
      );
      const read = await this.#file.read(bytes, offset);
      this.#buffer = bytes.subarray(0, read);
      this.#offset = offset;
    }
    const start = offset - this.#offset;
    return this.#buffer.subarray(start, start + wanted);
  }

  /** The next bytes from `offset`, at most `count`, at least one unless the file ends. */
  some(offset: number, count: number): Promise<Buffer> {
    const held = this.#offset + this.#buffer.length - offset;
    const here = offset >= this.#offset && held > 0 ? held : WINDOW_BYTES;
    return this.at(offset, Math.min(here, count));
  }
}

const WINDOW_BYTES = 1 << 20;
/** Most headers fit; longer ones are read again with more. */
const FIRST_HEADER_BYTES = 8192;
const MAX_HEADER_BYTES = maxUnitBytes(MAX_SEI_BODY_BYTES);
/** How often the bytes of a file may be summed in vain, before the rest counts as damaged. */
const MAX_VAIN_PASSES = 4;

export type ScannedUnit =
  | (ByteRange & { readonly kind: 'record'; readonly header: RecordHeader })
  | (ByteRange & { readonly kind: 'seal'; readonly seal: Seal });

export interface ChunkScan {
  readonly units: readonly ScannedUnit[];
  /** Stretches in front of `validEnd` that hold no valid unit. */
  readonly damaged: readonly ByteRange[];
  /** Behind the last valid record or seal. */
  readonly validEnd: number;
  /** Bytes behind `validEnd` that are torn; zeros that fill up the last block are not. */
  readonly tornBytes: number;
}

/**
 * Reads from `from` (0, or the end of a record) to the end of the file. Units of another camera or
 * track than `identity` count as damage. Never gives a record whose CRC differs; throws
 * unsupported for a newer format and what the file throws.
 */
export async function scanChunk(
  file: ChunkFile,
  identity: TrackIdentity,
  from: number,
): Promise<ChunkScan> {
  const window = new FileWindow(file, await file.sizeBytes());
  const units: ScannedUnit[] = [];
  const damaged: ByteRange[] = [];
  const vain = { bytes: 0 };
  let validEnd = Math.min(from, window.sizeBytes);
  let at = validEnd;
  while (at < window.sizeBytes && vain.bytes <= window.sizeBytes * MAX_VAIN_PASSES) {
    const unit = await unitAt(window, at, vain);
    if (unit !== undefined && isOf(unit, identity)) {
      if (at > validEnd) damaged.push({ offset: validEnd, length: at - validEnd });
      units.push(unit);
      at += unit.length;
      validEnd = at;
    } else {
      at = await nextPrefix(window, at + 1);
    }
  }
  const rest = window.sizeBytes - validEnd;
  const tornBytes = rest > 0 && !(await isPadding(window, validEnd)) ? rest : 0;
  return { units, damaged, validEnd, tornBytes };
}

/** A chunk that is being written ends with its last block filled up. */
async function isPadding(window: FileWindow, from: number): Promise<boolean> {
  const rest = window.sizeBytes - from;
  return rest < BLOCK_BYTES && (await window.at(from, rest)).every((byte) => byte === 0);
}

function isOf(unit: ScannedUnit, identity: TrackIdentity): boolean {
  const found = unit.kind === 'record' ? unit.header : unit.seal;
  return found.camera === identity.camera && found.track === identity.track;
}

async function unitAt(
  window: FileWindow,
  offset: number,
  vain: { bytes: number },
): Promise<ScannedUnit | undefined> {
  let wanted = FIRST_HEADER_BYTES;
  let unit = readUnit(await window.at(offset, wanted), 0);
  while (unit === 'incomplete' && wanted < MAX_HEADER_BYTES && offset + wanted < window.sizeBytes) {
    wanted *= 4;
    vain.bytes += wanted;
    unit = readUnit(await window.at(offset, wanted), 0);
  }
  if (unit === 'incomplete' || unit === undefined) return undefined;
  try {
    if (unit.place !== 'record' && kindOf(unit.body) === KIND_SEAL) {
      return { kind: 'seal', offset, length: unit.end, seal: decodeSeal(unit.body) };
    }
    const header = readRecordHeader(unit);
    if (header === undefined) return undefined;
    const payloadAt = offset + unit.end;
    if (payloadAt + header.payloadBytes > window.sizeBytes) return undefined;
    if ((await crcOf(window, payloadAt, header.payloadBytes)) !== header.payloadCrc) {
      vain.bytes += header.payloadBytes;
      return undefined;
    }
    const length = unit.end + header.payloadBytes;
    return { kind: 'record', offset, length, header };
  } catch (error) {
    if (error instanceof NightjarError && error.code === 'data-loss') return undefined;
    throw error;
  }
}

async function crcOf(window: FileWindow, offset: number, length: number): Promise<number> {
  let crc = 0;
  for (let done = 0; done < length;) {
    const piece = await window.some(offset + done, length - done);
    // A file that shrank meanwhile.
    if (piece.length === 0) return -1;
    crc = crc32c(piece, crc);
    done += piece.length;
  }
  return crc;
}

/** Where one of our units may begin, at or behind `from`; the end of the file if nowhere. */
async function nextPrefix(window: FileWindow, from: number): Promise<number> {
  for (let at = from; at < window.sizeBytes; at += WINDOW_BYTES - LONGEST_PREFIX_BYTES) {
    const bytes = await window.at(at, WINDOW_BYTES);
    const found = UNIT_PREFIXES.map((prefix) => bytes.indexOf(prefix)).filter(
      (index) => index >= 0,
    );
    if (found.length > 0) return at + Math.min(...found);
  }
  return window.sizeBytes;
}
