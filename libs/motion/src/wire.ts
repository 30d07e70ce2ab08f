// The messages between the recorder and its detector processes: length-prefixed binary, because
// frames are too many and too large for JSON.
//
// Every message: u32 length of the rest, u8 kind, u32 channel, body; all little-endian.

import { NightjarError } from '#base';
import type { VideoCodec } from '#media';
import { CELL_BYTES, type MotionSample, type MotionSettings } from './channel-types.js';

export const HEAD_BYTES = 9;
const LENGTH_BYTES = 4;
/** No access unit is larger; a longer message means that the stream is out of step. */
export const MOST_MESSAGE_BYTES = 32 * 1024 * 1024;

/** To the detector. */
export const OPEN = 1;
export const SETTINGS = 2;
export const FORMAT = 3;
export const FRAME = 4;
export const CLOSE = 5;
export const PING = 6;
/** To the recorder. */
export const SAMPLE = 16;
export const UNDECODABLE = 17;
export const PROGRESS = 18;

/** Flags of a frame. */
export const IS_KEY = 1;
/** Look at the picture; without it the frame is only decoded, for those behind it. */
export const LOOK = 2;
/** No more of this group comes: give out what the decoder still holds. */
export const LAST_OF_GROUP = 4;
/** Much of this group comes: without the loop filter errors would pile up. */
export const LOOP_FILTER = 8;

/** Flags and time, in front of the access unit. */
export const FRAME_HEAD_BYTES = 9;
const SAMPLE_BYTES = 8 + 4 + 1 + CELL_BYTES;

export interface WireFormat {
  readonly codec: VideoCodec;
  /** Annex-B, base64. */
  readonly parameterSets: string;
}

export interface Progress {
  /** Bytes of messages read so far. */
  readonly consumedBytes: number;
  readonly cpuUs: number;
}

/** Writes head and body of a frame message at `at`; returns the end. The caller has the room. */
export function writeFrame(
  into: Buffer,
  at: number,
  frame: { channel: number; flags: number; atUnixUs: number; data: Uint8Array },
): number {
  const bodyAt = writeHead(into, at, FRAME, {
    channel: frame.channel,
    bodyBytes: FRAME_HEAD_BYTES + frame.data.length,
  });
  into[bodyAt] = frame.flags;
  into.writeDoubleLE(frame.atUnixUs, bodyAt + 1);
  into.set(frame.data, bodyAt + FRAME_HEAD_BYTES);
  return bodyAt + FRAME_HEAD_BYTES + frame.data.length;
}

export function jsonMessage(
  kind: number,
  channel: number,
  body: MotionSettings | WireFormat,
): Buffer {
  const text = Buffer.from(JSON.stringify(body));
  const message = Buffer.allocUnsafe(HEAD_BYTES + text.length);
  text.copy(message, writeHead(message, 0, kind, { channel, bodyBytes: text.length }));
  return message;
}

export function undecodableMessage(channel: number, frames: number): Buffer {
  const message = Buffer.allocUnsafe(HEAD_BYTES + 4);
  message.writeUInt32LE(frames, writeHead(message, 0, UNDECODABLE, { channel, bodyBytes: 4 }));
  return message;
}

/** Throws `data-loss` for a body of another length. */
export function readUndecodable(body: Buffer): number {
  expectBytes(body, 4);
  return body.readUInt32LE(0);
}

/** CLOSE and PING have no body. */
export function bareMessage(kind: number, channel: number): Buffer {
  const message = Buffer.allocUnsafe(HEAD_BYTES);
  writeHead(message, 0, kind, { channel, bodyBytes: 0 });
  return message;
}

export function sampleMessage(channel: number, sample: MotionSample): Buffer {
  const message = Buffer.allocUnsafe(HEAD_BYTES + SAMPLE_BYTES);
  const at = writeHead(message, 0, SAMPLE, { channel, bodyBytes: SAMPLE_BYTES });
  message.writeDoubleLE(sample.atUnixUs, at);
  message.writeFloatLE(sample.level, at + 8);
  message[at + 12] = sample.moving ? 1 : 0;
  message.set(sample.cells, at + 13);
  return message;
}

/** Throws `data-loss` for a body of another length. */
export function readSample(body: Buffer): MotionSample {
  expectBytes(body, SAMPLE_BYTES);
  return {
    atUnixUs: body.readDoubleLE(0),
    level: body.readFloatLE(8),
    moving: body[12] === 1,
    cells: Uint8Array.from(body.subarray(13, 13 + CELL_BYTES)),
  };
}

export function progressMessage({ consumedBytes, cpuUs }: Progress): Buffer {
  const message = Buffer.allocUnsafe(HEAD_BYTES + 16);
  const at = writeHead(message, 0, PROGRESS, { channel: 0, bodyBytes: 16 });
  message.writeDoubleLE(consumedBytes, at);
  message.writeDoubleLE(cpuUs, at + 8);
  return message;
}

export function readProgress(body: Buffer): Progress {
  expectBytes(body, 16);
  return { consumedBytes: body.readDoubleLE(0), cpuUs: body.readDoubleLE(8) };
}

function writeHead(
  into: Buffer,
  at: number,
  kind: number,
  { channel, bodyBytes }: { channel: number; bodyBytes: number },
): number {
  into.writeUInt32LE(HEAD_BYTES - LENGTH_BYTES + bodyBytes, at);
  into[at + 4] = kind;
  into.writeUInt32LE(channel, at + 5);
  return at + HEAD_BYTES;
}

function expectBytes(body: Buffer, bytes: number): void {
  if (body.length === bytes) return;
  throw new NightjarError('data-loss', `expected a message of ${bytes} bytes`, {
    found: body.length,
  });
}

export interface Message {
  readonly kind: number;
  readonly channel: number;
  /** A view: valid until the next call of the reader. */
  readonly body: Buffer;
}

/** Cuts a byte stream into messages; holds at most one that is not whole yet. */
export class MessageReader {
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #partial: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** Only when `next` has given out all there was; the chunk stays the reader's until then. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next whole message, if any. Throws `data-loss` for a length that no message has. */
  next(): Message | undefined {
    if (this.#filled === 0) {
      const left = this.#chunk.length - this.#at;
      if (left >= LENGTH_BYTES) {
        const neededBytes = messageBytes(this.#chunk, this.#at);
        if (left >= neededBytes) {
          this.#at += neededBytes;
          return messageIn(this.#chunk.subarray(this.#at - neededBytes, this.#at));
        }
      }
      if (left === 0) return undefined;
    }
    if (!this.#fill(LENGTH_BYTES)) return undefined;
    if (!this.#fill(messageBytes(this.#partial, 0))) return undefined;
    const message = messageIn(this.#partial.subarray(0, this.#filled));
    this.#filled = 0;
    return message;
  }

  /** Moves bytes from the chunk until `bytes` are held; false when the chunk has too few. */
  #fill(bytes: number): boolean {
    const end = Math.min(this.#chunk.length, this.#at + Math.max(0, bytes - this.#filled));
    if (this.#partial.length < bytes) {
      const grown = Buffer.allocUnsafeSlow(Math.max(bytes, 64 * 1024));
      this.#partial.copy(grown, 0, 0, this.#filled);
      this.#partial = grown;
    }
    this.#chunk.copy(this.#partial, this.#filled, this.#at, end);
    this.#filled += end - this.#at;
    this.#at = end;
    return this.#filled >= bytes;
  }
}

function messageBytes(bytes: Buffer, at: number): number {
  const rest = bytes.readUInt32LE(at);
  if (rest < HEAD_BYTES - LENGTH_BYTES || rest > MOST_MESSAGE_BYTES) {
    throw new NightjarError('data-loss', 'the message stream is out of step', { length: rest });
  }
  return LENGTH_BYTES + rest;
}

function messageIn(bytes: Buffer): Message {
  return {
    kind: bytes[4] as number,
    channel: bytes.readUInt32LE(5),
    body: bytes.subarray(HEAD_BYTES),
  };
}
