// A camera that does what a test tells it, right or wrong, on a real socket.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { silentLog, type Log } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { CameraStream } from './camera-stream.js';
import {
  H264_PPS,
  H264_SPS,
  packetize,
  RecordingAudio,
  RecordingSink,
  slice,
} from './packets.test-support.js';
import type { StreamEnd, StreamInfo, StreamOptions } from './stream-face.js';
import type { AudioFormat, VideoFormat } from '#media';

export interface CameraRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const H264_SDP = [
  'v=0',
  's=camera',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${H264_SPS.toString('base64')},${H264_PPS.toString('base64')}`,
  'a=control:trackID=1',
  'm=audio 0 RTP/AVP 8',
  '',
].join('\r\n');

/** One client of the camera. */
export class CameraClient {
  readonly socket: Socket;
  #sequence = 0;
  #timestamp = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  answer(
    request: CameraRequest,
    status = '200 OK',
    headers: readonly string[] = [],
    body = '',
  ): void {
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const all = [`CSeq: ${request.headers.cseq}`, ...headers, ...length];
    this.write(`RTSP/1.0 ${status}\r\n${all.join('\r\n')}\r\n\r\n${body}`);
  }

  packet(channel: number, bytes: Uint8Array): void {
    this.write(
      Buffer.concat([Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 255]), bytes]),
    );
  }

  /** The next frame, one packet. */
  frame(key: boolean, channel = 0): void {
    const unit = slice('h264', key, 200, this.#sequence);
    const options = { sequence: this.#sequence, timestamp: this.#timestamp };
    for (const packet of packetize([unit], options)) this.packet(channel, packet);
    this.#sequence += 1;
    this.#timestamp += 3600;
  }
}

export type Handler = (request: CameraRequest, client: CameraClient) => void;

export class FakeCamera {
  readonly requests: CameraRequest[] = [];
  readonly clients: CameraClient[] = [];
  /** What differs from a camera that does everything right. */
  handlers: Readonly<Record<string, Handler>>;
  onConnect: (client: CameraClient) => boolean = () => true;
  readonly #server: Server;

  private constructor(server: Server, handlers: Readonly<Record<string, Handler>>) {
    this.#server = server;
    this.handlers = handlers;
  }

  static async start(
    handlers: Readonly<Record<string, Handler>> = {},
    port = 0,
  ): Promise<FakeCamera> {
    const server = createServer();
    const camera = new FakeCamera(server, handlers);
    server.on('connection', (socket) => camera.#serve(socket));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What a camera that does everything right answers. */
  defaultOf(method: string): Handler {
    return GOOD[method] ?? refuse('501 Not Implemented');
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  url(path = '/stream', userInfo = ''): string {
    return `rtsp://${userInfo === '' ? '' : `${userInfo}@`}127.0.0.1:${this.port}${path}`;
  }

  /** The client that came last. */
  get client(): CameraClient {
    const client = this.clients.at(-1);
    if (client === undefined) throw new Error('nobody has connected');
    return client;
  }

  async close(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const client = new CameraClient(socket);
    this.clients.push(client);
    socket.on('error', () => undefined);
    let text = '';
    if (!this.onConnect(client)) return;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = readRequest(text.slice(0, end));
        text = text.slice(end + 4);
        this.requests.push(request);
        const handler = this.handlers[request.method] ?? GOOD[request.method];
        if (handler === undefined) client.answer(request, '501 Not Implemented');
        else handler(request, client);
      }
    });
  }
}

const GOOD: Readonly<Record<string, Handler>> = {
  OPTIONS: (request, client) =>
    client.answer(request, '200 OK', ['Public: DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']),
  DESCRIBE: (request, client) =>
    client.answer(
      request,
      '200 OK',
      [`Content-Base: ${request.url}/`, 'Content-Type: application/sdp', 'Server: fake'],
      H264_SDP,
    ),
  SETUP: (request, client) =>
    client.answer(request, '200 OK', [
      'Session: 12345;timeout=20',
      'Transport: RTP/AVP/TCP;unicast;interleaved=0-1',
    ]),
  PLAY: (request, client) => client.answer(request, '200 OK', ['Session: 12345']),
  GET_PARAMETER: (request, client) => client.answer(request),
  TEARDOWN: (request, client) => client.answer(request),
};

function readRequest(text: string): CameraRequest {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { method, url, headers };
}

/** A stream with a listener that remembers. */
function watch(options: Omit<StreamOptions, 'listener' | 'log'> & { log: Log; sound: boolean }) {
  const starts: StreamInfo[] = [];
  const formats: VideoFormat[] = [];
  const ends: StreamEnd[] = [];
  const clocks: number[] = [];
  const sink = new RecordingSink();
  const sounds: AudioFormat[] = [];
  const audio = new RecordingAudio();
  const onAudio = (format: AudioFormat) => {
    sounds.push(format);
    return audio;
  };
  const stream = new CameraStream({
    ...options,
    listener: {
      onStart: (info) => {
        starts.push(info);
        return sink;
      },
      ...(options.sound ? { onAudio } : {}),
      onFormat: (format) => formats.push(format),
      onEnd: (end) => ends.push(end),
      onClock: (offsetMs) => clocks.push(offsetMs),
    },
  });
  return { stream, starts, formats, ends, clocks, sink, sounds, audio };
}

/** Cameras and streams that are closed behind each test of the file that calls this. */
export function testBench() {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return {
    cleanups,
    async camera(handlers: Readonly<Record<string, Handler>> = {}): Promise<FakeCamera> {
      const started = await FakeCamera.start(handlers);
      cleanups.push(() => started.close());
      return started;
    },
    start(url: string, options: Partial<StreamOptions> & { sound?: boolean } = {}) {
      const clock = (options.clock ?? new FakeClock()) as FakeClock;
      const log = silentLog();
      const backoff = { firstMs: 1000, capMs: 30_000, random: () => 0.999 };
      const sound = options.sound ?? false;
      const watched = watch({ url, transport: 'tcp', log, backoff, ...options, clock, sound });
      cleanups.push(() => {
        const stopped = watched.stream.stop();
        // A camera that answers no TEARDOWN is waited for by this clock.
        if (clock instanceof FakeClock) clock.advance(60_000);
        return stopped;
      });
      watched.stream.start();
      return { ...watched, clock };
    },
  };
}

/** Waits until so many runs or attempts have ended. */
export function ended(watched: { readonly ends: readonly unknown[] }, count = 1): Promise<unknown> {
  return eventually('the end', () => watched.ends.length >= count);
}

export function refuse(status: string, headers: readonly string[] = []): Handler {
  return (request, client) => client.answer(request, status, headers);
}

export function say(text: string): Handler {
  return (_, client) => client.write(text);
}
