// The HTTP side of a camera: pairs a GET and a POST by their cookie and leads both to its RTSP side.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

export interface TunnelRequest {
  readonly method: string;
  readonly head: string;
}

/** A self-signed certificate as cameras make them; undefined where openssl is not installed. */
export function selfSigned(): { key: Buffer; cert: Buffer } | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=camera'];
  const made = spawnSync('openssl', ['req', ...options, '-keyout', key, '-out', cert]);
  try {
    if (made.status !== 0) return undefined;
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export class TunnelServer {
  readonly requests: TunnelRequest[] = [];
  readonly posts: Socket[] = [];
  /** What a request is answered with instead of the tunnel; an empty text: with nothing. */
  refuse: (request: TunnelRequest) => string | undefined = () => undefined;
  /** The head of the answer to GET. */
  answer = 'HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n';
  readonly #rtspPort: number;
  readonly #server: Server;
  readonly #inner = new Map<string, Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(rtspPort: number, tls: { key: Buffer; cert: Buffer } | undefined) {
    this.#rtspPort = rtspPort;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  static async start(rtspPort: number, tls?: { key: Buffer; cert: Buffer }): Promise<TunnelServer> {
    const server = new TunnelServer(rtspPort, tls);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #serve(socket: Socket): void {
    this.#track(socket);
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      const head = text.slice(0, end);
      const request = { method: head.split(' ')[0] ?? '', head };
      this.requests.push(request);
      const refused = this.refuse(request);
      if (refused !== undefined) {
        if (refused !== '') socket.end(refused);
        return;
      }
      const cookie = /x-sessioncookie: (\S+)/i.exec(head)?.[1] ?? '';
      if (request.method === 'GET') this.#get(cookie, socket);
      else if (request.method === 'POST') this.#post(cookie, socket, text.slice(end + 4));
      else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html></html>');
    };
    socket.on('data', onData);
  }

  #get(cookie: string, socket: Socket): void {
    // Byte by byte, as a slow camera would.
    for (const character of this.answer.slice(0, 20)) socket.write(character);
    socket.write(this.answer.slice(20));
    const inner = connect(this.#rtspPort, '127.0.0.1');
    this.#track(inner);
    this.#inner.set(cookie, inner);
    inner.pipe(socket);
    socket.once('close', () => inner.destroy());
  }

  #post(cookie: string, socket: Socket, first: string): void {
    this.posts.push(socket);
    let kept = '';
    const decode = (text: string) => {
      kept += text;
      // A request ends where its padding does; what is not padded comes in whole quadruples.
      const whole = kept.length - (kept.length % 4);
      for (const part of kept.slice(0, whole).match(/[^=]+=*/g) ?? []) {
        this.#inner.get(cookie)?.write(Buffer.from(part, 'base64'));
      }
      kept = kept.slice(whole);
    };
    decode(first);
    socket.on('data', (chunk: Buffer) => decode(chunk.toString('latin1')));
  }
}
