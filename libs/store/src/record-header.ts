// The body of a video record's SEI: what is needed to play, index and verify the record without a scan.

import { crc32c } from '@node-rs/crc32';
import type { ByteWriter } from '#base';
import { ByteReader, NightjarError, uuidFromBytes, uuidToBytes } from '#base';
import { FrameTable, type AudioFormat, type MediaRecord, type TrackName } from '#media';
import type { RecordFacts } from './chunk-info.js';

export const FORMAT_VERSION = 1;
export const KIND_RECORD = 1;
export const KIND_SEAL = 2;
export const KIND_AUDIO = 3;

const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
const FLAG_STARTS_GROUP = 1;
const FLAG_CTS_OFFSETS = 2;
/** No record has more; the largest frames of cameras are a hundredth of it. */
export const MAX_PAYLOAD_BYTES = 1 << 28;

/** Whose track a chunk holds. */
export interface TrackIdentity {
  readonly camera: string;
  readonly track: TrackName;
}

export interface RecordHeader extends TrackIdentity {
  /** Pixels; 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Of sound. */
  readonly audio?: AudioFormat;
  readonly record: RecordFacts;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly frames: FrameTable;
}

/** A writer gives the same object for every record of its track. */
const cameraBytes = new WeakMap<TrackIdentity, Buffer>();

function cameraBytesOf(identity: TrackIdentity): Buffer {
  let bytes = cameraBytes.get(identity);
  if (bytes === undefined) cameraBytes.set(identity, (bytes = uuidToBytes(identity.camera)));
  return bytes;
}

/** Puts what all bodies begin with: kind, version, camera, track. */
export function beginBody(writer: ByteWriter, kind: number, identity: TrackIdentity): ByteWriter {
  return writer
    .reset()
    .u8(kind)
    .u8(FORMAT_VERSION)
    .bytes(cameraBytesOf(identity))
    .u8(TRACKS.indexOf(identity.track));
}

/** Puts what all bodies end with: the CRC-32C of the rest. */
export function endBody(writer: ByteWriter): Buffer {
  return writer.u32(crc32c(writer.view())).view();
}

/** The kind of a body, or undefined when its CRC differs. Throws unsupported for a newer version. */
export function kindOf(body: Buffer): number | undefined {
  if (body.length < 6) return undefined;
  const end = body.length - 4;
  if (crc32c(body.subarray(0, end)) !== body.readUInt32BE(end)) return undefined;
  const version = body[1] ?? 0;
  if (version > FORMAT_VERSION) {
    throw new NightjarError(
      'unsupported',
      `expected chunk format ${FORMAT_VERSION} or older, found ${version}: use a newer nightjar`,
      { version },
    );
  }
  return body[0];
}

export function readIdentity(reader: ByteReader): TrackIdentity {
  const camera = uuidFromBytes(reader.bytes(16));
  const track = TRACKS[reader.u8()];
  if (track === undefined) throw new NightjarError('data-loss', 'expected a known track');
  return { camera, track };
}

/** The body of `record`'s header: a view that the writer's next use overwrites. */
export function encodeRecordHeader(
  writer: ByteWriter,
  identity: TrackIdentity,
  record: MediaRecord,
): Buffer {
  const { frames, format } = record;
  if (!('width' in format)) {
    throw new NightjarError('invalid-argument', 'expected a record of video, found sound');
  }
  const pieces = piecesOf(record);
  let offsetsUsed = false;
  for (let frame = 0; frame < frames.count && !offsetsUsed; frame++) {
    offsetsUsed = frames.ctsOffsetOf(frame) !== 0;
  }
  const flags = offsetsUsed ? FLAG_CTS_OFFSETS : 0;
  putFacts(beginBody(writer, KIND_RECORD, identity), record, { flags, pieces })
    .varint(format.width)
    .varint(format.height)
    .varint(frames.count);
  for (let frame = 0; frame < frames.count; frame++) {
    writer.varint(frames.durationOf(frame) * 2 + (frames.isKey(frame) ? 1 : 0));
    if (offsetsUsed) writer.zigzag(frames.ctsOffsetOf(frame));
    const first = frames.firstNalOf(frame);
    const end = frames.firstNalOf(frame + 1);
    writer.varint(end - first);
    for (let nal = first; nal < end; nal++) writer.varint(frames.nalSizeOf(nal));
  }
  return endBody(writer);
}

/** The payload, piece by piece. Throws invalid-argument when it and its frame table disagree. */
export function piecesOf(record: MediaRecord): readonly Buffer[] {
  const { frames, rest = [] } = record;
  const pieces = [record.buffer.subarray(record.payloadStart, record.payloadEnd), ...rest];
  const payloadBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (frames.count === 0 || payloadBytes !== frames.payloadBytes) {
    throw new NightjarError('invalid-argument', 'expected a payload as long as its frame table', {
      frames: frames.count,
      tableBytes: frames.payloadBytes,
      payloadBytes,
    });
  }
  return pieces;
}

/** Puts what the bodies of all records share, behind camera and track. */
export function putFacts(
  writer: ByteWriter,
  record: MediaRecord,
  { flags, pieces }: { readonly flags: number; readonly pieces: readonly Buffer[] },
): ByteWriter {
  return writer
    .u8((record.startsGroup ? FLAG_STARTS_GROUP : 0) | flags)
    .u32(pieces.reduce((crc, piece) => crc32c(piece, crc), 0))
    .varint(record.frames.payloadBytes)
    .varint(record.run)
    .varint(record.sequence)
    .varint(record.groupStartUnixUs)
    .zigzag(record.startUnixUs - record.groupStartUnixUs)
    .zigzag(record.startDts90k);
}

/** Reads what `putFacts` put. */
export function readFacts(reader: ByteReader) {
  const flags = reader.u8();
  const payloadCrc = reader.u32();
  const payloadBytes = reader.varint();
  const run = reader.varint();
  const sequence = reader.varint();
  const groupStartUnixUs = reader.varint();
  const startUnixUs = groupStartUnixUs + reader.zigzag();
  const startDts90k = reader.zigzag();
  const startsGroup = (flags & FLAG_STARTS_GROUP) !== 0;
  const times = { run, sequence, startsGroup, groupStartUnixUs, startUnixUs, startDts90k };
  return { flags, payloadCrc, payloadBytes, times };
}

/** Reads a body whose CRC `kindOf` has found right. Throws data-loss when its parts disagree. */
export function decodeRecordHeader(body: Buffer): RecordHeader {
  const reader = new ByteReader(body.subarray(2, body.length - 4));
  const identity = readIdentity(reader);
  const { flags, payloadCrc, payloadBytes, times } = readFacts(reader);
  const width = reader.varint();
  const height = reader.varint();
  const frameCount = reader.varint();
  // Two bytes are the least that a frame takes, so a lie about the count costs nothing.
  if (frameCount === 0 || frameCount * 2 > reader.remaining) throw disagreement('frames');
  const frames = new FrameTable();
  for (let frame = 0; frame < frameCount; frame++) {
    const durationAndKey = reader.varint();
    const ctsOffset90k = (flags & FLAG_CTS_OFFSETS) === 0 ? 0 : reader.zigzag();
    if (durationAndKey >= 2 ** 33 || Math.abs(ctsOffset90k) >= 2 ** 31) {
      throw disagreement('durations');
    }
    const nalCount = reader.varint();
    if (nalCount > reader.remaining) throw disagreement('NAL units');
    for (let nal = 0; nal < nalCount; nal++) frames.addNal(reader.varint());
    frames.endFrame(durationAndKey % 2 === 1, Math.floor(durationAndKey / 2), ctsOffset90k);
  }
  if (reader.remaining !== 0 || frames.payloadBytes !== payloadBytes) throw disagreement('bytes');
  if (payloadBytes > MAX_PAYLOAD_BYTES || times.startUnixUs < 0) {
    throw disagreement('sizes or times');
  }
  const record: RecordFacts = { ...times, duration90k: frames.duration90k, frameCount };
  return { ...identity, width, height, record, payloadBytes, payloadCrc, frames };
}

/** The end of a record, in Unix microseconds. */
export function endUnixUsOf(record: RecordFacts): number {
  return record.startUnixUs + Math.round((record.duration90k * 100) / 9);
}

export function disagreement(what: string): NightjarError {
  return new NightjarError('data-loss', `a record header disagrees with itself about its ${what}`);
}
