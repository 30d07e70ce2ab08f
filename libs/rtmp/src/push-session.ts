// One connection of a publisher: handshake, commands, then its pictures (Adobe's RTMP 1.0, 5.2 and 7).

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { NightjarError, toNightjarError, type Clock, type Log, type Timer } from '#base';
import { FloodGate, type StreamEndReason } from '#rtsp';
import { readAmf, type AmfValue } from './amf.js';
import { ChunkReader, type RtmpMessage } from './chunk-reader.js';
import {
  MESSAGE,
  SENT_CHUNK_BYTES,
  USER_CONTROL,
  writeCommand,
  writeNumber,
  writePeerBandwidth,
  writeUserControl,
} from './messages.js';
import { reasonOf } from './publish-error.js';

const VERSION = 3;
const HANDSHAKE_BYTES = 1536;
/** Commands only, as long as nobody has shown a key. */
const MAX_COMMAND_BYTES = 64 * 1024;
/** Of all bytes up to the key: no publisher has so much to say. */
const MAX_STRANGER_BYTES = 256 * 1024;
/** The pipeline's bound of an access unit, and room for what surrounds it. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024 + 64 * 1024;
/** What a publisher that reads nothing may leave unsent. */
const MAX_UNSENT_BYTES = 64 * 1024;
const WINDOW_BYTES = 2_500_000;
const PUBLISHED_STREAM = 1;
const CLOSE_GRACE_MS = 1000;

/** Somebody who wants to publish, or does. */
export interface Publisher {
  /** Address and port, for logs. */
  readonly place: string;
  readonly address: string;
  /** What it calls itself. */
  readonly software: string | undefined;
  readonly lastMessageAtMs: number;
  /** Tells the publisher why, and hangs up. `ended` of the publication is not called. */
  dismiss(message: string): void;
}

/** Takes what somebody publishes. */
export interface Publication {
  /** After each read. */
  onRead(count: number): void;
  onVideo(timestamp: number, bytes: Uint8Array, start: number, end: number): void;
  onVideoAborted(): void;
  onAudio(timestamp: number, bytes: Uint8Array, start: number, end: number): void;
  /** Once, when the publisher went away or broke the protocol. */
  onEnd(reason: StreamEndReason, message: string): void;
}

export interface PushSessionOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly log: Log;
  /** From the connection to a key that fits. */
  readonly deadlineMs: number;
  /** Who wants to publish with this key: the publication, or how long the refusal waits and why. */
  onPublish(key: string, publisher: Publisher): Publication | Refusal;
  onClosed(): void;
}

export interface Refusal {
  readonly refused: string;
  readonly delayMs: number;
}

export class PushSession implements Publisher {
  readonly place: string;
  readonly address: string;
  readonly #options: PushSessionOptions;
  readonly #socket: Socket;
  readonly #chunks: ChunkReader;
  readonly #flood: FloodGate;
  readonly #greeting = Buffer.alloc(1 + HANDSHAKE_BYTES);
  #greetingBytes = 0;
  #handshake: 'first' | 'second' | 'done' = 'first';
  #app = '';
  #software: string | undefined;
  #publication: Publication | undefined;
  #refused = false;
  #lastMessageAtMs: number;
  #readBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes = WINDOW_BYTES;
  #closed = false;
  readonly #timers = new Set<Timer>();

  constructor(options: PushSessionOptions) {
    this.#options = options;
    const { socket, clock, deadlineMs } = options;
    this.#socket = socket;
    this.#flood = new FloodGate(clock);
    this.address = socket.remoteAddress ?? '';
    this.place = `${this.address}:${socket.remotePort ?? 0}`;
    this.#lastMessageAtMs = clock.monotonicMs();
    this.#chunks = new ChunkReader(
      {
        onMessage: (message) => this.#receive(message),
        onAborted: (type) => {
          if (type === MESSAGE.video) this.#publication?.onVideoAborted();
        },
      },
      MAX_COMMAND_BYTES,
    );
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => this.#gone());
    socket.once('end', () => this.#gone());
    socket.once('close', () => this.#gone());
    this.#after(deadlineMs, () => {
      if (this.#publication === undefined && !this.#refused) this.close();
    });
  }

  get software(): string | undefined {
    return this.#software;
  }

  get lastMessageAtMs(): number {
    return this.#lastMessageAtMs;
  }

  get publishes(): boolean {
    return this.#publication !== undefined;
  }

  /** Memory in which this connection's messages are put together. */
  get bufferBytes(): number {
    return this.#chunks.bufferBytes;
  }

  dismiss(message: string): void {
    this.#publication = undefined;
    this.#refuse('NetStream.Publish.BadName', message);
  }

  /** Hangs up at once, without a word. */
  close(): void {
    this.#publication = undefined;
    this.#close();
  }

  #read(bytes: Buffer): void {
    if (this.#closed || this.#refused) return;
    try {
      this.#flood.count(bytes.length);
      if (this.#publication === undefined && this.#readBytes > MAX_STRANGER_BYTES) {
        const found = `more than ${MAX_STRANGER_BYTES} bytes`;
        throw new NightjarError('invalid-argument', `RTMP: expected a stream key, found ${found}`);
      }
      const at = this.#handshake === 'done' ? 0 : this.#greet(bytes);
      if (at < bytes.length) this.#chunks.push(bytes, at, bytes.length);
      this.#acknowledge(bytes.length);
    } catch (thrown) {
      this.#broke(toNightjarError(thrown));
      return;
    }
    this.#publication?.onRead(bytes.length);
  }

  /** The simple handshake; tells where in `bytes` it ends, if it ends in them. */
  #greet(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#handshake !== 'done') {
      const first = this.#handshake === 'first';
      if (first && this.#greetingBytes === 0 && bytes[at] !== VERSION) {
        const found = bytes[at] === 0x16 ? 'TLS' : `version ${bytes[at]}`;
        throw new NightjarError('invalid-argument', `RTMP: expected version 3, found ${found}`);
      }
      const wanted = (first ? 1 : 0) + HANDSHAKE_BYTES;
      const count = Math.min(wanted - this.#greetingBytes, bytes.length - at);
      bytes.copy(this.#greeting, this.#greetingBytes, at, at + count);
      this.#greetingBytes += count;
      at += count;
      if (this.#greetingBytes < wanted) break;
      this.#greetingBytes = 0;
      if (first) {
        const ours = randomBytes(HANDSHAKE_BYTES);
        ours.fill(0, 0, 8);
        this.#write(Buffer.concat([Buffer.of(VERSION), ours, this.#greeting.subarray(1)]));
        this.#handshake = 'second';
      } else {
        this.#handshake = 'done';
      }
    }
    return at;
  }

  #receive(message: RtmpMessage): void {
    if (this.#refused || this.#closed) return;
    const { type, bytes, start, end } = message;
    this.#lastMessageAtMs = this.#options.clock.monotonicMs();
    switch (type) {
      case MESSAGE.video:
        this.#publication?.onVideo(message.timestamp, bytes, start, end);
        break;
      case MESSAGE.audio:
        this.#publication?.onAudio(message.timestamp, bytes, start, end);
        break;
      case MESSAGE.setChunkSize:
        this.#chunks.setChunkBytes(readNumber(bytes, start, end));
        break;
      case MESSAGE.abort:
        this.#chunks.abort(readNumber(bytes, start, end));
        break;
      case MESSAGE.windowSize:
        this.#windowBytes = Math.max(64 * 1024, readNumber(bytes, start, end));
        break;
      case MESSAGE.userControl:
        if (end - start >= 6 && bytes[start + 1] === USER_CONTROL.pingRequest) {
          this.#write(
            writeUserControl(USER_CONTROL.pingResponse, readNumber(bytes, start + 2, end)),
          );
        }
        break;
      case MESSAGE.command:
        this.#command(readAmf(bytes.subarray(start, end)));
        break;
      case MESSAGE.commandAmf3:
        // Its first byte says AMF3, its values are AMF0 all the same.
        this.#command(readAmf(bytes.subarray(start + 1, end)));
        break;
    }
  }

  #command([name, transaction, ...values]: AmfValue[]): void {
    const id = typeof transaction === 'number' ? transaction : 0;
    if (typeof name !== 'string') return;
    switch (name) {
      case 'connect':
        return this.#connect(id, values[0]);
      case 'createStream':
        return this.#write(writeCommand(0, '_result', id, null, PUBLISHED_STREAM));
      case 'releaseStream':
      case 'FCPublish':
        return this.#write(writeCommand(0, '_result', id, null, undefined));
      case 'publish':
        return this.#publish(values[1]);
      case 'play':
      case 'play2':
        return this.#refuse('NetStream.Play.Failed', 'this address takes streams and gives none');
      case 'FCUnpublish':
      case 'deleteStream':
      case 'closeStream':
        if (this.#publication === undefined) return;
        this.#end('closed-by-camera', 'the publisher stopped publishing');
        this.close();
    }
  }

  #connect(id: number, facts: AmfValue): void {
    const field = (name: string): string =>
      typeof facts === 'object' && facts !== null && !Array.isArray(facts)
        ? textOf(facts[name])
        : '';
    this.#app = field('app');
    this.#software =
      field('flashVer')
        .replace(/[^ -~]/g, '')
        .slice(0, 80) || undefined;
    this.#write(
      Buffer.concat([
        writeNumber(MESSAGE.windowSize, WINDOW_BYTES),
        writePeerBandwidth(WINDOW_BYTES),
        writeNumber(MESSAGE.setChunkSize, SENT_CHUNK_BYTES),
        writeCommand(
          0,
          '_result',
          id,
          { fmsVer: 'FMS/3,5,7,7009', capabilities: 31, fourCcList: ['avc1', 'hvc1'] },
          {
            level: 'status',
            code: 'NetConnection.Connect.Success',
            description: 'Connection succeeded.',
            objectEncoding: 0,
          },
        ),
      ]),
    );
  }

  #publish(name: AmfValue): void {
    if (this.#publication !== undefined) {
      throw new NightjarError('invalid-argument', 'RTMP: one connection publishes one stream');
    }
    // Publishers cut `rtmp://host/live/key` in different places.
    const path = `${this.#app}/${textOf(name)}`.replace(/\?.*$/, '');
    const key = path.split('/').findLast((part) => part !== '') ?? '';
    const answer = this.#options.onPublish(key, this);
    if ('refused' in answer) {
      this.#refused = true;
      // Nothing more is read from it.
      this.#socket.pause();
      const refuse = () => this.#refuse('NetStream.Publish.BadName', answer.refused);
      if (answer.delayMs > 0) this.#after(answer.delayMs, refuse);
      else refuse();
      return;
    }
    this.#publication = answer;
    this.#chunks.maxMessageBytes = MAX_MESSAGE_BYTES;
    this.#write(
      Buffer.concat([
        writeUserControl(USER_CONTROL.streamBegin, PUBLISHED_STREAM),
        status('status', 'NetStream.Publish.Start', 'The stream is being recorded.'),
      ]),
    );
  }

  #acknowledge(count: number): void {
    this.#readBytes += count;
    if (this.#readBytes - this.#acknowledgedBytes < this.#windowBytes / 2) return;
    this.#acknowledgedBytes = this.#readBytes;
    this.#write(writeNumber(MESSAGE.acknowledgement, this.#readBytes));
  }

  #refuse(code: string, message: string): void {
    if (this.#closed) return;
    this.#refused = true;
    this.#write(status('error', code, message));
    this.#socket.end();
    this.#socket.resume();
    this.#after(CLOSE_GRACE_MS, () => this.#close());
  }

  #broke(error: NightjarError): void {
    const { log } = this.#options;
    // No publisher's fault: the stack must lead to the place.
    if (error.code === 'internal') log.error({ err: error }, 'a publication broke from within');
    else log.info({ from: this.place, reason: error.message }, 'a publisher was turned away');
    const told = this.#publication !== undefined;
    this.#end(reasonOf(error), error.message);
    if (told) this.#refuse('NetStream.Publish.Failed', error.message);
    else this.close();
  }

  #gone(): void {
    this.#end('closed-by-camera', 'the publisher went away');
    this.#close();
  }

  #end(reason: StreamEndReason, message: string): void {
    const publication = this.#publication;
    this.#publication = undefined;
    publication?.onEnd(reason, message);
  }

  #write(bytes: Buffer): void {
    if (this.#closed || !this.#socket.writable) return;
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#end('protocol', 'the publisher reads no answers');
      this.#close();
      return;
    }
    this.#socket.write(bytes);
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#socket.destroy();
    this.#options.onClosed();
  }
}

function status(level: 'status' | 'error', code: string, description: string): Buffer {
  return writeCommand(PUBLISHED_STREAM, 'onStatus', 0, null, { level, code, description });
}

function textOf(value: AmfValue): string {
  return typeof value === 'string' ? value : '';
}

/** Missing bytes are no number: 0. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 4) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(start, start + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
