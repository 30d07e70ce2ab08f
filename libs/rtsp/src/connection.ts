// One RTSP connection: a socket, its requests and answers, and the packets between them.

import type { Socket } from 'node:net';
import type { Clock, Timer } from '#base';
import { FloodGate } from './flood-gate.js';
import { HttpTunnel } from './http-tunnel.js';
import { writeRequest, type RtspRequest, type RtspResponse } from './message.js';
import { openSocket } from './open-socket.js';
import type { ReadTurns } from './read-turns.js';
import { placeOf, type RtspUrl } from './rtsp-url.js';
import { streamError } from './stream-error.js';
import { WireParser } from './wire-parser.js';

/** What a camera that reads nothing may leave unsent. */
const MAX_UNSENT_BYTES = 64 * 1024;
const MAX_WAITING = 8;

export interface ConnectionOptions {
  readonly url: RtspUrl;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Over HTTP: requests go one way in base64, everything comes the other way as it is. */
  readonly tunnel: boolean;
  readonly turns?: ReadTurns | undefined;
  /** An interleaved packet, valid during the call only. */
  onPacket(channel: number, bytes: Uint8Array, start: number, end: number): void;
  isChannel(channel: number): boolean;
  /** The camera asks to be asked elsewhere; the connection ends behind this. */
  onRedirect(location: string): void;
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
  #tunnel: HttpTunnel | undefined;
  readonly #flood: FloodGate;
  #heardNothing = true;
  #sequence = 0;
  #over: Error | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#place = placeOf(options.url);
    this.#flood = new FloodGate(options.clock);
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
        this.#options.turns?.asked(-1);
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
      this.#options.turns?.asked(1);
      this.#write(writeRequest(method, url, [['CSeq', String(sequence)], ...headers]));
    });
  }

  /** Idempotent; nothing is called after it, and requests that wait are rejected. */
  close(): void {
    this.#finish(streamError('stopped', 'the stream was stopped'), false);
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { url, clock, deadlineMs, tunnel } = this.#options;
    const options = {
      url,
      clock,
      deadlineMs,
      onRead: (bytes: Uint8Array, count: number, from = 0) => this.#read(bytes, from, count),
      onOver: (error: Error) => this.#finish(error, true),
    };
    try {
      if (tunnel) this.#tunnel = await HttpTunnel.open({ ...options, url }, signal);
      this.#socket = this.#tunnel?.reader ?? (await openSocket(options, signal));
      // It may have ended, or been closed, while it was being made.
      if (this.#over !== undefined) throw this.#over;
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)), false);
      this.#tunnel?.close();
      this.#socket?.destroy();
      throw error;
    }
  }

  #read(bytes: Uint8Array, from: number, count: number): boolean {
    if (this.#over !== undefined) return true;
    try {
      if (this.#heardNothing) this.#listenForHttp(bytes, count);
      this.#flood.count(count);
      this.#parser.push(bytes, from, count);
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)), true);
      return true;
    }
    const goesOn = this.#options.turns?.received(count, this.#wake) ?? true;
    // What comes before there is a socket that can be woken must go on.
    return goesOn || this.#socket === undefined;
  }

  readonly #wake = (): void => {
    if (this.#socket?.destroyed === false) this.#socket.resume();
  };

  /** A web server that was taken for a camera may be the camera's door to its tunnel. */
  #listenForHttp(bytes: Uint8Array, count: number): void {
    this.#heardNothing = false;
    if (this.#tunnel !== undefined || count < 7) return;
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, 7).toString('latin1').startsWith('HTTP/1.')) {
      return;
    }
    throw streamError('protocol', `${this.#place} speaks HTTP, not RTSP`, { speaksHttp: true });
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
    this.#options.turns?.asked(-1);
    waiting.timer.cancel();
    waiting.resolve(response);
  }

  /** Some cameras leave CSeq out: with one request open there is no doubt. */
  #onlyWaiting(): number | undefined {
    return this.#waiting.size === 1 ? this.#waiting.keys().next().value : undefined;
  }

  #asked({ method, headers }: RtspRequest): void {
    if (method === 'TEARDOWN' || method === 'REDIRECT') {
      const location = headers.get('location');
      if (method === 'REDIRECT' && location !== undefined) this.#options.onRedirect(location);
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
    this.#write(
      `RTSP/1.0 ${status}\r\nCSeq: ${sequence}\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n`,
    );
  }

  #write(text: string): void {
    if (this.#tunnel !== undefined) this.#tunnel.write(text);
    else this.#socket?.write(text);
  }

  #unsentBytes(): number {
    return this.#tunnel?.unsentBytes ?? this.#socket?.writableLength ?? 0;
  }

  #finish(error: Error, tell: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#tunnel?.close();
    this.#socket?.destroy();
    for (const { timer, reject } of this.#waiting.values()) {
      timer.cancel();
      this.#options.turns?.asked(-1);
      reject(error);
    }
    this.#waiting.clear();
    if (tell) this.#options.onEnd(error);
  }
}
