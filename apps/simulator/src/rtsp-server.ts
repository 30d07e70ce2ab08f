// The RTSP door of the simulator: listens, tells streams by their paths, ends silent connections.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Log } from '#base';
import type { Credentials } from './digest-gate.js';
import type { PlayCounters } from './play-session.js';
import { RtspConnection } from './rtsp-connection.js';
import type { SessionEnd, SimulatedStream } from './stream.js';
import { TimerWheel } from './timer-wheel.js';

export interface RtspServerOptions {
  readonly host: string;
  readonly port: number;
  readonly streams: ReadonlyMap<string, SimulatedStream>;
  readonly credentials?: Credentials;
  /** A client that is silent for longer loses its session. */
  readonly sessionTimeoutMs?: number;
  readonly log: Log;
}

export class RtspServer {
  readonly counters: PlayCounters = { packets: 0, bytes: 0, dropped: 0, ends: {} };
  readonly #options: RtspServerOptions;
  readonly #wheel = new TimerWheel();
  readonly #epochMs = Date.now() - performance.now();
  readonly #connections = new Set<RtspConnection>();
  #server: Server | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #port: number;

  constructor(options: RtspServerOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** The port in use; stays the same over `stop` and `start`. */
  get port(): number {
    return this.#port;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Clients that play. */
  get sessionCount(): number {
    return this.#wheel.count;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#accept(socket));
    server.listen({ port: this.#port, host: this.#options.host, backlog: 1024 });
    await once(server, 'listening');
    server.on('error', (error) => this.#options.log.error({ err: error }, 'the RTSP door failed'));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    const timeoutMs = this.#timeoutMs;
    this.#sweep = setInterval(() => this.#endSilent(timeoutMs), Math.min(1000, timeoutMs / 2));
    this.#sweep.unref();
  }

  /** Ends all sessions at once and refuses new ones until `start`. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#endAll('camera-down');
    await closed;
    this.#wheel.close();
  }

  get #timeoutMs(): number {
    return this.#options.sessionTimeoutMs ?? 60_000;
  }

  #accept(socket: Socket): void {
    const { streams, credentials, log } = this.#options;
    const connection = new RtspConnection(socket, {
      findStream: (path) => streams.get(path),
      credentials,
      counters: this.counters,
      wheel: this.#wheel,
      epochMs: this.#epochMs,
      sessionTimeoutMs: this.#timeoutMs,
      log,
    });
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  #endSilent(timeoutMs: number): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) {
      if (nowMs - connection.heardAtMs > timeoutMs) connection.close('session-timeout');
    }
  }

  #endAll(reason: SessionEnd): void {
    for (const connection of [...this.#connections]) connection.close(reason);
  }
}
