// Live video through the server: every part in order to a quick client, whole groups to a slow one.

import { createConnection, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { eventually } from '#base/testing';
import {
  LIVE_HEADER_BYTES,
  LIVE_KIND,
  readLiveHeader,
  writeLiveHeader,
  type Camera,
} from '#contract';
import { FakePeer } from './fake-recorder.test-support.js';
import { LiveGate } from './live.gateway.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let recorder: FakePeer;
let camera: string;

beforeAll(async () => {
  server = await TestServer.start();
  recorder = await FakePeer.start(server);
  const added = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: 'rtsp://camera.example/main' },
  });
  camera = added.body.id;
});

afterAll(async () => {
  await recorder.stop();
  await server.stop();
});

function part(index: number, payloadBytes: number): Buffer {
  const header = writeLiveHeader({
    kind: LIVE_KIND.accessUnit,
    key: index % 10 === 0,
    utcUs: index,
  });
  return Buffer.concat([header, Buffer.alloc(payloadBytes)]);
}

async function liveUrl(query = ''): Promise<[string, { headers: Record<string, string> }]> {
  const token = await server.tokenOf('viewer');
  return [
    `${server.url.replace('http', 'ws')}/api/cameras/${camera}/live${query}`,
    { headers: { authorization: `Bearer ${token}` } },
  ];
}

test('parts and greetings arrive in order; the recorder learns what was asked and when it ends', async () => {
  let upstreamClosed = false;
  let asked = '';
  recorder.onLive = (socket, url) => {
    asked = url.search;
    socket.on('close', () => (upstreamClosed = true));
    socket.send(JSON.stringify({ type: 'init' }));
    for (let index = 0; index < 50; index++) socket.send(part(index, 100));
  };
  const socket = new WebSocket(...(await liveUrl('?format=fmp4&track=sub')));
  const texts: string[] = [];
  const times: number[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) times.push(readLiveHeader(data)?.utcUs ?? -1);
    else texts.push(String(data));
  });
  await eventually('all parts', () => times.length === 50);
  expect(asked).toBe('?format=fmp4&track=sub');
  expect(texts).toEqual(['{"type":"init"}']);
  expect(times).toEqual(Array.from({ length: 50 }, (_, index) => index));
  socket.terminate();
  await eventually('the recorder to see the viewer leave', () => upstreamClosed);
});

/** A WebSocket client by hand: it can leave bytes lying in the socket. */
async function openByHand(): Promise<Socket> {
  const { port, hostname } = new URL(server.url);
  const token = await server.tokenOf('viewer');
  const socket = createConnection({ port: Number(port), host: hostname });
  socket.write(
    `GET /api/cameras/${camera}/live HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('readable', resolve));
  socket.pause();
  return socket;
}

/** The parts in a server's frames, which are not masked. */
function partsIn(bytes: Buffer): { utcUs: number; key: boolean }[] {
  const parts: { utcUs: number; key: boolean }[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 10 < bytes.length) {
    const short = bytes.readUInt8(at + 1);
    const [length, head] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [short, 2];
    const header = readLiveHeader(bytes.subarray(at + head, at + head + LIVE_HEADER_BYTES));
    if ((bytes.readUInt8(at) & 15) === 2 && header !== undefined) parts.push(header);
    at += head + length;
  }
  return parts;
}

test('a client that does not read loses parts up to a key frame, and the server keeps little', async () => {
  const total = 1000;
  let sent = 0;
  let drained = false;
  recorder.onLive = (socket) => {
    const next = () => {
      if (sent >= total) return void (drained = true);
      socket.send(part(sent, 64 * 1024), next);
      sent += 1;
    };
    next();
  };
  const client = await openByHand();
  await eventually('the recorder to be rid of all parts', () => drained);
  const received: Buffer[] = [];
  client.on('data', (bytes) => received.push(bytes));
  client.resume();
  let last = -1;
  await eventually('the client to have caught up', async () => {
    const size = received.reduce((sum, bytes) => sum + bytes.length, 0);
    const still = size === last;
    last = size;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return still;
  });
  client.destroy();
  const parts = partsIn(Buffer.concat(received));
  expect(parts.length).toBeGreaterThan(10);
  expect(parts.length).toBeLessThan(total / 2);
  parts.forEach(({ utcUs, key }, index) => {
    const before = parts[index - 1];
    if (before !== undefined && utcUs !== before.utcUs + 1) expect(key).toBe(true);
  });
});

test('the gate opens again only at a key frame, and initialisations always pass', () => {
  const gate = new LiveGate();
  const init = Buffer.from(writeLiveHeader({ kind: LIVE_KIND.init, key: false, utcUs: 0 }));
  expect(gate.lets(part(0, 1), 0)).toBe(true);
  expect(gate.lets(part(1, 1), 3_000_000)).toBe(false);
  expect(gate.lets(part(2, 1), 0)).toBe(false);
  expect(gate.lets(init, 3_000_000)).toBe(true);
  expect(gate.lets(part(10, 1), 3_000_000)).toBe(false);
  expect(gate.lets(part(11, 1), 0)).toBe(false);
  expect(gate.lets(part(20, 1), 0)).toBe(true);
  expect(gate.dropped).toBe(4);
});

test('without its recorder a viewer is told so and sent away to try again', async () => {
  await recorder.stop();
  const socket = new WebSocket(...(await liveUrl()));
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(String(data)));
  const code = await new Promise((resolve) => socket.on('close', resolve));
  expect(code).toBe(1013);
  expect(JSON.parse(texts[0] ?? '{}')).toMatchObject({ type: 'state', state: 'offline' });
  await recorder.listen();
});
