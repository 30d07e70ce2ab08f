// RTMP's chunk streams (Adobe's RTMP specification 1.0, 5.3): from bytes in pieces to messages.

import { NightjarError } from '#base';

const MAX_CHUNK_STREAMS = 32;
const MAX_CHUNK_BYTES = 0x7fff_ffff;
const FIRST_CHUNK_BYTES = 128;
const EXTENDED = 0xff_ffff;
/** A buffer that one large message needed is not kept for all the small ones. */
const KEPT_BYTES = 512 * 1024;
const HEADER_BYTES = [11, 7, 3, 0] as const;
const LONGEST_HEAD_BYTES = 3 + 11 + 4;

/** Valid during the call only. */
export interface RtmpMessage {
  type: number;
  /** Of 32 bits, in milliseconds. */
  timestamp: number;
  streamId: number;
  bytes: Uint8Array;
  start: number;
  end: number;
}

interface ChunkStream {
  timestamp: number;
  /** What the last header had: the time of type 0, the difference of types 1 and 2. */
  field: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  buffer: Buffer;
  received: number;
}

export interface ChunkReaderOptions {
  onMessage(message: RtmpMessage): void;
  /** The sender gave up a message of this type in the middle. */
  onAborted(type: number): void;
}

/** Memory is taken as bytes come, never because a header announces them. */
export class ChunkReader {
  /** Longer messages end the connection; so do unfinished ones that are longer together. */
  maxMessageBytes: number;
  readonly #options: ChunkReaderOptions;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #head = Buffer.alloc(LONGEST_HEAD_BYTES);
  readonly #message: RtmpMessage;
  #headBytes = 0;
  #chunkBytes = FIRST_CHUNK_BYTES;
  /** The chunk whose payload comes, and how much of it is still to come. */
  #open: ChunkStream | undefined;
  #openBytes = 0;
  #heldBytes = 0;

  constructor(options: ChunkReaderOptions, maxMessageBytes: number) {
    this.#options = options;
    this.maxMessageBytes = maxMessageBytes;
    const nothing = Buffer.alloc(0);
    this.#message = { type: 0, timestamp: 0, streamId: 0, bytes: nothing, start: 0, end: 0 };
  }

  /** Of all messages that are not whole yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Memory that messages are put together in. */
  get bufferBytes(): number {
    let sum = 0;
    for (const { buffer } of this.#streams.values()) sum += buffer.length;
    return sum;
  }

  /** Throws `invalid-argument` for what is no chunk, or too large. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#open !== undefined) {
        at = this.#payload(this.#open, bytes, at, end);
      } else {
        this.#head[this.#headBytes++] = bytes[at++] ?? 0;
        this.#tryHead();
      }
    }
  }

  setChunkBytes(count: number): void {
    if (count < 1 || count > MAX_CHUNK_BYTES) {
      throw broken(`a chunk size of ${count}`, 'from 1 to 2147483647');
    }
    this.#chunkBytes = count;
  }

  /** The sender does not finish the message of a chunk stream (type 2). */
  abort(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.received === 0) return;
    this.#heldBytes -= stream.received;
    stream.received = 0;
    this.#options.onAborted(stream.type);
  }

  /** Begins a chunk as soon as its whole header is there. */
  #tryHead(): void {
    const head = this.#head;
    const first = head[0] ?? 0;
    const low = first & 63;
    const basicBytes = low === 0 ? 2 : low === 1 ? 3 : 1;
    if (this.#headBytes < basicBytes) return;
    const form = first >> 6;
    const timeAt = basicBytes;
    const fixedBytes = basicBytes + (HEADER_BYTES[form] ?? 0);
    if (this.#headBytes < fixedBytes) return;
    const id = low > 1 ? low : 64 + (head[1] ?? 0) + (low === 1 ? (head[2] ?? 0) * 256 : 0);
    const known = this.#streams.get(id);
    const extended =
      form === 3 ? known?.extended === true : head.readUIntBE(timeAt, 3) === EXTENDED;
    if (this.#headBytes < fixedBytes + (extended ? 4 : 0)) return;

    const stream = known ?? this.#newStream(id, form);
    const within = stream.received > 0;
    this.#headBytes = 0;
    if (within && form !== 3) throw broken('a new message within another', 'its next chunk');
    if (form === 3 && extended && within) {
      // Some senders leave it out behind the first chunk: then these are the message's bytes.
      const repeats = head.readUInt32BE(fixedBytes) === stream.field;
      this.#begin(stream);
      if (!repeats) this.push(Buffer.from(head.subarray(fixedBytes, fixedBytes + 4)), 0, 4);
      return;
    }
    if (form < 3) {
      stream.extended = extended;
      stream.field = extended ? head.readUInt32BE(fixedBytes) : head.readUIntBE(timeAt, 3);
    }
    if (form < 2) {
      stream.length = head.readUIntBE(timeAt + 3, 3);
      stream.type = head[timeAt + 6] ?? 0;
    }
    if (form === 0) stream.streamId = head.readUInt32LE(timeAt + 7);
    if (!within) {
      // A type 3 that begins a message repeats the last difference, or the first time (5.3.1.2.4).
      stream.timestamp = (form === 0 ? stream.field : stream.timestamp + stream.field) >>> 0;
    }
    if (stream.length > this.maxMessageBytes) {
      throw broken(`a message of ${stream.length} bytes`, `at most ${this.maxMessageBytes}`);
    }
    this.#begin(stream);
  }

  #newStream(id: number, form: number): ChunkStream {
    if (form !== 0 && form !== 1)
      throw broken('a chunk that goes on with nothing', 'a whole header');
    if (this.#streams.size >= MAX_CHUNK_STREAMS) {
      throw broken(`more than ${MAX_CHUNK_STREAMS} chunk streams`, 'fewer');
    }
    const stream: ChunkStream = {
      timestamp: 0,
      field: 0,
      extended: false,
      length: 0,
      type: 0,
      streamId: 0,
      buffer: Buffer.alloc(0),
      received: 0,
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #begin(stream: ChunkStream): void {
    this.#openBytes = Math.min(this.#chunkBytes, stream.length - stream.received);
    this.#open = stream;
    // A message without a payload is whole with its header.
    if (this.#openBytes === 0) this.#finish(stream, stream.buffer, 0, 0);
  }

  /** Takes what is there of the open chunk; tells where it ends. */
  #payload(stream: ChunkStream, bytes: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#openBytes, end - at);
    if (stream.received === 0 && count === stream.length) {
      this.#finish(stream, bytes, at, at + count);
      return at + count;
    }
    this.#heldBytes += count;
    if (this.#heldBytes > this.maxMessageBytes) {
      throw broken('unfinished messages that are too long together', 'one at a time');
    }
    this.#reserve(stream, stream.received + count);
    stream.buffer.set(bytes.subarray(at, at + count), stream.received);
    stream.received += count;
    this.#openBytes -= count;
    if (stream.received === stream.length) {
      this.#heldBytes -= stream.received;
      this.#finish(stream, stream.buffer, 0, stream.received);
    } else if (this.#openBytes === 0) {
      this.#open = undefined;
    }
    return at + count;
  }

  #finish(stream: ChunkStream, bytes: Uint8Array, start: number, end: number): void {
    this.#open = undefined;
    stream.received = 0;
    const message = this.#message;
    message.type = stream.type;
    message.timestamp = stream.timestamp;
    message.streamId = stream.streamId;
    message.bytes = bytes;
    message.start = start;
    message.end = end;
    if (stream.buffer.length > KEPT_BYTES) stream.buffer = Buffer.alloc(0);
    this.#options.onMessage(message);
  }

  #reserve(stream: ChunkStream, needed: number): void {
    if (needed <= stream.buffer.length) return;
    const size = Math.min(Math.max(needed, stream.buffer.length * 2, 4096), stream.length);
    const larger = Buffer.allocUnsafe(size);
    stream.buffer.copy(larger, 0, 0, stream.received);
    stream.buffer = larger;
  }
}

function broken(found: string, expected: string): NightjarError {
  return new NightjarError('invalid-argument', `RTMP: expected ${expected}, found ${found}`);
}
