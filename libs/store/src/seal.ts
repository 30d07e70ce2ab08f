// The last unit of a chunk: what its bytes hash to, and the seal of the chunk before.

import { createHash } from 'node:crypto';
import { ByteReader, ByteWriter, type NightjarError } from '#base';
import type { MediaCodec } from '#media';
import type { ChunkInfo } from './chunk-info.js';
import {
  beginBody,
  endBody,
  KIND_SEAL,
  kindOf,
  readIdentity,
  type TrackIdentity,
} from './record-header.js';
import { maxUnitBytes, readUnit, SEAL_PREFIXES, writeUnit, type CarriedUnit } from './carrier.js';

export interface SealFacts {
  /** Hex; of every byte of the file in front of the seal. */
  readonly sha256: string;
  /** Hex; the seal of the track's chunk before, if there was one. */
  readonly previousSeal?: string;
}

export interface Seal extends TrackIdentity, SealFacts {}

/**
 * The value that the next chunk of the track repeats: SHA-256 over this chunk's hash and the seal
 * before (32 zero bytes where there is none). Undefined for a chunk that is not sealed.
 */
export function sealOf(chunk: {
  readonly sha256?: string;
  readonly previousSeal?: string;
}): string | undefined {
  if (chunk.sha256 === undefined) return undefined;
  return createHash('sha256')
    .update(Buffer.from(chunk.sha256, 'hex'))
    .update(Buffer.from(chunk.previousSeal ?? '00'.repeat(32), 'hex'))
    .digest('hex');
}

/** The whole NAL unit, or tag. */
export function writeSeal(codec: MediaCodec, seal: Seal): Buffer {
  const writer = beginBody(new ByteWriter(), KIND_SEAL, seal)
    .bytes(Buffer.from(seal.sha256, 'hex'))
    .u8(seal.previousSeal === undefined ? 0 : 1);
  if (seal.previousSeal !== undefined) writer.bytes(Buffer.from(seal.previousSeal, 'hex'));
  const body = endBody(writer);
  const target = Buffer.allocUnsafe(maxUnitBytes(body.length));
  return target.subarray(0, writeUnit(target, 0, { codec, place: 'seal', body }));
}

/** Where the records of a chunk end: in front of its seal, if it has one. */
export function recordsEndOf(chunk: ChunkInfo): number {
  const { codec, camera, track, sha256, previousSeal, sizeBytes } = chunk;
  if (!chunk.sealed || sha256 === undefined) return sizeBytes;
  const seal = { sha256, ...(previousSeal === undefined ? {} : { previousSeal }) };
  return sizeBytes - writeSeal(codec, { camera, track, ...seal }).length;
}

/** Reads a body of kind seal. Throws data-loss when it is too short. */
export function decodeSeal(body: Buffer): Seal {
  const reader = new ByteReader(body.subarray(2, body.length - 4));
  const identity = readIdentity(reader);
  const sha256 = reader.bytes(32).toString('hex');
  if (reader.u8() === 0) return { ...identity, sha256 };
  return { ...identity, sha256, previousSeal: reader.bytes(32).toString('hex') };
}

/** A seal is smaller than this, so that the end of a file shows whether it is sealed. */
export const MAX_SEAL_BYTES = 512;

/** The seal that ends exactly where `tail`, the end of a file, does. */
export function findSealAtEnd(tail: Buffer): { seal: Seal; offset: number } | undefined {
  for (const bytes of SEAL_PREFIXES) {
    const offset = tail.lastIndexOf(bytes);
    if (offset < 0) continue;
    const unit = readUnit(tail, offset);
    if (!isUnit(unit) || unit.end !== tail.length) continue;
    try {
      if (kindOf(unit.body) === KIND_SEAL) return { seal: decodeSeal(unit.body), offset };
    } catch (error) {
      if ((error as NightjarError).code !== 'data-loss') throw error;
    }
  }
  return undefined;
}

function isUnit(unit: CarriedUnit | 'incomplete' | undefined): unit is CarriedUnit {
  return typeof unit === 'object';
}
