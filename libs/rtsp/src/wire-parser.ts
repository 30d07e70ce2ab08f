// Tells apart what comes over an RTSP connection: interleaved packets, messages, and rubbish.

import { streamError } from './stream-error.js';
import { isFirstLine, parseHead, printable, type RtspMessage } from './message.js';

export interface WireHandler {
  /** An interleaved packet, valid during the call only. */
  onPacket(channel: number, bytes: Uint8Array, start: number, end: number): void;
  onMessage(message: RtspMessage): void;
  /** Whether packets may come on this channel; one of another channel may be rubbish. */
  isChannel(channel: number): boolean;
}

const DOLLAR = 0x24;
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 1024;
/** Together over a connection's life; a camera that sends more has lost its thread. */
const MAX_RUBBISH_BYTES = 256 * 1024;
/** Kept for the tails of packets; larger ones are given back as soon as they are empty. */
const SMALL_TAIL_BYTES = 16 * 1024;
const FIRST_WORDS = [
  'RTSP/',
  'OPTIONS ',
  'ANNOUNCE ',
  'GET_PARAMETER ',
  'SET_PARAMETER ',
  'REDIRECT ',
  'TEARDOWN ',
  'PLAY_NOTIFY ',
];
const LONGEST_WORD = 14;

/**
 * Consumes all of what it is given before `push` returns; an incomplete end is copied into a small
 * buffer of its own. Throws (`protocol`) when the peer cannot be understood.
 */
export class WireParser {
  readonly #handler: WireHandler;
  #tail: Buffer = Buffer.alloc(0);
  #tailUsed = 0;
  #rubbishBytes = 0;
  /** Within rubbish a `$` may be chance: only known channels are believed then. */
  #inRubbish = false;

  constructor(handler: WireHandler) {
    this.#handler = handler;
  }

  get rubbishBytes(): number {
    return this.#rubbishBytes;
  }

  /** Bytes kept until the rest comes; never more than a head and a body. */
  get pendingBytes(): number {
    return this.#tailUsed;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (this.#tailUsed > 0 && at < end) at = this.#growTail(bytes, at, end);
    if (this.#tailUsed > 0) return;
    at = this.#consume(bytes, at, end);
    if (at < end) this.#keep(bytes, at, end);
  }

  /** Adds what the kept beginning lacks and consumes it; returns how far the bytes are used. */
  #growTail(bytes: Uint8Array, start: number, end: number): number {
    const wanted = this.#wantedBytes();
    const take = Math.min(end - start, wanted);
    this.#keep(bytes, start, start + take);
    const used = this.#consume(this.#tail, 0, this.#tailUsed);
    if (used > 0) {
      this.#tail.copyWithin(0, used, this.#tailUsed);
      this.#tailUsed -= used;
      if (this.#tailUsed === 0 && this.#tail.length > SMALL_TAIL_BYTES)
        this.#tail = Buffer.alloc(0);
    }
    return start + take;
  }

  /** How many bytes to add at once: exactly the rest of a packet, or a piece of a message. */
  #wantedBytes(): number {
    if (this.#tail[0] !== DOLLAR) return 2048;
    if (this.#tailUsed < 4) return 4 - this.#tailUsed;
    const rest = 4 + this.#tail.readUInt16BE(2) - this.#tailUsed;
    return Math.max(1, rest);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#tailUsed + end - start;
    if (needed > this.#tail.length) {
      // A packet tells its size ahead, so that its buffer is made once.
      const packet =
        this.#tailUsed === 0 && bytes[start] === DOLLAR && needed >= 4
          ? 4 + ((bytes[start + 2] ?? 0) << 8) + (bytes[start + 3] ?? 0)
          : 0;
      const size = Math.max(needed, packet, this.#tail.length * 2, 2048);
      // Not from the shared pool: a camera's tail outlives many reads.
      const larger = Buffer.allocUnsafeSlow(size);
      this.#tail.copy(larger, 0, 0, this.#tailUsed);
      this.#tail = larger;
    }
    this.#tail.set(bytes.subarray(start, end), this.#tailUsed);
    this.#tailUsed = needed;
  }

  /** Consumes whole packets and messages; returns where the first incomplete one begins. */
  #consume(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (byte === DOLLAR) {
        if (end - at < 4) return at;
        const channel = bytes[at + 1] ?? 0;
        if (this.#inRubbish && !this.#handler.isChannel(channel)) {
          at = this.#skip(at, 1);
          continue;
        }
        const next = at + 4 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0);
        if (next > end) return at;
        this.#inRubbish = false;
        this.#handler.onPacket(channel, bytes, at + 4, next);
        at = next;
      } else if (byte === 0x0d || byte === 0x0a || byte === 0x20) {
        at += 1;
      } else if (isCapital(byte)) {
        const next = this.#message(bytes, at, end);
        if (next === undefined) return at;
        at = next;
      } else {
        at = this.#skip(at, 1);
      }
    }
    return at;
  }

  #skip(at: number, count: number): number {
    this.#inRubbish = true;
    this.#rubbishBytes += count;
    if (this.#rubbishBytes > MAX_RUBBISH_BYTES) {
      throw streamError('protocol', 'the camera sends bytes that are neither media nor messages');
    }
    return at + count;
  }

  /** Returns behind the message at `at`, or behind its first word if it is none; undefined: wait. */
  #message(bytes: Uint8Array, at: number, end: number): number | undefined {
    const word = firstWord(bytes, at, end);
    if (word === undefined) return undefined;
    if (word === 0) return this.#skip(at, 1);
    const lineEnd = findLineEnd(bytes, at, Math.min(end, at + MAX_LINE_BYTES));
    if (lineEnd === undefined) {
      return end - at < MAX_LINE_BYTES ? undefined : this.#skip(at, word);
    }
    if (!isFirstLine(asLatin1(bytes, at, lineEnd))) return this.#skip(at, word);
    const headEnd = findHeadEnd(bytes, at, Math.min(end, at + MAX_HEAD_BYTES));
    if (headEnd === undefined) {
      if (end - at < MAX_HEAD_BYTES) return undefined;
      throw streamError('protocol', `expected a head below ${MAX_HEAD_BYTES} bytes, found more`);
    }
    const message = parseHead(asLatin1(bytes, at, headEnd));
    if (message === undefined) return this.#skip(at, word);
    const length = contentLength(message);
    if (end - headEnd < length) return undefined;
    this.#inRubbish = false;
    this.#handler.onMessage(
      message.kind === 'response'
        ? { ...message, body: asUtf8(bytes, headEnd, headEnd + length) }
        : message,
    );
    return headEnd + length;
  }
}

function contentLength(message: RtspMessage): number {
  const text = message.headers.get('content-length');
  if (text === undefined) return 0;
  const length = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (length <= MAX_BODY_BYTES) return length;
  throw streamError(
    'protocol',
    `expected a body up to ${MAX_BODY_BYTES} bytes, found content-length ${printable(text.slice(0, 40))}`,
  );
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

/**
 * The length of the word that a message begins with: `RTSP/` or a method that a camera may send.
 * 0 when it is none, undefined when more bytes must tell.
 */
function firstWord(bytes: Uint8Array, at: number, end: number): number | undefined {
  const text = asLatin1(bytes, at, Math.min(end, at + LONGEST_WORD));
  for (const word of FIRST_WORDS) {
    if (text.startsWith(word)) return word.length;
    if (word.startsWith(text)) return undefined;
  }
  return 0;
}

function findLineEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = start; at < end; at++) if (bytes[at] === 0x0a) return at;
  return undefined;
}

/** Behind the empty line, also where line ends are single. */
function findHeadEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0x0a) continue;
    if (bytes[at + 1] === 0x0a && at + 1 < end) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a && at + 2 < end) return at + 3;
  }
  return undefined;
}

function asLatin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

function asUtf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
