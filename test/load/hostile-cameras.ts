// Cameras that are broken or mean, on real sockets: what one of them does must cost no other a frame.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { packetize, slice } from '../../libs/rtsp/src/packets.test-support.js';
import { Random } from './fuzz-engine.js';
import { SDPS } from './fuzz-seeds.js';

export const HOSTILE_KINDS = [
  'stall',
  'flood',
  'random-bytes',
  'open-and-close',
  'half-open',
  'slow-loris',
  'endless-headers',
  'huge-description',
  'wrong-lengths',
  'loss-and-reorder',
] as const;

export type HostileKind = (typeof HOSTILE_KINDS)[number];

export interface HostileCamera {
  readonly kind: HostileKind;
  readonly url: string;
  readonly connections: number;
  close(): Promise<void>;
}

const BLOCK_BYTES = 64 * 1024;
const HEADERS = Buffer.from('X-Header: another one\r\n'.repeat(1000));
const LINES = Buffer.from('a=rtpmap:96 H264/90000\r\n'.repeat(2000));
const SLOW_MS = 200;
const STALL_AFTER_FRAMES = 10;

export async function startHostileCamera(kind: HostileKind): Promise<HostileCamera> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    misbehave(kind, socket, connections);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    kind,
    url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/${kind}`,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function misbehave(kind: HostileKind, socket: Socket, seed: number): void {
  switch (kind) {
    case 'half-open':
      socket.resume();
      return;
    case 'open-and-close':
      // Now and then after a few frames, else at once.
      if (seed % 3 !== 0) socket.destroy();
      else serve(socket, () => play(socket, seed, { frames: 3, then: () => socket.destroy() }));
      return;
    case 'random-bytes':
      socket.resume();
      pour(socket, randomBlocks(seed));
      return;
    case 'endless-headers':
      socket.resume();
      socket.write('RTSP/1.0 200 OK\r\n');
      pour(socket, () => HEADERS);
      return;
    case 'slow-loris':
      serve(socket, () => undefined, slowly);
      return;
    case 'huge-description':
      serve(
        socket,
        () => undefined,
        (target, text) => {
          if (!text.includes('m=video')) return void target.write(text);
          target.write('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 200000000\r\n\r\n');
          pour(target, () => LINES);
        },
      );
      return;
    case 'wrong-lengths':
      serve(socket, () => {
        const random = new Random(seed);
        const blocks = randomBlocks(seed);
        pour(socket, () => {
          const block = blocks().subarray(0, 1000);
          block.set([0x24, 0, random.below(256), random.below(256)]);
          return block;
        });
      });
      return;
    case 'stall':
      serve(socket, () =>
        play(socket, seed, { frames: STALL_AFTER_FRAMES, then: () => undefined }),
      );
      return;
    case 'flood':
      serve(socket, () => {
        const packet = framed(
          packetize([slice('h264', false, 60_000, seed)], { maxPayload: 1400 }),
        );
        pour(socket, () => packet);
      });
      return;
    case 'loss-and-reorder':
      serve(socket, () => play(socket, seed, { disorder: true }));
  }
}

/** Answers as a good camera would; `say` may spoil how. */
function serve(
  socket: Socket,
  onPlay: () => void,
  say: (socket: Socket, text: string) => void = (target, text) => void target.write(text),
): void {
  let text = '';
  socket.on('data', (chunk) => {
    text = (text + chunk.toString('latin1')).slice(-8192);
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const request = text.slice(0, end);
      text = text.slice(end + 4);
      const method = request.split(' ')[0] ?? '';
      const sequence = /cseq: (\d+)/i.exec(request)?.[1] ?? '1';
      const lines = [`RTSP/1.0 200 OK`, `CSeq: ${sequence}`, 'Session: 1;timeout=60'];
      const body = method === 'DESCRIBE' ? (SDPS[0] ?? '') : '';
      if (method === 'SETUP') lines.push('Transport: RTP/AVP/TCP;unicast;interleaved=0-1');
      if (body !== '') lines.push(`Content-Length: ${body.length}`);
      say(socket, `${lines.join('\r\n')}\r\n\r\n${body}`);
      if (method === 'PLAY') onPlay();
    }
  });
}

/** Writes as fast as the other side reads. */
function pour(socket: Socket, block: () => Buffer): void {
  const go = () => {
    while (!socket.destroyed && socket.writable && socket.write(block()));
    if (!socket.destroyed && socket.writable) socket.once('drain', go);
  };
  go();
}

function slowly(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer);
    else socket.write(text[at++] ?? '');
  }, SLOW_MS);
  socket.once('close', () => clearInterval(timer));
}

interface PlayOptions {
  readonly frames?: number;
  readonly then?: () => void;
  /** A tenth of the packets is lost, another tenth comes late. */
  readonly disorder?: boolean;
}

/** Frames at 25 a second, a key frame every ten. */
function play(socket: Socket, seed: number, options: PlayOptions): void {
  const random = new Random(seed);
  let count = 0;
  let sequence = 0;
  let late: Buffer[] = [];
  const timer = setInterval(() => {
    if (socket.destroyed || count >= (options.frames ?? Infinity)) {
      clearInterval(timer);
      options.then?.();
      return;
    }
    const unit = slice('h264', count % 10 === 0, 3000, count);
    const packets = packetize([unit], { sequence, timestamp: count * 3600 });
    sequence += packets.length;
    count += 1;
    if (options.disorder !== true) return void socket.write(framed(packets));
    const sent = packets.filter((packet) => {
      const luck = random.below(10);
      if (luck === 1) late.push(packet);
      return luck > 1;
    });
    socket.write(framed([...sent, ...late]));
    late = [];
  }, 40);
  socket.once('close', () => clearInterval(timer));
}

function framed(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(
    packets.map((packet) =>
      Buffer.concat([Buffer.from([0x24, 0, packet.length >> 8, packet.length & 255]), packet]),
    ),
  );
}

/** One block in ever new beginnings: to make it costs more than to send it. */
function randomBlocks(seed: number): () => Buffer {
  const random = new Random(seed + 1);
  const block = Buffer.alloc(2 * BLOCK_BYTES);
  for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(random.below(2 ** 32), at);
  return () => {
    const from = random.below(BLOCK_BYTES);
    return block.subarray(from, from + BLOCK_BYTES);
  };
}
