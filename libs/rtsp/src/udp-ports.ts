// The pair of UDP ports on which a camera's RTP and RTCP come.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { Clock, Timer } from '#base';
import type { MediaHandler } from './media-handler.js';
import { ReorderWindow } from './reorder-window.js';
import { streamError } from './stream-error.js';
import type { GrantedTransport } from './transport-header.js';

const ATTEMPTS = 20;
/** Key frames come in bursts. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** A missing packet is waited for no longer. */
const REORDER_MS = 50;
const REPORT_MS = 5000;
/** An empty receiver report (RFC 3550, 6.4.2) with an SSRC that nobody asks for. */
const EMPTY_REPORT = Buffer.from('80c900014e6a7201', 'hex');

export interface UdpBeginning {
  readonly granted: GrantedTransport;
  /** Of the camera. */
  readonly address: string;
  readonly handler: MediaHandler;
  /** The handler threw. */
  onError(error: Error): void;
}

export class UdpPorts {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #clock: Clock;
  readonly #timers: Timer[] = [];
  #closed = false;

  private constructor(rtp: Socket, rtcp: Socket, clock: Clock) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#clock = clock;
  }

  /** Binds an even port and the next one (RFC 3550, 11) on the address that the camera knows. */
  static async open(address: string, { clock }: { readonly clock: Clock }): Promise<UdpPorts> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const rtp = await bind(address, 0);
      const { port } = rtp.address();
      const rtcp =
        port % 2 === 0 ? await bind(address, port + 1).catch(() => undefined) : undefined;
      if (rtcp !== undefined) return new UdpPorts(rtp, rtcp, clock);
      rtp.close();
    }
    throw streamError('protocol', 'no pair of free UDP ports was found');
  }

  get rtpPort(): number {
    return this.#rtp.address().port;
  }

  /** Hands on what comes from the camera's address, and opens the way through a router. */
  begin({ granted, address, handler, onError }: UdpBeginning): void {
    const from = new Set([plain(address)]);
    if (granted.source !== undefined && isIP(granted.source) !== 0) from.add(plain(granted.source));
    // Nobody above catches what is thrown in here: it ends the session, not the process.
    const guarded = (run: () => void) => {
      try {
        run();
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const window = new ReorderWindow((packet) =>
      guarded(() => handler.onRtp(packet, 0, packet.length)),
    );
    let waitingSinceMs: number | undefined;
    this.#rtp.on('message', (packet, { address: sender }) => {
      if (this.#closed || !from.has(plain(sender)) || packet.length < 12) return;
      handler.arrived?.(packet);
      window.push(packet);
      if (window.length === 0) waitingSinceMs = undefined;
      else waitingSinceMs ??= this.#clock.monotonicMs();
    });
    this.#rtcp.on('message', (packet, { address: sender }) => {
      if (this.#closed || !from.has(plain(sender))) return;
      guarded(() => handler.onRtcp(packet, 0, packet.length));
    });
    this.#timers.push(
      this.#clock.every(REORDER_MS, () => {
        if (waitingSinceMs === undefined) return;
        if (this.#clock.monotonicMs() - waitingSinceMs < REORDER_MS) return;
        waitingSinceMs = undefined;
        window.flush();
      }),
    );
    const { serverPort } = granted;
    if (serverPort === undefined) return;
    const report = () => {
      if (!this.#closed) this.#rtcp.send(EMPTY_REPORT, serverPort + 1, address);
    };
    this.#rtp.send(EMPTY_REPORT, serverPort, address);
    report();
    this.#timers.push(this.#clock.every(REPORT_MS, report));
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#rtp.close();
    this.#rtcp.close();
  }
}

async function bind(address: string, port: number): Promise<Socket> {
  const type = isIP(plain(address)) === 6 ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
  // A port that nobody listens on answers with ICMP: the session's own waits judge that.
  socket.on('error', () => undefined);
  socket.bind(port, plain(address));
  try {
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** IPv4 addresses seen through an IPv6 socket are the same addresses. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
