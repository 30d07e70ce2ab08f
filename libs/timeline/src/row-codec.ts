// The values of the LSM as bytes. Parts that the key holds are not repeated.

import { ByteReader, ByteWriter } from '#base';
import type { MediaCodec, TrackName } from '#media';
import { makeKey, trackAt, u64At, uuidAt } from './keys.js';
import type { ChunkRow, DeletionRow, GapRow, GroupRow, HoldRow, NewDeletion } from './rows.js';

const CODECS: readonly MediaCodec[] = ['h264', 'h265', 'aac', 'pcmu', 'pcma', 'opus'];
const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
const SEALED = 1;
const HAS_SHA256 = 2;
const HAS_PREVIOUS = 4;

const writer = new ByteWriter(512);

export function groupKey(
  row: Pick<GroupRow, 'camera' | 'track' | 'startUnixUs' | 'chunkId'>,
): Buffer {
  const { camera, track, startUnixUs, chunkId } = row;
  return makeKey('group', { uuid: camera }, { track }, { u64: startUnixUs }, { u64: chunkId });
}

/** At most 23 bytes for what cameras send: varints. */
export function encodeGroup(row: GroupRow): Buffer {
  return writer
    .reset()
    .varint(row.durationUs)
    .varint(row.run)
    .varint(row.offset)
    .varint(row.length)
    .varint(row.frameCount)
    .zigzag(row.startDts90k)
    .copy();
}

export function decodeGroup(key: Buffer, value: Buffer): GroupRow {
  const reader = new ByteReader(value);
  return {
    camera: uuidAt(key, 1),
    track: trackAt(key, 17),
    startUnixUs: u64At(key, 18),
    chunkId: u64At(key, 26),
    durationUs: reader.varint(),
    run: reader.varint(),
    offset: reader.varint(),
    length: reader.varint(),
    frameCount: reader.varint(),
    startDts90k: reader.zigzag(),
  };
}

export function encodeChunk(row: ChunkRow): Buffer {
  const flags =
    (row.sealed ? SEALED : 0) |
    (row.sha256 === undefined ? 0 : HAS_SHA256) |
    (row.previousSeal === undefined ? 0 : HAS_PREVIOUS);
  writer
    .reset()
    .u8(flags)
    .bytes(makeKey('usage', { uuid: row.store }).subarray(1))
    .bytes(makeKey('usage', { uuid: row.camera }).subarray(1))
    .u8(TRACKS.indexOf(row.track))
    .u8(CODECS.indexOf(row.codec))
    .varint(row.firstUnixUs)
    .zigzag(row.lastUnixUs - row.firstUnixUs)
    .varint(row.sizeBytes)
    .text(row.path);
  if (row.sha256 !== undefined) writer.bytes(Buffer.from(row.sha256, 'hex'));
  if (row.previousSeal !== undefined) writer.bytes(Buffer.from(row.previousSeal, 'hex'));
  return writer.copy();
}

export function decodeChunk(key: Buffer, value: Buffer): ChunkRow {
  const reader = new ByteReader(value);
  const flags = reader.u8();
  const store = uuidAt(reader.bytes(16), 0);
  const camera = uuidAt(reader.bytes(16), 0);
  const track = TRACKS[reader.u8()] ?? 'main';
  const codec = CODECS[reader.u8()] ?? 'h264';
  const firstUnixUs = reader.varint();
  const lastUnixUs = firstUnixUs + reader.zigzag();
  const sizeBytes = reader.varint();
  const path = reader.text();
  const hash = (flag: number) =>
    (flags & flag) === 0 ? undefined : reader.bytes(32).toString('hex');
  const sha256 = hash(HAS_SHA256);
  const previousSeal = hash(HAS_PREVIOUS);
  return {
    id: u64At(key, 1),
    store,
    path,
    camera,
    track,
    codec,
    firstUnixUs,
    lastUnixUs,
    sizeBytes,
    sealed: (flags & SEALED) !== 0,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(previousSeal === undefined ? {} : { previousSeal }),
  };
}

export function gapKey({ camera, startUnixUs }: Pick<GapRow, 'camera' | 'startUnixUs'>): Buffer {
  return makeKey('gap', { uuid: camera }, { u64: startUnixUs });
}

/** 0 for an open gap, else 1 + its length; the reason. */
export function encodeGap(row: GapRow): Buffer {
  const length = row.endUnixUs === undefined ? 0 : Math.max(0, row.endUnixUs - row.startUnixUs) + 1;
  return writer.reset().varint(length).text(row.reason).copy();
}

export function decodeGap(key: Buffer, value: Buffer): GapRow {
  const reader = new ByteReader(value);
  const startUnixUs = u64At(key, 17);
  const length = reader.varint();
  return {
    camera: uuidAt(key, 1),
    startUnixUs,
    endUnixUs: length === 0 ? undefined : startUnixUs + length - 1,
    reason: reader.text(),
  };
}

export function encodeDeletion(row: NewDeletion): Buffer {
  return writer
    .reset()
    .varint(row.atUnixUs)
    .bytes(makeKey('usage', { uuid: row.camera }).subarray(1))
    .u8(TRACKS.indexOf(row.track))
    .text(row.chunkPath)
    .varint(row.fromUnixUs)
    .zigzag(row.toUnixUs - row.fromUnixUs)
    .varint(row.bytes)
    .text(row.rule)
    .text(row.seal ?? '')
    .copy();
}

export function decodeDeletion(key: Buffer, value: Buffer): DeletionRow {
  const reader = new ByteReader(value);
  const atUnixUs = reader.varint();
  const camera = uuidAt(reader.bytes(16), 0);
  const track = TRACKS[reader.u8()] ?? 'main';
  const chunkPath = reader.text();
  const fromUnixUs = reader.varint();
  const toUnixUs = fromUnixUs + reader.zigzag();
  const bytes = reader.varint();
  const rule = reader.text();
  const seal = reader.text();
  const id = key.subarray(1).toString('hex');
  const row = { id, atUnixUs, camera, track, chunkPath, fromUnixUs, toUnixUs, bytes, rule };
  return seal === '' ? row : { ...row, seal };
}

export function encodeHold(row: HoldRow): Buffer {
  writer.reset().varint(row.fromUnixMs).varint(row.toUnixMs).varint(row.cameras.length);
  for (const camera of row.cameras) writer.bytes(makeKey('usage', { uuid: camera }).subarray(1));
  return writer.copy();
}

export function decodeHold(key: Buffer, value: Buffer): HoldRow {
  const reader = new ByteReader(value);
  const fromUnixMs = reader.varint();
  const toUnixMs = reader.varint();
  const cameras = Array.from({ length: reader.varint() }, () => uuidAt(reader.bytes(16), 0));
  return { id: uuidAt(key, 1), cameras, fromUnixMs, toUnixMs };
}
