// Live video on WebSockets: a greeting for every format, then binary parts, and why there are none.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { isInternalCaller, NightjarError } from '#base';
import {
  cameraIdSchema,
  LIVE_HEADER_BYTES,
  LIVE_KIND,
  liveQuerySchema,
  writeLiveHeader,
  type LiveInit,
  type LiveQuery,
  type LiveState,
} from '#contract';
import { watchLive } from '#pipeline';
import { notKnown } from './mapping.js';
import type { Parts } from './parts.js';
import { parse, problemOf } from './problem.js';

const PATH = /^\/internal\/cameras\/([^/]+)\/live$/;
const STATE_MS = 1000;
const PING_MS = 15_000;

export class LiveGateway {
  readonly #parts: Parts;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes over the server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', () => stream.destroy());
      try {
        const { camera, query } = this.#check(request);
        this.#sockets.handleUpgrade(request, stream, head, (socket) =>
          this.#serve(socket, camera, query),
        );
      } catch (error) {
        refuse(stream, error);
      }
    });
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  #check(request: IncomingMessage): { camera: string; query: LiveQuery } {
    const { config, recorder } = this.#parts;
    if (!isInternalCaller(request.headers.authorization, config.internalSecret)) {
      throw new NightjarError('unauthenticated', 'expected the secret of the internal door');
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    const match = PATH.exec(url.pathname);
    if (match === null) throw new NightjarError('not-found', 'there is nothing here');
    const camera = parse(cameraIdSchema, decodeURIComponent(match[1] ?? ''));
    const query = parse(liveQuerySchema, Object.fromEntries(url.searchParams));
    if (recorder.report(camera) === undefined) throw notKnown(camera);
    return { camera, query };
  }

  #serve(socket: WebSocket, camera: string, query: LiveQuery): void {
    const { recorder, clock } = this.#parts;
    let hub: ReturnType<typeof recorder.hub>;
    let leave: (() => void) | undefined;
    let told = '';
    const look = () => {
      const report = recorder.report(camera);
      if (report === undefined) return socket.close(1013, 'the camera was removed');
      // A changed address gives the camera a new hub. Where no sub stream comes, the main one is shown.
      const comes = report.tracks.some((row) => row.track === query.track && row.fps !== undefined);
      const next = recorder.hub(camera, comes ? query.track : 'main');
      if (next !== undefined && next !== hub) {
        leave?.();
        hub = next;
        leave = watchLive({
          hub: next,
          format: query.format,
          headroomBytes: LIVE_HEADER_BYTES,
          viewer: viewerOf(socket, query),
        });
      }
      const { state, reason } = report;
      const message: LiveState = {
        type: 'state',
        state,
        ...(state === 'online' || reason === undefined ? {} : { reason }),
      };
      const text = JSON.stringify(message);
      if (text !== told && (told !== '' || state !== 'online')) socket.send(text);
      told = text;
    };
    const timers = [clock.every(STATE_MS, look), clock.every(PING_MS, () => socket.ping())];
    socket.on('error', () => socket.terminate());
    socket.once('close', () => {
      for (const timer of timers) timer.cancel();
      leave?.();
    });
    look();
  }
}

function viewerOf(socket: WebSocket, { format }: LiveQuery) {
  const kind = format === 'annexb' ? LIVE_KIND.accessUnit : LIVE_KIND.fragment;
  return {
    onInit: (
      video: { codec: 'h264' | 'h265'; codecString: string; width: number; height: number },
      init: Buffer | undefined,
    ) => {
      const { codec, codecString, width, height } = video;
      const greeting: LiveInit = { type: 'init', format, codec, codecString, width, height };
      socket.send(JSON.stringify(greeting));
      if (init === undefined) return;
      const header = writeLiveHeader({ kind: LIVE_KIND.init, key: true, utcUs: 0 });
      socket.send(Buffer.concat([header, init]));
    },
    onPart: ({ key, utcUs, bytes }: { key: boolean; utcUs: number; bytes: Buffer }) => {
      bytes.set(writeLiveHeader({ kind, key, utcUs }));
      socket.send(bytes, { binary: true });
    },
    backlogBytes: () => socket.bufferedAmount,
    onGivenUp: () => socket.terminate(),
  };
}

function refuse(stream: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  stream.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\n` +
      'content-type: application/problem+json\r\nconnection: close\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
