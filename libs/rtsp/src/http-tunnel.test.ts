// RTSP through an HTTP tunnel: both ways, passwords of the web server, doors that close, TLS.

import { createHash } from 'node:crypto';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { eventually } from '#base/testing';
import { ended, testBench } from './fake-camera.test-support.js';
import type { StreamOptions } from './stream-face.js';
import { selfSigned, TunnelServer } from './tunnel-server.test-support.js';

const { camera, start, cleanups } = testBench();
const tls = selfSigned();
const withTls = tls === undefined ? test.skip : test;

async function tunnelled(secure = false) {
  const fake = await camera();
  const server = await TunnelServer.start(fake.port, secure ? tls : undefined);
  cleanups.push(() => server.close());
  const url = (userInfo = '') =>
    `rtsp${secure ? 's' : ''}://${userInfo}127.0.0.1:${server.port}/live?channel=1`;
  const open = (userInfo = '', options: Partial<StreamOptions> = {}) =>
    start(url(userInfo), { transport: 'http', ...options });
  return { fake, server, open, url };
}

async function playsTwentyFrames(
  { fake }: Awaited<ReturnType<typeof tunnelled>>,
  watched: ReturnType<typeof start>,
) {
  await eventually('the start', () => watched.starts.length === 1);
  for (let frame = 0; frame < 20; frame++) fake.client.frame(frame === 0);
  await eventually('the frames', () => watched.sink.frames.length === 20);
  await watched.stream.stop();
  expect(fake.methods).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN']);
  expect(watched.stream.counters.rubbishBytes).toBe(0);
}

test('GET brings the stream, POST takes the requests, one cookie joins them', async () => {
  const bench = await tunnelled();
  await playsTwentyFrames(bench, bench.open());
  const [get, post] = bench.server.requests.map(({ head }) => head);
  expect(get).toMatch(/^GET \/live\?channel=1 HTTP\/1\.0\r\n/);
  expect(post).toMatch(/^POST \/live\?channel=1 HTTP\/1\.0\r\n/);
  const cookie = /x-sessioncookie: (\S{16,})/;
  expect(cookie.exec(post ?? '')?.[1]).toBe(cookie.exec(get ?? '')?.[1]);
  expect(bench.fake.requests[2]?.headers.transport).toBe('RTP/AVP/TCP;unicast;interleaved=0-1');
});

withTls('the tunnel in TLS', async () => {
  const bench = await tunnelled(true);
  await playsTwentyFrames(bench, bench.open());
});

withTls('rtsps without a tunnel', async () => {
  const fake = await camera();
  const server = createTlsServer(tls ?? {}, (outer) => {
    const inner = connect(fake.port, '127.0.0.1');
    for (const socket of [outer, inner]) socket.on('error', () => undefined);
    outer.pipe(inner).pipe(outer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const watched = start(`rtsps://127.0.0.1:${port}/x`);
  await eventually('the start', () => watched.starts.length === 1);
  for (let frame = 0; frame < 20; frame++) fake.client.frame(frame === 0);
  await eventually('the frames', () => watched.sink.frames.length === 20);
  await watched.stream.stop();
  expect(fake.methods.at(-1)).toBe('TEARDOWN');
});

test('rtsps to a door without TLS ends with its reason', async () => {
  const fake = await camera();
  const watched = start(fake.url().replace('rtsp:', 'rtsps:'));
  // It answers what it does not understand with an end of the line.
  await eventually('the hello', () => fake.clients.length === 1);
  fake.client.write('RTSP/1.0 400 Bad Request\r\n\r\n');
  await ended(watched);
  expect(['unreachable', 'closed-by-camera']).toContain(watched.ends[0]?.reason);
  expect(watched.ends[0]?.message).toContain(String(fake.port));
});

test('rtsps to a door that says nothing is waited for no longer than the deadline', async () => {
  const fake = await camera();
  fake.onConnect = () => true;
  const watched = start(fake.url().replace('rtsp:', 'rtsps:'));
  await eventually('the hello', () => fake.clients.length === 1);
  // The connection stands on both sides before the clock goes on.
  await new Promise((resolve) => setTimeout(resolve, 50));
  watched.clock.advance(9999);
  expect(watched.ends).toEqual([]);
  watched.clock.advance(1);
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({
    reason: 'unreachable',
    message: expect.stringContaining('did not answer within 10000 ms'),
  });
});

test('the web server asks for Digest, on both ways', async () => {
  const bench = await tunnelled();
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  bench.server.refuse = ({ method, head }) => {
    const secret = md5(`${md5('u:r:p')}:n:${md5(`${method}:/live?channel=1`)}`);
    if (head.includes(`response="${secret}"`)) return undefined;
    return 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n';
  };
  await playsTwentyFrames(bench, bench.open('u:p@'));
  expect(bench.server.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
});

test.each([
  ['', 'the camera asks for a user and a password', 1],
  ['u:wrong@', 'the camera refuses this user and password', 2],
])('a refused password (%j) is tried once', async (userInfo, message, count) => {
  const { server, open } = await tunnelled();
  server.refuse = () => 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\n\r\n';
  const watched = open(userInfo);
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({ reason: 'authentication', message, retryInMs: 30_000 });
  expect(server.requests).toHaveLength(count);
});

test.each([
  [
    '404',
    'HTTP/1.1 404 Not Found\r\n\r\n',
    'not-found',
    /no RTSP tunnel at this address .*404 Not Found/,
  ],
  ['503', 'HTTP/1.1 503 Busy\r\n\r\n', 'refused', /503 Busy/],
  ['no HTTP', '<html>no head at all</html>\r\n\r\n', 'protocol', /something else/],
  ['an endless head', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(4000)}`, 'protocol', /head below/],
])('an answer that is no tunnel: %s', async (_, answer, reason, message) => {
  const { server, open } = await tunnelled();
  server.refuse = () => answer;
  const watched = open();
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({ reason, message: expect.stringMatching(message) });
});

test('a web server that never answers is waited for no longer than the deadline', async () => {
  const { server, open } = await tunnelled();
  server.refuse = () => '';
  const watched = open();
  await eventually('the question', () => server.requests.length === 1);
  watched.clock.advance(10_000);
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({
    reason: 'timeout',
    message: expect.stringContaining('did not answer GET within 10000 ms'),
  });
});

test('a way out that the server closes is opened again for the next request', async () => {
  const { fake, server, open } = await tunnelled();
  const watched = open('', { stallMs: 1_000_000 });
  await eventually('the start', () => watched.starts.length === 1);
  server.posts[0]?.end();
  await eventually('a sign of life on a second POST', () => {
    watched.clock.advance(1000);
    return fake.methods.includes('GET_PARAMETER');
  });
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST']);
  expect(watched.ends).toEqual([]);
  await watched.stream.stop();
  expect(fake.methods.at(-1)).toBe('TEARDOWN');
});

test('a way in that closes ends the run', async () => {
  const { fake, open } = await tunnelled();
  const watched = open();
  await eventually('the start', () => watched.starts.length === 1);
  fake.client.socket.destroy();
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({ reason: 'closed-by-camera', retryInMs: 1000 });
});

test('the camera behind the tunnel is heard: redirects open a tunnel elsewhere', async () => {
  const first = await tunnelled();
  const second = await tunnelled();
  first.fake.handlers = {
    DESCRIBE: (request, client) =>
      client.answer(request, '302 Found', [`Location: ${second.url()}`]),
  };
  const watched = first.open();
  await eventually('the start', () => watched.starts.length === 1);
  await eventually('PLAY', () => second.fake.methods.at(-1) === 'PLAY');
  expect(second.server.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
});

test('tcp to a door that speaks HTTP goes on through the tunnel', async () => {
  const bench = await tunnelled();
  const watched = bench.open('', { transport: 'tcp' });
  await playsTwentyFrames(bench, watched);
  expect(bench.server.requests.map(({ method }) => method)).toEqual(['OPTIONS', 'GET', 'POST']);
});

test('a web server that is no camera at all is named so', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const watched = start(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({ reason: 'not-found' });
});
