// WebSockets on the public door: admitted like requests, watched for silence, ended with their session.

import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { NightjarError, toNightjarError, type Clock, type Log, type Timer } from '#base';
import type { Connections } from './connections.js';
import type { Gatekeeper, Principal } from './gatekeeper.js';
import { problemOf } from './problem.js';
import { matchSocket } from './route-table.js';

const PING_MS = 20_000;
/** Clients send commands and nothing large. */
const LONGEST_MESSAGE_BYTES = 64 * 1024;
/** Private close code: the session ended, or no longer has the role. */
export const CLOSE_SIGNED_OUT = 4401;

export interface SocketCall {
  readonly principal: Principal;
  /** From the path: `:id`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** Serves one WebSocket route. */
export interface Gateway {
  /** The route's path in the contract. */
  readonly path: string;
  /** Throws what the client is to be told before the connection becomes a WebSocket. */
  check?(call: SocketCall): void | Promise<void>;
  open(socket: WebSocket, call: SocketCall): void;
}

export class Sockets {
  readonly #gatekeeper: Gatekeeper;
  readonly #connections: Connections;
  readonly #log: Log;
  readonly #gateways: ReadonlyMap<string, Gateway>;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LONGEST_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  readonly #silent = new WeakSet<WebSocket>();
  readonly #pings: Timer;

  constructor(o: {
    gatekeeper: Gatekeeper;
    connections: Connections;
    clock: Clock;
    log: Log;
    gateways: readonly Gateway[];
  }) {
    this.#gatekeeper = o.gatekeeper;
    this.#connections = o.connections;
    this.#log = o.log;
    this.#gateways = new Map(o.gateways.map((gateway) => [gateway.path, gateway]));
    this.#pings = o.clock.every(PING_MS, () => this.#ping());
  }

  get paths(): string[] {
    return [...this.#gateways.keys()];
  }

  attach(door: Server): void {
    door.on('upgrade', (request, stream, head) => void this.#upgrade(request, stream, head));
  }

  close(): void {
    this.#pings.cancel();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // A client that goes away during the handshake is nobody's error.
    const ignore = () => stream.destroy();
    stream.on('error', ignore);
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const match = matchSocket(url.pathname);
      const gateway = match === undefined ? undefined : this.#gateways.get(match.route.path);
      if (match === undefined || gateway === undefined) {
        throw new NightjarError('not-found', 'there is nothing here');
      }
      const principal = await this.#gatekeeper.admit(match.route, request);
      if (principal === undefined) throw new NightjarError('unauthenticated', 'expected a session');
      const query = Object.fromEntries(url.searchParams);
      const call: SocketCall = { principal, parameters: match.parameters, query };
      await gateway.check?.(call);
      stream.off('error', ignore);
      this.#server.handleUpgrade(request, stream, head, (socket) => {
        this.#server.emit('connection', socket, request);
        const leave = this.#connections.add({
          principal,
          route: match.route,
          end: () => {
            // Closing takes as long as the peer wants: until then nobody listens to it.
            socket.removeAllListeners('message');
            socket.close(CLOSE_SIGNED_OUT, 'signed out');
          },
        });
        socket.on('close', leave);
        socket.on('error', () => socket.terminate());
        socket.on('pong', () => this.#silent.delete(socket));
        gateway.open(socket, call);
      });
    } catch (thrown) {
      refuse(stream, toNightjarError(thrown), this.#log);
    }
  }

  /** A peer that answered nothing since the last ping is gone. */
  #ping(): void {
    for (const socket of this.#server.clients) {
      if (this.#silent.has(socket)) socket.terminate();
      else {
        this.#silent.add(socket);
        socket.ping();
      }
    }
  }
}

function refuse(stream: Duplex, error: NightjarError, log: Log): void {
  if (error.code === 'internal') log.error({ err: error }, 'a WebSocket could not be opened');
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  stream.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
