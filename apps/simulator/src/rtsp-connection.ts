// One RTSP connection (RFC 2326): answers requests, sets up and plays at most one stream.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { messageOf } from '#base';
import type { Log } from '#base';
import type { Clip } from './clip.js';
import { DigestGate, type Credentials } from './digest-gate.js';
import { PlaySession, type PacketPort, type PlayCounters } from './play-session.js';
import { RtspRequestReader, type RtspRequest } from './rtsp-request.js';
import { describeSession } from './session-description.js';
import type { SessionEnd, SimulatedStream } from './stream.js';
import { parseStreamUrl } from './stream-url.js';
import type { TimerWheel } from './timer-wheel.js';
import { UdpPort } from './udp-port.js';

export interface ConnectionOptions {
  readonly findStream: (path: string) => SimulatedStream | undefined;
  readonly credentials: Credentials | undefined;
  readonly counters: PlayCounters;
  readonly wheel: TimerWheel;
  readonly epochMs: number;
  readonly sessionTimeoutMs: number;
  readonly log: Log;
}

interface SetUp {
  readonly stream: SimulatedStream;
  readonly clip: Clip;
  readonly port: PacketPort;
  readonly channel: number;
  readonly url: string;
}

type Fields = Readonly<Record<string, string>>;

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER';
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
};

export class RtspConnection implements PacketPort {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #gate: DigestGate;
  readonly #reader = new RtspRequestReader();
  readonly #sessionId = randomBytes(6).toString('hex');
  #answers: Promise<void> = Promise.resolve();
  #setUp: SetUp | undefined;
  #session: PlaySession | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#gate = new DigestGate(options.credentials);
    socket.setNoDelay(true);
    // Packets go on being sent without a word from the client, which the timeout must not hear.
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Buffer): boolean {
    this.#socket.write(bytes);
    return this.#socket.writableLength === 0;
  }

  end(): void {
    this.#socket.destroy();
  }

  close(reason: SessionEnd): void {
    this.#session?.close(reason);
    this.#socket.destroy();
  }

  /** When the last byte from the client came, on `performance.now()`. */
  heardAtMs = performance.now();

  #onClose(): void {
    this.#session?.close('client-closed');
    this.#setUp?.port.end('client-closed');
  }

  #onData(chunk: Buffer): void {
    this.heardAtMs = performance.now();
    try {
      for (const request of this.#reader.read(chunk)) {
        this.#answers = this.#answers.then(() => this.#answer(request));
      }
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a client does not speak RTSP');
      this.#socket.destroy();
    }
  }

  async #answer(request: RtspRequest): Promise<void> {
    if (this.#socket.destroyed) return;
    try {
      if (request.method !== 'OPTIONS') {
        const authorization = request.headers.get('authorization');
        if (!this.#gate.accepts(request.method, authorization)) {
          this.#respond(request, 401, { 'WWW-Authenticate': this.#gate.challenge });
          return;
        }
      }
      await this.#serve(request);
    } catch (error) {
      this.#options.log.warn({ err: error, url: request.url }, 'could not answer a request');
      this.#respond(request, 500, {}, messageOf(error));
    }
  }

  async #serve(request: RtspRequest): Promise<void> {
    switch (request.method) {
      case 'OPTIONS':
        return this.#respond(request, 200, { Public: METHODS });
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return this.#respond(request, 200, this.#sessionField());
      case 'DESCRIBE':
        return this.#describe(request);
      case 'SETUP':
        return this.#doSetUp(request);
      case 'PLAY':
        return this.#play(request);
      case 'TEARDOWN':
        this.#respond(request, 200, this.#sessionField());
        this.#session?.close('teardown');
        this.#socket.end();
        return;
      default:
        return this.#respond(request, 405, { Allow: METHODS });
    }
  }

  /** The stream that `url` names; answers for it when there is none. */
  #streamOf(request: RtspRequest): SimulatedStream | undefined {
    const stream = this.#options.findStream(parseStreamUrl(request.url).path);
    if (stream === undefined) this.#respond(request, 404);
    else if (!stream.up) this.#socket.destroy();
    return stream?.up === true ? stream : undefined;
  }

  async #describe(request: RtspRequest): Promise<void> {
    const stream = this.#streamOf(request);
    if (stream === undefined) return;
    const clip = await stream.footage.clip();
    const fields = { 'Content-Type': 'application/sdp', 'Content-Base': `${request.url}/` };
    this.#respond(request, 200, fields, describeSession(clip, stream.path));
  }

  async #doSetUp(request: RtspRequest): Promise<void> {
    const stream = this.#streamOf(request);
    if (stream === undefined) return;
    if (this.#setUp !== undefined) return this.#respond(request, 455);
    const clip = await stream.footage.clip();
    const transport = request.headers.get('transport') ?? '';
    const tcp = transport.split(',').find((spec) => /RTP\/AVP\/TCP/i.test(spec));
    const udp = transport.split(',').find((spec) => /client_port=\d+/i.test(spec));
    if (tcp !== undefined) {
      const channel = Number(/interleaved=(\d{1,3})/.exec(tcp)?.[1] ?? 0) & 0xfe;
      this.#setUp = { stream, clip, port: this, channel, url: request.url };
      const answer = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
      this.#respond(request, 200, { Transport: answer, ...this.#sessionField() });
    } else if (udp !== undefined && !/multicast/i.test(udp)) {
      const ports = /client_port=(\d+)(?:-(\d+))?/i.exec(udp) ?? [];
      const rtp = Number(ports[1]);
      const port = await UdpPort.open({
        host: this.#socket.remoteAddress ?? '127.0.0.1',
        rtpPort: rtp,
        rtcpPort: Number(ports[2] ?? rtp + 1),
        onHeard: () => (this.heardAtMs = performance.now()),
        onEnd: () => this.#socket.destroy(),
      });
      this.#setUp = { stream, clip, port, channel: 0, url: request.url };
      const answer = `RTP/AVP;unicast;client_port=${rtp}-${Number(ports[2] ?? rtp + 1)};server_port=${port.rtpPort}-${port.rtcpPort}`;
      this.#respond(request, 200, { Transport: answer, ...this.#sessionField() });
    } else {
      this.#respond(request, 461);
    }
  }

  #play(request: RtspRequest): void {
    const setUp = this.#setUp;
    if (setUp === undefined) return this.#respond(request, 454);
    if (!setUp.stream.up) return void this.#socket.destroy();
    if (this.#session !== undefined) return this.#respond(request, 200, this.#sessionField());
    const { wheel, counters, epochMs } = this.#options;
    const session = new PlaySession({
      ...setUp,
      counters,
      epochMs,
      faults: parseStreamUrl(setUp.url).faults,
    });
    this.#session = session;
    const dueMs = session.start(performance.now());
    this.#respond(request, 200, {
      ...this.#sessionField(),
      Range: 'npt=now-',
      'RTP-Info': `url=${setUp.url};seq=${session.nextSequence};rtptime=${session.firstTimestamp}`,
    });
    wheel.add(session, dueMs);
  }

  #sessionField(): Fields {
    const seconds = Math.max(1, Math.round(this.#options.sessionTimeoutMs / 1000));
    return { Session: `${this.#sessionId};timeout=${seconds}` };
  }

  #respond(request: RtspRequest, status: number, fields: Fields = {}, body = ''): void {
    const lines = [
      `RTSP/1.0 ${status} ${REASONS[status] ?? ''}`,
      `CSeq: ${request.headers.get('cseq') ?? '0'}`,
      'Server: Nightjar simulator',
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }
}
