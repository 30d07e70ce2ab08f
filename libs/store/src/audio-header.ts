// The body of an audio record's tag, and the choice between the headers of sound and of video.

import { ByteReader, type ByteWriter } from '#base';
import { AUDIO_CODECS, aacFormat, FrameTable, isAudioCodec, plainAudioFormat } from '#media';
import type { AudioFormat, MediaRecord } from '#media';
import type { CarriedUnit } from './carrier.js';
import {
  beginBody,
  decodeRecordHeader,
  disagreement,
  encodeRecordHeader,
  endBody,
  KIND_AUDIO,
  KIND_RECORD,
  kindOf,
  MAX_PAYLOAD_BYTES,
  piecesOf,
  putFacts,
  readFacts,
  readIdentity,
  type RecordHeader,
  type TrackIdentity,
} from './record-header.js';

const MAX_CONFIG_BYTES = 64;

/** The body of `record`'s header: a view that the writer's next use overwrites. */
export function encodeHeader(
  writer: ByteWriter,
  identity: TrackIdentity,
  record: MediaRecord,
): Buffer {
  const { format, frames } = record;
  if (!isAudioCodec(format.codec)) return encodeRecordHeader(writer, identity, record);
  const { codec, sampleRate, channels, config } = format as AudioFormat;
  const pieces = piecesOf(record);
  putFacts(beginBody(writer, KIND_AUDIO, identity), record, { flags: 0, pieces })
    .u8(AUDIO_CODECS.indexOf(codec))
    .varint(sampleRate)
    .varint(channels)
    .varint(config.length)
    .bytes(config)
    .varint(frames.count);
  for (let frame = 0; frame < frames.count; frame++) {
    writer.varint(frames.durationOf(frame)).varint(frames.sizeOf(frame));
  }
  return endBody(writer);
}

/**
 * Undefined for a unit that carries no record. Throws data-loss when its parts disagree, and
 * unsupported for a newer version.
 */
export function readRecordHeader(unit: CarriedUnit): RecordHeader | undefined {
  const kind = kindOf(unit.body);
  if (kind === KIND_RECORD && unit.place === 'record') return decodeRecordHeader(unit.body);
  if (kind === KIND_AUDIO && unit.place === undefined) return decodeAudioHeader(unit.body);
  return undefined;
}

function decodeAudioHeader(body: Buffer): RecordHeader {
  const reader = new ByteReader(body.subarray(2, body.length - 4));
  const identity = readIdentity(reader);
  const { payloadCrc, payloadBytes, times } = readFacts(reader);
  const codec = AUDIO_CODECS[reader.u8()];
  const sampleRate = reader.varint();
  const channels = reader.varint();
  const configBytes = reader.varint();
  if (configBytes > MAX_CONFIG_BYTES) throw disagreement('codec');
  const config = Uint8Array.from(reader.bytes(configBytes));
  const audio =
    codec === undefined
      ? undefined
      : codec === 'aac'
        ? aacFormat(config)
        : plainAudioFormat(codec, sampleRate, channels);
  if (audio === undefined || sampleRate === 0 || channels === 0) throw disagreement('codec');
  const frameCount = reader.varint();
  // Two bytes are the least that a frame takes, so a lie about the count costs nothing.
  if (frameCount === 0 || frameCount * 2 > reader.remaining) throw disagreement('frames');
  const frames = new FrameTable(0);
  for (let frame = 0; frame < frameCount; frame++) {
    const duration90k = reader.varint();
    const sizeBytes = reader.varint();
    if (duration90k >= 2 ** 32 || sizeBytes > MAX_PAYLOAD_BYTES) throw disagreement('frames');
    frames.addNal(sizeBytes);
    frames.endFrame(true, duration90k, 0);
  }
  if (reader.remaining !== 0 || frames.payloadBytes !== payloadBytes) throw disagreement('bytes');
  if (payloadBytes > MAX_PAYLOAD_BYTES || times.startUnixUs < 0) {
    throw disagreement('sizes or times');
  }
  const record = { ...times, duration90k: frames.duration90k, frameCount };
  return { ...identity, width: 0, height: 0, audio, record, payloadBytes, payloadCrc, frames };
}
