// One RTSP connection: a socket, its requests and answers, and the packets between them.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, Timer } from '#base';
import { writeRequest, type RtspRequest, type RtspResponse } from './message.js';
import { ReadPacer } from './read-pacer.js';
import { placeOf, type RtspUrl } from './rtsp-url.js';
import { socketError, streamError } from './stream-error.js';
import { WireParser } from './wire-parser.js';

const READ_BUFFER_BYTES = 256 * 1024;
/** What a camera that reads nothing may leave unsent. */
const MAX_UNSENT_BYTES = 64 * 1024;
const MAX_WAITING = 8;

/**
 * One for all connections of the process: bytes are consumed before the read's callback returns.
 * Not on Windows, where the kernel fills the buffers of several sockets at once.
 */
let sharedReadBuffer: Buffer | undefined;

function readBuffer(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(64 * 1024);
  sharedReadBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

export interface ConnectionOptions {
  readonly url: RtspUrl;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Asked after each read. */
  readPauseMs(): number;
  /** An interleaved packet, valid during the call only. */
  onPacket(channel: number, bytes: Uint8Array, start: number, end: number): void;
  isChannel(channel: number): boolean;
  /** Once, when the connection is over: why. Not after `close`. */
  onEnd(error: Error): void;
}

interface Waiting {
  readonly method: string;
  readonly resolve: (response: RtspResponse) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #place: string;
  readonly #parser: WireParser;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #sequence = 0;
  #over: Error | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#place = placeOf(options.url);
    this.#parser = new WireParser({
      onPacket: options.onPacket,
      isChannel: options.isChannel,
      onMessage: (message) =>
        message.kind === 'response' ? this.#answered(message) : this.#asked(message),
    });
  }

  /** Resolves when the connection stands; rejects with why it does not. */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(options);
    await connection.#connect(signal);
    return connection;
  }

  get rubbishBytes(): number {
    return this.#parser.rubbishBytes;
  }

  get localAddress(): string | undefined {
    return this.#socket?.localAddress;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  /** Rejects when the deadline passes or the connection ends before the answer. */
  request(
    method: string,
    url: string,
    headers: readonly (readonly [string, string])[],
    deadlineMs = this.#options.deadlineMs,
  ): Promise<RtspResponse> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      if (this.#waiting.size >= MAX_WAITING || this.#unsentBytes() > MAX_UNSENT_BYTES) {
        return reject(streamError('timeout', `${this.#place} takes no requests`));
      }
      const sequence = ++this.#sequence;
      const timer = this.#options.clock.after(deadlineMs, () => {
        this.#waiting.delete(sequence);
        reject(
          this.rubbishBytes > 0
            ? streamError('protocol', `${this.#place} does not speak RTSP`, {
                method,
                rubbishBytes: this.rubbishBytes,
              })
            : streamError(
                'timeout',
                `${this.#place} did not answer ${method} within ${deadlineMs} ms`,
              ),
        );
      });
      this.#waiting.set(sequence, { method, resolve, reject, timer });
      this.#socket?.write(writeRequest(method, url, [['CSeq', String(sequence)], ...headers]));
    });
  }

  /** Idempotent; nothing is called after it, and requests that wait are rejected. */
  close(): void {
    this.#finish(streamError('stopped', 'the stream was stopped'), false);
  }

  #connect(signal: AbortSignal): Promise<void> {
    const { url, clock, deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      const onread = {
        buffer: readBuffer(),
        callback: (count: number, bytes: Uint8Array) => this.#read(bytes, count),
      };
      const target = { host: url.host, port: url.port, onread };
      const timer = clock.after(deadlineMs, () =>
        fail(streamError('unreachable', `${this.#place} did not answer within ${deadlineMs} ms`)),
      );
      const abort = () => fail(streamError('stopped', 'the stream was stopped'));
      const settle = () => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
      };
      const fail = (error: Error) => {
        settle();
        this.#finish(error, false);
        reject(error);
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      // Cameras sign their own certificates: TLS hides the stream here, it proves no identity.
      const socket = url.secure
        ? connectTls({ ...target, rejectUnauthorized: false })
        : connect(target);
      this.#socket = socket;
      let standing = false;
      socket.once(url.secure ? 'secureConnect' : 'connect', () => {
        standing = true;
        settle();
        socket.setNoDelay(true);
        resolve();
      });
      socket.on('error', (error) => {
        const why = socketError(error, this.#place);
        if (standing) this.#finish(why, true);
        else fail(why);
      });
      const closed = () => {
        const why = streamError('closed-by-camera', `${this.#place} closed the connection`);
        if (standing) this.#finish(why, true);
        else fail(why);
      };
      socket.once('end', closed);
      socket.once('close', closed);
    });
  }

  /** False pauses reading until the pacer resumes it. */
  #read(bytes: Uint8Array, count: number): boolean {
    if (this.#over !== undefined) return true;
    try {
      this.#parser.push(bytes, 0, count);
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)), true);
      return true;
    }
    const pauseMs = this.#options.readPauseMs();
    if (pauseMs <= 0 || this.#socket === undefined) return true;
    ReadPacer.of(this.#options.clock, pauseMs).rest(this.#socket);
    return false;
  }

  #answered(response: RtspResponse): void {
    // Interim answers only say that the real one comes.
    if (response.status < 200) return;
    const text = response.headers.get('cseq');
    const sequence = text === undefined ? this.#onlyWaiting() : Number(text);
    const waiting = sequence === undefined ? undefined : this.#waiting.get(sequence);
    // An answer to nothing is a late one whose deadline has passed.
    if (sequence === undefined || waiting === undefined) return;
    this.#waiting.delete(sequence);
    waiting.timer.cancel();
    waiting.resolve(response);
  }

  /** Some cameras leave CSeq out: with one request open there is no doubt. */
  #onlyWaiting(): number | undefined {
    return this.#waiting.size === 1 ? this.#waiting.keys().next().value : undefined;
  }

  #asked({ method, headers }: RtspRequest): void {
    if (method === 'TEARDOWN' || method === 'REDIRECT') {
      this.#finish(
        streamError('closed-by-camera', `${this.#place} ended the session with ${method}`),
        true,
      );
      return;
    }
    if (this.#unsentBytes() > MAX_UNSENT_BYTES) return;
    const sequence = /^\d{1,10}$/.exec(headers.get('cseq') ?? '')?.[0] ?? '0';
    const known = method === 'OPTIONS' || method.endsWith('_PARAMETER') || method === 'ANNOUNCE';
    const status = known ? '200 OK' : '501 Not Implemented';
    this.#socket?.write(
      `RTSP/1.0 ${status}\r\nCSeq: ${sequence}\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n`,
    );
  }

  #unsentBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  #finish(error: Error, tell: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#socket?.destroy();
    for (const { timer, reject } of this.#waiting.values()) {
      timer.cancel();
      reject(error);
    }
    this.#waiting.clear();
    if (tell) this.#options.onEnd(error);
  }
}
