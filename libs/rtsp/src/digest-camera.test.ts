// Passwords on real sockets: every kind of Digest, Basic, and nonces that grow stale while it plays.

import { createHash, randomBytes } from 'node:crypto';
import { eventually } from '#base/testing';
import { ended, testBench, type CameraRequest, type Handler } from './fake-camera.test-support.js';

const { camera, start } = testBench();
const METHODS = ['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'GET_PARAMETER', 'TEARDOWN'];

interface Kind {
  readonly algorithm?: string;
  readonly qop?: string;
  readonly opaque?: string;
}

/** Guards every method, checks every field as RFC 7616 asks, and counts what it let pass. */
class Guard {
  nonce = randomBytes(8).toString('hex');
  readonly passed: string[] = [];
  readonly #kind: Kind;
  #lastCount = 0;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  renew(): void {
    this.nonce = randomBytes(8).toString('hex');
    this.#lastCount = 0;
  }

  over(good: Readonly<Record<string, Handler>>): Record<string, Handler> {
    const guarded = METHODS.map((method): [string, Handler] => [
      method,
      (request, client) => {
        const verdict = this.#judge(request);
        if (verdict === 'right') {
          this.passed.push(method);
          good[method]?.(request, client);
          return;
        }
        const { algorithm, qop, opaque } = this.#kind;
        const fields = [
          `realm="IP Camera(12345)"`,
          `nonce="${this.nonce}"`,
          ...(qop === undefined ? [] : [`qop="${qop}"`]),
          ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
          ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
          `stale=${verdict === 'stale' ? 'TRUE' : 'FALSE'}`,
        ];
        client.answer(request, '401 Unauthorized', [
          `WWW-Authenticate: Digest ${fields.join(', ')}`,
        ]);
      },
    ]);
    return Object.fromEntries(guarded);
  }

  #judge({ method, url, headers }: CameraRequest): 'right' | 'wrong' | 'stale' {
    const header = headers.authorization ?? '';
    const field = (name: string) =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^, ]*))`).exec(header)?.slice(1).find(Boolean) ?? '';
    const { algorithm = 'MD5', qop, opaque } = this.#kind;
    const hash = (text: string) =>
      createHash(algorithm.startsWith('SHA-256') ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const nonce = field('nonce');
    let secret = hash('ad min:IP Camera(12345):pä:ss');
    if (algorithm.endsWith('-sess')) secret = hash(`${secret}:${nonce}:${field('cnonce')}`);
    const request = hash(`${method}:${url}`);
    const expected =
      qop === undefined
        ? hash(`${secret}:${nonce}:${request}`)
        : hash(`${secret}:${nonce}:${field('nc')}:${field('cnonce')}:auth:${request}`);
    if (field('response') !== expected || field('uri') !== url) return 'wrong';
    if (opaque !== undefined && field('opaque') !== opaque) return 'wrong';
    if (nonce !== this.nonce) return 'stale';
    if (qop !== undefined) {
      const count = Number.parseInt(field('nc'), 16);
      // A count that is not higher than the last is a replay.
      if (!(count > this.#lastCount)) return 'wrong';
      this.#lastCount = count;
    }
    return 'right';
  }
}

const good: Record<string, Handler> = {
  OPTIONS: (request, client) =>
    client.answer(request, '200 OK', ['Public: DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']),
  SETUP: (request, client) =>
    client.answer(request, '200 OK', [
      'Session: 9;timeout=20',
      'Transport: RTP/AVP/TCP;interleaved=0-1',
    ]),
  PLAY: (request, client) => client.answer(request),
  GET_PARAMETER: (request, client) => client.answer(request),
  TEARDOWN: (request, client) => client.answer(request),
};

test.each([
  ['MD5 without qop, as RFC 2069 had it', {}],
  ['MD5 with qop=auth', { qop: 'auth' }],
  [
    'MD5 with qop="auth,auth-int" and opaque',
    { qop: 'auth,auth-int', opaque: 'o p', algorithm: 'MD5' },
  ],
  ['MD5-sess', { algorithm: 'MD5-sess', qop: 'auth' }],
  ['SHA-256', { algorithm: 'SHA-256', qop: 'auth' }],
  ['SHA-256 without qop', { algorithm: 'SHA-256' }],
  ['SHA-256-sess', { algorithm: 'SHA-256-sess', qop: 'auth' }],
])('Digest %s, nonces that grow stale while it plays', async (_, kind) => {
  const guard = new Guard(kind);
  const fake = await camera();
  const describe = fake.defaultOf('DESCRIBE');
  fake.handlers = guard.over({ ...good, DESCRIBE: describe });
  const watched = start(fake.url('/x?y=1', 'ad%20min:p%C3%A4%3Ass'), { stallMs: 1_000_000 });
  await eventually('the start', () => watched.starts.length === 1);
  await eventually('PLAY', () => guard.passed.at(-1) === 'PLAY');
  for (let life = 1; life <= 3; life++) {
    guard.renew();
    await eventually('a sign of life with the new nonce', () => {
      watched.clock.advance(2500);
      return guard.passed.filter((method) => method === 'GET_PARAMETER').length >= life;
    });
  }
  await watched.stream.stop();
  expect(guard.passed.at(-1)).toBe('TEARDOWN');
  expect(watched.ends).toEqual([{ reason: 'stopped', message: 'the stream was stopped' }]);
});

test('Basic at every request', async () => {
  const fake = await camera();
  const expected = `Basic ${Buffer.from('u:p:q').toString('base64')}`;
  const guarded = Object.fromEntries(
    ['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN'].map((method): [string, Handler] => [
      method,
      (request, client) =>
        request.headers.authorization === expected
          ? fake.defaultOf(method)(request, client)
          : client.answer(request, '401 Unauthorized', ['WWW-Authenticate: Basic realm="x"']),
    ]),
  );
  fake.handlers = guarded;
  const watched = start(fake.url('/x', 'u:p%3Aq'));
  await eventually('the start', () => watched.starts.length === 1);
  await watched.stream.stop();
  expect(fake.methods).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN']);
});

test('a camera that calls every nonce stale is not asked for ever', async () => {
  const fake = await camera({
    DESCRIBE: (request, client) =>
      client.answer(request, '401 Unauthorized', [
        `WWW-Authenticate: Digest realm="r", nonce="${fake.requests.length}", stale=true`,
      ]),
  });
  const watched = start(fake.url('/x', 'u:p'));
  await ended(watched);
  expect(watched.ends[0]).toMatchObject({ reason: 'authentication', retryInMs: 30_000 });
  expect(fake.methods.filter((method) => method === 'DESCRIBE')).toHaveLength(3);
});
