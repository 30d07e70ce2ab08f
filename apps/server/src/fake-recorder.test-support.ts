// A recorder or transcoder for tests of the server: real sockets, answers that the test lays down.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { isInternalCaller } from '#base';
import {
  announceAnswerSchema,
  type Announce,
  type CameraStatus,
  type RecorderConfig,
} from '#contract';
import { INTERNAL_SECRET, type TestServer } from './test-server.test-support.js';

const ANNOUNCE_MS = 2000;

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => unknown;

export class FakePeer {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #handlers = new Map<string, Handler>();
  readonly #role: Announce['role'];
  readonly #id: string;
  #target: TestServer | undefined;
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The configuration that it runs. */
  config: RecorderConfig | undefined;
  /** Whether it has the port that cameras push to; it says nothing of that if undefined. */
  takesPushes: boolean | undefined;
  /** Paths with queries, as they came. */
  readonly requests: string[] = [];
  onLive: ((socket: WebSocket, url: URL) => void) | undefined;

  private constructor(role: Announce['role'], id: string) {
    this.#role = role;
    this.#id = id;
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#server.on('upgrade', (request, stream, head) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (!isInternalCaller(request.headers.authorization, INTERNAL_SECRET)) stream.destroy();
      else {
        this.#sockets.handleUpgrade(request, stream, head, (socket) => this.onLive?.(socket, url));
      }
    });
    this.answer('/internal/refresh', async (_request, response) => {
      await this.announce();
      json(response, {});
    });
  }

  static async start(
    target: TestServer,
    role: Announce['role'] = 'recorder',
    id: string = `${role}-1`,
  ): Promise<FakePeer> {
    const peer = new FakePeer(role, id);
    peer.#target = target;
    await peer.listen();
    await peer.announce();
    return peer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get id(): string {
    return this.#id;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#timer = setInterval(() => void this.announce().catch(() => undefined), ANNOUNCE_MS);
  }

  answer(path: string, handler: Handler): void {
    this.#handlers.set(path, handler);
  }

  answerJson(path: string, body: (url: URL) => unknown): void {
    this.answer(path, (_request, response, url) => json(response, body(url)));
  }

  /** What `/internal/status` says; without `statuses` every camera is online and records. */
  answerStatus(
    statusOf: (camera: string) => CameraStatus = () => onlineStatus(),
    faults: readonly { kind?: string; device?: string; message: string }[] = [],
  ): void {
    this.answerJson('/internal/status', () => ({
      recorder: { id: this.#id },
      cameras: (this.config?.cameras ?? [])
        .filter((camera) => camera.removed !== true)
        .map(({ id }) => ({ id, status: statusOf(id) })),
      healthy: faults.length === 0,
      faults: faults.map(({ message }) => message),
      ...(faults.some(({ kind }) => kind !== undefined)
        ? { faultKinds: faults.map(({ kind, device }) => ({ kind, device })) }
        : {}),
    }));
  }

  async announce(): Promise<void> {
    const answer = await this.#target?.internal('/internal/announce', {
      role: this.#role,
      id: this.#id,
      url: this.url,
      ...(this.takesPushes === undefined ? {} : { takesPushes: this.takesPushes }),
      ...(this.config === undefined ? {} : { configVersion: this.config.version }),
    });
    const { config } = announceAnswerSchema.parse(answer?.body);
    if (config !== undefined) this.config = config;
  }

  /** Falls silent and refuses connections, as a killed process does. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.requests.push(request.url ?? '');
    if (!isInternalCaller(request.headers.authorization, INTERNAL_SECRET)) {
      problem(response, 401, 'unauthenticated', 'expected the secret of the internal door');
      return;
    }
    const handler = this.#handlers.get(url.pathname);
    if (handler === undefined) problem(response, 404, 'not-found', 'there is no footage there');
    else await handler(request, response, url);
  }
}

export function json(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

export function problem(
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/problem+json');
  response.end(JSON.stringify({ type: 'about:blank', title: code, status, detail, code }));
}

export function onlineStatus(): CameraStatus {
  return {
    state: 'online',
    recording: { active: true, mode: 'motion' },
    motion: { active: false, level: 0, detector: 'ok' },
    tracks: [],
  };
}
