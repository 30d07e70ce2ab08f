// A small RTSP client for the simulator's tests: asks, plays over TCP, puts access units together.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '#base/testing';

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Packet {
  readonly channel: number;
  readonly bytes: Buffer;
}

export class RtspClient {
  readonly packets: Packet[] = [];
  readonly strays: Buffer[] = [];
  closed = false;
  readonly #socket: Socket;
  #answers: Answer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }

  static async open(port: number): Promise<RtspClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RtspClient(socket);
  }

  async ask(method: string, url: string, headers: Record<string, string> = {}): Promise<Answer> {
    this.#sequence += 1;
    const fields = Object.entries({ CSeq: String(this.#sequence), ...headers });
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#socket.write(`${method} ${url} RTSP/1.0\r\n${lines}\r\n`);
    await eventually('an answer', () => this.#answers.length > 0 || this.closed);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error('the connection was closed');
    return answer;
  }

  /** DESCRIBE, SETUP by TCP and PLAY; gives the SDP. */
  async play(url: string): Promise<string> {
    const described = await this.ask('DESCRIBE', url);
    const transport = 'RTP/AVP/TCP;unicast;interleaved=0-1';
    await this.ask('SETUP', `${url}/trackID=0`, { Transport: transport });
    const played = await this.ask('PLAY', url);
    if (played.status !== 200) throw new Error(`PLAY was answered ${played.status}`);
    return described.body;
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What came on the video's channel. */
  get video(): Buffer[] {
    return this.packets.filter(({ channel }) => channel === 0).map(({ bytes }) => bytes);
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      if (this.#rest[0] === 0x24) {
        const end = 4 + this.#rest.readUInt16BE(2);
        if (this.#rest.length < end) return;
        const bytes = Buffer.from(this.#rest.subarray(4, end));
        this.packets.push({ channel: this.#rest[1] ?? 0, bytes });
        this.#rest = this.#rest.subarray(end);
      } else if (this.#rest.toString('latin1', 0, 4) === 'RTSP') {
        const headEnd = this.#rest.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const [first = '', ...lines] = this.#rest.toString('latin1', 0, headEnd).split('\r\n');
        const headers = new Map(
          lines.map((line) => {
            const colon = line.indexOf(':');
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
          }),
        );
        const end = headEnd + 4 + Number(headers.get('content-length') ?? 0);
        if (this.#rest.length < end) return;
        const body = this.#rest.toString('utf8', headEnd + 4, end);
        this.#answers.push({ status: Number(first.split(' ')[1]), headers, body });
        this.#rest = this.#rest.subarray(end);
      } else {
        this.strays.push(Buffer.from(this.#rest.subarray(0, 1)));
        this.#rest = this.#rest.subarray(1);
      }
    }
  }
}

export interface AccessUnit {
  readonly timestamp: number;
  readonly nals: Buffer[];
}

/** Whole access units of H.264 or H.265 packets; one that lacks its end is left out. */
export function depacketize(codec: 'h264' | 'h265', packets: readonly Buffer[]): AccessUnit[] {
  const units: AccessUnit[] = [];
  let nals: Buffer[] = [];
  for (const packet of packets) {
    const payload = packet.subarray(12);
    const first = payload[0] ?? 0;
    const type = codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
    if (type === (codec === 'h264' ? 28 : 49)) {
      const at = codec === 'h264' ? 1 : 2;
      const fragment = payload[at] ?? 0;
      if ((fragment & 0x80) !== 0) {
        const header =
          codec === 'h264'
            ? [(first & 0xe0) | (fragment & 0x1f)]
            : [(first & 0x81) | ((fragment & 0x3f) << 1), payload[1] ?? 0];
        nals.push(Buffer.from(header));
      }
      nals.push(Buffer.concat([nals.pop() ?? Buffer.alloc(0), payload.subarray(at + 1)]));
    } else nals.push(Buffer.from(payload));
    if (((packet[1] ?? 0) & 0x80) !== 0) {
      units.push({ timestamp: packet.readUInt32BE(4), nals });
      nals = [];
    }
  }
  return units;
}

/** The Authorization header that answers a Digest challenge. */
export function digestAnswer(
  challenge: string,
  request: { method: string; url: string; user: string; password: string },
): string {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const field = (name: string): string =>
    new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const { method, url, user, password } = request;
  const secret = md5(`${user}:${field('realm')}:${password}`);
  const response = md5(`${secret}:${field('nonce')}:${md5(`${method}:${url}`)}`);
  return `Digest username="${user}", realm="${field('realm')}", nonce="${field('nonce')}", uri="${url}", response="${response}"`;
}
