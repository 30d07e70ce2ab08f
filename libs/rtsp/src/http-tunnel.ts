// RTSP in an HTTP tunnel, as QuickTime made it: what the camera sends is the endless answer to a
// GET, what we send is the endless body of a POST, in base64; a cookie makes them one.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Authentication } from './authentication.js';
import { parseHead, printable, type Headers } from './message.js';
import { openSocket, type SocketOptions } from './open-socket.js';
import { placeOf, type RtspUrl } from './rtsp-url.js';
import { streamError } from './stream-error.js';

const MAX_HEAD_BYTES = 16 * 1024;
/** Until the camera's other connection stands again. */
const MAX_UNSENT_BYTES = 64 * 1024;
const MAX_TRIES = 2;

export interface TunnelOptions extends Omit<SocketOptions, 'onRead'> {
  readonly url: RtspUrl;
  /** What is inside the tunnel: the bytes from `from` to `count`. */
  onRead(bytes: Uint8Array, count: number, from: number): boolean;
}

export class HttpTunnel {
  readonly #options: TunnelOptions;
  readonly #signal: AbortSignal;
  readonly #cookie = randomBytes(11).toString('hex');
  readonly #authentication: Authentication | undefined;
  #get: Socket | undefined;
  #post: Socket | undefined;
  #opening = false;
  /** Requests that wait for the way out, in base64. */
  #unsent = '';
  #closed = false;

  private constructor(options: TunnelOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { credentials } = options.url;
    this.#authentication = credentials === undefined ? undefined : new Authentication(credentials);
  }

  /** Resolves when both ways stand. Rejects with a stream error; nothing is left open then. */
  static async open(options: TunnelOptions, signal: AbortSignal): Promise<HttpTunnel> {
    const tunnel = new HttpTunnel(options, signal);
    try {
      await tunnel.#openGet();
      await tunnel.#openPost();
      return tunnel;
    } catch (error) {
      tunnel.close();
      throw error;
    }
  }

  /** The connection that the camera's bytes come on. */
  get reader(): Socket {
    if (this.#get === undefined) throw streamError('stopped', 'the tunnel is not open');
    return this.#get;
  }

  get unsentBytes(): number {
    return this.#unsent.length + (this.#post?.writableLength ?? 0);
  }

  write(text: string): void {
    if (this.#closed) return;
    const encoded = Buffer.from(text, 'utf8').toString('base64');
    if (this.#post !== undefined) {
      this.#post.write(encoded);
      return;
    }
    // Servers may close the way out when they like: it is opened again when it is needed.
    if (this.#unsent.length + encoded.length > MAX_UNSENT_BYTES) return;
    this.#unsent += encoded;
    if (!this.#opening) this.#openPost().catch((error: unknown) => this.#over(error));
  }

  /** Idempotent; nothing is called after it. */
  close(): void {
    this.#closed = true;
    this.#get?.destroy();
    this.#post?.destroy();
  }

  async #openGet(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { status, phrase, headers } = await this.#askGet();
      if (status === 200) return;
      this.#get?.destroy();
      if (status === 401) this.#answerChallenge(headers, attempt);
      else throw refusal(status, phrase);
    }
  }

  /** Resolves with the head of the answer; what follows it goes to `onRead`. */
  async #askGet(): Promise<Answer> {
    const { clock, deadlineMs, url, onRead, onOver } = this.#options;
    const head = new AnswerHead(clock, deadlineMs, placeOf(url));
    let stands = false;
    let endedEarly: Error | undefined;
    let socket: Socket | undefined = undefined as Socket | undefined;
    socket = await openSocket(
      {
        ...this.#options,
        onRead: (bytes, count) => {
          const from = head.take(bytes, count);
          if (from >= count || socket !== this.#get || this.#closed) return true;
          return onRead(bytes, count, from);
        },
        onOver: (error) => {
          if (head.fail(error)) return;
          endedEarly = error;
          if (stands && !this.#closed) onOver(error);
        },
      },
      this.#signal,
    );
    this.#get = socket;
    const abort = () => head.fail(streamError('stopped', 'the stream was stopped'));
    this.#signal.addEventListener('abort', abort, { once: true });
    socket.write(this.#request('GET', ['Accept: application/x-rtsp-tunnelled']));
    try {
      const answer = await head.answer;
      stands = answer.status === 200;
      if (stands && endedEarly !== undefined) throw endedEarly;
      return answer;
    } finally {
      this.#signal.removeEventListener('abort', abort);
    }
  }

  async #openPost(): Promise<void> {
    this.#opening = true;
    try {
      let said = '';
      let post: Socket | undefined = undefined as Socket | undefined;
      post = await openSocket(
        {
          ...this.#options,
          onRead: (bytes, count) => {
            // Most servers never answer; one that refuses says so.
            said = (said + Buffer.from(bytes.subarray(0, count)).toString('latin1')).slice(0, 512);
            const [, status = '', phrase = ''] =
              /^(?:HTTP|RTSP)\/\d\.\d\s+([4-5]\d\d)\s*([^\r\n]*)/.exec(said) ?? [];
            if (status !== '' && post !== undefined && post === this.#post)
              this.#over(refusal(Number(status), phrase));
            return true;
          },
          onOver: () => {
            if (post === this.#post) this.#post = undefined;
            post?.destroy();
          },
        },
        this.#signal,
      );
      if (this.#closed) {
        post.destroy();
        return;
      }
      this.#post = post;
      // The length is a lie that all servers know; they read on behind it.
      post.write(
        this.#request('POST', [
          'Content-Type: application/x-rtsp-tunnelled',
          'Content-Length: 32767',
          'Expires: Sun, 9 Jan 1972 00:00:00 GMT',
        ]) + this.#unsent,
      );
      this.#unsent = '';
    } finally {
      this.#opening = false;
    }
  }

  #answerChallenge(headers: Headers, attempt: number): void {
    if (this.#authentication === undefined) {
      throw streamError('authentication', 'the camera asks for a user and a password');
    }
    const verdict = this.#authentication.challenge(headers.all('www-authenticate'));
    if (verdict === 'answerable' && attempt <= MAX_TRIES) return;
    throw streamError(
      'authentication',
      verdict === 'unknown'
        ? 'the camera asks for a kind of authentication that Nightjar does not know'
        : 'the camera refuses this user and password',
    );
  }

  #request(method: string, headers: readonly string[]): string {
    const [, host = '', path = '/'] =
      /^rtsps?:\/\/([^/]+)(.*)$/i.exec(this.#options.url.requestUrl) ?? [];
    const authorization = this.#authentication?.header(method, path);
    const lines = [
      `${method} ${path} HTTP/1.0`,
      `Host: ${host}`,
      'User-Agent: Nightjar',
      `x-sessioncookie: ${this.#cookie}`,
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...headers,
      'Pragma: no-cache',
      'Cache-Control: no-cache',
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  #over(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#options.onOver(error instanceof Error ? error : new Error(String(error)));
  }
}

interface Answer {
  readonly status: number;
  readonly phrase: string;
  readonly headers: Headers;
}

/** The head in front of what the tunnel carries. */
class AnswerHead {
  readonly answer: Promise<Answer>;
  #resolve: (answer: Answer) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #text: string | undefined = '';
  readonly #timer;

  constructor(clock: SocketOptions['clock'], deadlineMs: number, place: string) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail while the request is still being written.
    this.answer.catch(() => undefined);
    this.#timer = clock.after(deadlineMs, () =>
      this.fail(streamError('timeout', `${place} did not answer GET within ${deadlineMs} ms`)),
    );
  }

  /** Returns where the bytes behind the head begin; all of them are used while it is not whole. */
  take(bytes: Uint8Array, count: number): number {
    if (this.#text === undefined) return 0;
    const before = this.#text.length;
    const text = this.#text + Buffer.from(bytes.subarray(0, count)).toString('latin1');
    const end = /\r?\n\r?\n/.exec(text.slice(0, MAX_HEAD_BYTES));
    if (end === null) {
      this.#text = text;
      if (text.length >= MAX_HEAD_BYTES) {
        this.fail(streamError('protocol', `expected a head below ${MAX_HEAD_BYTES} bytes`));
      }
      return count;
    }
    // The same grammar as RTSP's but for the name.
    const head = parseHead(text.slice(0, end.index).replace(/^HTTP\//, 'RTSP/'));
    if (head?.kind !== 'response') {
      this.fail(streamError('protocol', 'expected an HTTP answer to GET, found something else'));
      return count;
    }
    this.#text = undefined;
    this.#timer.cancel();
    this.#resolve(head);
    return end.index + end[0].length - before;
  }

  /** False when the head had come or had failed before. */
  fail(error: Error): boolean {
    if (this.#text === undefined) return false;
    this.#text = undefined;
    this.#timer.cancel();
    this.#reject(error);
    return true;
  }
}

function refusal(status: number, phrase: string): Error {
  const answer = `${status} ${printable(phrase)}`.trim();
  if (status === 401 || status === 403) {
    return streamError('authentication', `the camera forbids its HTTP tunnel (${answer})`);
  }
  if (status === 404 || status === 405 || status === 501) {
    return streamError(
      'not-found',
      `there is no RTSP tunnel at this address (the web server answered ${answer})`,
    );
  }
  return streamError('refused', `the camera answered the tunnel's request with ${answer}`);
}
