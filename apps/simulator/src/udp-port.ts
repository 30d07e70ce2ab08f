// Sends a session's packets by UDP, for clients that ask for it.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PacketPort } from './play-session.js';

export interface UdpPortOptions {
  readonly host: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** The client sent a receiver report. */
  readonly onHeard: () => void;
  readonly onEnd: () => void;
}

export class UdpPort implements PacketPort {
  readonly #options: UdpPortOptions;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #closed = false;

  private constructor(options: UdpPortOptions, rtp: Socket, rtcp: Socket) {
    this.#options = options;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    for (const socket of [rtp, rtcp]) socket.on('error', () => undefined);
    rtcp.on('message', options.onHeard);
  }

  static async open(options: UdpPortOptions): Promise<UdpPort> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of sockets) {
      const bound = once(socket, 'listening');
      socket.bind(0);
      await bound;
    }
    return new UdpPort(options, ...sockets);
  }

  get rtpPort(): number {
    return this.#rtp.address().port;
  }

  get rtcpPort(): number {
    return this.#rtcp.address().port;
  }

  get backlogBytes(): number {
    return this.#closed ? 0 : this.#rtp.getSendQueueSize();
  }

  /** Takes the interleaved framing off and copies: a datagram leaves later than this returns. */
  send(bytes: Buffer): boolean {
    if (this.#closed) return true;
    const { host, rtpPort, rtcpPort } = this.#options;
    for (let at = 0; at + 4 <= bytes.length;) {
      const end = at + 4 + bytes.readUInt16BE(at + 2);
      const isControl = ((bytes[at + 1] ?? 0) & 1) === 1;
      const packet = Buffer.from(bytes.subarray(at + 4, end));
      (isControl ? this.#rtcp : this.#rtp).send(packet, isControl ? rtcpPort : rtpPort, host);
      at = end;
    }
    return true;
  }

  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rtp.close();
    this.#rtcp.close();
    this.#options.onEnd();
  }
}
