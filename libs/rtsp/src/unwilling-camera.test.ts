// Cameras that refuse, mislead, babble or fall silent in the handshake: each ends with its reason.

import { createHash } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { eventually } from '#base/testing';
import {
  ended,
  H264_SDP,
  refuse,
  say,
  testBench,
  type Handler,
} from './fake-camera.test-support.js';
import { seeded } from './packets.test-support.js';
import type { StreamEndReason } from './stream-face.js';

const { camera, start } = testBench();

describe('passwords', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');

  /** Takes Digest with this user and password and the current nonce. */
  function digest(user: string, password: string) {
    const state = { nonce: 'n1', stale: '' };
    const guard =
      (then: Handler): Handler =>
      (request, client) => {
        const header = request.headers.authorization ?? '';
        const expected = md5(
          `${md5(`${user}:r:${password}`)}:${state.nonce}:${md5(`${request.method}:${request.url}`)}`,
        );
        if (header.includes(`response="${expected}"`)) return then(request, client);
        const challenge = `WWW-Authenticate: Digest realm="r", nonce="${state.nonce}"${state.stale}`;
        client.answer(request, '401 Unauthorized', [challenge]);
      };
    return { state, guard };
  }

  test('Digest, and a nonce that grew stale on the way', async () => {
    const { state, guard } = digest('ad:min'.replace(':', '@'), 'p:w');
    const fake = await camera();
    fake.handlers = {
      DESCRIBE: guard((request, client) => {
        Object.assign(state, { nonce: 'n2', stale: ', stale=true' });
        client.answer(request, '200 OK', [], H264_SDP);
      }),
      SETUP: guard((request, client) =>
        client.answer(request, '200 OK', ['Transport: RTP/AVP/TCP;interleaved=0-1']),
      ),
    };
    const { starts } = start(fake.url('/x', 'ad%40min:p%3Aw'));
    await eventually('the start', () => starts.length === 1);
    expect(fake.methods).toEqual(['OPTIONS', 'DESCRIBE', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
  });

  test('a wrong password is tried once, then seldom, and is in no message and no log line', async () => {
    const { guard } = digest('admin', 'right');
    const fake = await camera({ DESCRIBE: guard(refuse('200 OK')) });
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const watched = start(fake.url('/x', 'admin:hunter2'), { log });
    await ended(watched);
    expect(watched.ends[0]).toEqual({
      reason: 'authentication',
      message: 'the camera refuses this user and password',
      retryInMs: 30_000,
    });
    expect(fake.methods).toEqual(['OPTIONS', 'DESCRIBE', 'DESCRIBE']);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('') + JSON.stringify(watched.ends)).not.toContain('hunter2');
  });

  test('a camera that hangs up after its challenge is connected again', async () => {
    const challenge = ['WWW-Authenticate: Basic realm="x"', 'Connection: close'];
    const fake = await camera();
    fake.handlers = {
      OPTIONS: (request, client) => {
        if (request.headers.authorization !== undefined) return client.answer(request);
        client.answer(request, '401 Unauthorized', challenge);
        client.socket.end();
      },
    };
    const { starts } = start(fake.url('/x', 'u:p'));
    await eventually('the start', () => starts.length === 1);
    expect(fake.clients).toHaveLength(2);
    expect(fake.methods).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
  });

  test('a password is asked for and there is none', async () => {
    const fake = await camera({
      OPTIONS: refuse('401 Unauthorized', ['WWW-Authenticate: Basic realm="x"']),
    });
    const watched = start(fake.url());
    await ended(watched);
    expect(watched.ends[0]?.message).toBe('the camera asks for a user and a password');
  });

  test('is not carried to another host by a redirect, but is kept on the same', async () => {
    const other = await camera();
    for (const [host, carried] of [
      ['localhost', false],
      ['127.0.0.1', true],
    ] as const) {
      const before = other.requests.length;
      const fake = await camera({
        DESCRIBE: (request, client) =>
          request.headers.authorization === undefined
            ? client.answer(request, '401 Unauthorized', ['WWW-Authenticate: Basic realm="x"'])
            : client.answer(request, '302 Found', [`Location: rtsp://${host}:${other.port}/y`]),
      });
      other.handlers = {
        DESCRIBE: (request, client) =>
          request.headers.authorization === undefined
            ? client.answer(request, '401 Unauthorized', ['WWW-Authenticate: Basic realm="x"'])
            : client.answer(request, '404 Not Found'),
      };
      const watched = start(fake.url('/x', 'u:p'));
      await ended(watched);
      expect(watched.ends[0]?.reason).toBe(carried ? 'not-found' : 'authentication');
      expect(other.requests.slice(before).some(({ headers }) => headers.authorization)).toBe(
        carried,
      );
    }
  });
});

describe('a camera that says no', () => {
  const jpeg = H264_SDP.replace('RTP/AVP 96', 'RTP/AVP 26').replace(/a=rtpmap.*\r\n/, '');
  const cases: [
    what: string,
    handlers: Record<string, Handler>,
    reason: StreamEndReason,
    message: RegExp,
  ][] = [
    [
      '404',
      { DESCRIBE: refuse('404 Not Found') },
      'not-found',
      /no stream at this path \(404 Not Found\)/,
    ],
    ['403', { DESCRIBE: refuse('403 Forbidden') }, 'authentication', /forbids/],
    [
      '503',
      { DESCRIBE: refuse('503 Service Unavailable') },
      'refused',
      /answered DESCRIBE with 503/,
    ],
    ['461', { SETUP: refuse('461 Unsupported Transport') }, 'unsupported-stream', /over TCP/],
    ['453 to PLAY', { PLAY: refuse('453 Not Enough Bandwidth') }, 'refused', /PLAY with 453/],
    [
      'JPEG',
      { DESCRIBE: (request, client) => client.answer(request, '200 OK', [], jpeg) },
      'unsupported-stream',
      /^the camera sends JPEG; Nightjar records H.264 and H.265$/,
    ],
    [
      'interleaved H.264',
      {
        DESCRIBE: (request, client) =>
          client.answer(request, '200 OK', [], H264_SDP.replace('mode=1', 'mode=2')),
      },
      'unsupported-stream',
      /packetization-mode 2/,
    ],
    [
      'no SDP',
      { DESCRIBE: (request, client) => client.answer(request, '200 OK', [], '<html>') },
      'protocol',
      /session description/,
    ],
    [
      'UDP instead of TCP',
      { SETUP: refuse('200 OK', ['Transport: RTP/AVP;unicast;server_port=1-2']) },
      'unsupported-stream',
      /over TCP, found UDP/,
    ],
    [
      'impossible channels',
      { SETUP: refuse('200 OK', ['Transport: RTP/AVP/TCP;interleaved=999-1000']) },
      'protocol',
      /channels/,
    ],
    ['a redirect to nowhere', { DESCRIBE: refuse('301 Moved') }, 'protocol', /no rtsp/],
    [
      'a redirect to the web',
      { DESCRIBE: refuse('302 Found', ['Location: http://127.0.0.1/']) },
      'protocol',
      /no rtsp/,
    ],
    [
      'TEARDOWN of its own',
      { PLAY: say('TEARDOWN x RTSP/1.0\r\nCSeq: 1\r\n\r\n') },
      'closed-by-camera',
      /TEARDOWN/,
    ],
    [
      'an endless head',
      { DESCRIBE: say(`RTSP/1.0 200 OK\r\n${'X: yyyyyyyy\r\n'.repeat(5000)}`) },
      'protocol',
      /head/,
    ],
    [
      'an endless line',
      { DESCRIBE: say(`RTSP/1.0 200 ${'x'.repeat(500_000)}`) },
      'protocol',
      /neither media/,
    ],
    [
      'a body too large',
      { DESCRIBE: say('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 999999999\r\n\r\n') },
      'protocol',
      /content-length/,
    ],
    [
      'a negative body',
      { DESCRIBE: say('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: -5\r\n\r\n') },
      'protocol',
      /content-length/,
    ],
    [
      'rubbish without end',
      { DESCRIBE: (_, client) => client.write(Buffer.alloc(300_000, 0xfe)) },
      'protocol',
      /neither media/,
    ],
  ];

  test.each(cases)('%s', async (_, handlers, reason, message) => {
    const fake = await camera(handlers);
    const watched = start(fake.url());
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(watched.ends[0]?.retryInMs).toBeGreaterThan(0);
    expect(watched.stream.counters.disconnects).toEqual({ [reason]: 1 });
    expect(watched.starts).toEqual([]);
  });

  test('endless redirects', async () => {
    const fake = await camera();
    fake.handlers = {
      DESCRIBE: (request, client) =>
        client.answer(request, '302 Found', [`Location: ${fake.url(`/${fake.requests.length}`)}`]),
    };
    const watched = start(fake.url());
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({
      reason: 'protocol',
      message: expect.stringMatching(/redirects more than/),
    });
    expect(fake.clients).toHaveLength(6);
  });

  test('one redirect is followed', async () => {
    const target = await camera();
    const fake = await camera({
      DESCRIBE: (request, client) =>
        client.answer(request, '301 Moved Permanently', [`Location: ${target.url('/new')}`]),
    });
    const { starts } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    expect(target.methods).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY']);
  });

  test('nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const watched = start(`rtsp://127.0.0.1:${port}/`);
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({ reason: 'refused', retryInMs: 1000 });
  });

  test.each(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY'])('hangs up at %s', async (method) => {
    const fake = await camera({ [method]: (_, client) => client.socket.destroy() });
    const watched = start(fake.url());
    await ended(watched);
    expect(watched.ends[0]?.reason).toBe('closed-by-camera');
  });

  test.each(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY'])('never answers %s', async (method) => {
    const fake = await camera({ [method]: () => undefined });
    const watched = start(fake.url());
    await eventually('the question', () => fake.methods.at(-1) === method);
    watched.clock.advance(9999);
    expect(watched.ends).toEqual([]);
    watched.clock.advance(1);
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining(`did not answer ${method} within 10000 ms`),
    });
  });
});

describe('a camera that speaks oddly', () => {
  test('answers with a wrong CSeq are none', async () => {
    const fake = await camera({
      DESCRIBE: (request, client) =>
        client.answer({ ...request, headers: { cseq: '77' } }, '404 Not Found'),
    });
    const watched = start(fake.url());
    await eventually('DESCRIBE', () => fake.methods.at(-1) === 'DESCRIBE');
    await eventually('the end', () => {
      watched.clock.advance(2000);
      return watched.ends.length > 0;
    });
    expect(watched.ends[0]?.reason).toBe('timeout');
  });

  test('answers without CSeq, interim answers, rubbish and early packets are taken', async () => {
    const fake = await camera({
      OPTIONS: say('\r\n\r\nboot...\r\nRTSP/1.0 200 OK\r\n\r\n'),
      DESCRIBE: (request, client) => {
        client.packet(0, Buffer.alloc(1500, 1));
        client.packet(9, Buffer.from('$$$$'));
        client.answer(request, '100 Continue');
        client.answer(request, '200 OK', [], H264_SDP);
      },
    });
    const { starts } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
  });

  test('packets before the answer to PLAY are not lost', async () => {
    const fake = await camera({
      PLAY: (request, client) => {
        client.frame(true);
        client.frame(false);
        client.answer(request);
        client.frame(false);
      },
    });
    const { sink, starts } = start(fake.url());
    await eventually('the frames', () => sink.frames.length === 3);
    expect(starts).toHaveLength(1);
  });

  test('other channels than asked for are used, and strange ones passed over', async () => {
    const fake = await camera({
      SETUP: refuse('200 OK', ['Transport: RTP/AVP/TCP;unicast;interleaved=6-7', 'Session: x']),
    });
    const { sink, starts, stream } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    for (const channel of [0, 1, 2, 200, 255]) fake.client.frame(true, channel);
    fake.client.frame(true, 6);
    await eventually('the frame', () => sink.frames.length === 1);
    expect(stream.counters.packets).toBe(1);
  });

  test('it asks us, and is answered', async () => {
    const fake = await camera();
    const { starts } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    let text = '';
    fake.client.socket.on('data', (chunk) => (text += chunk.toString()));
    fake.client.write(
      'OPTIONS * RTSP/1.0\r\nCSeq: 42\r\n\r\nPLAY_NOTIFY * RTSP/1.0\r\nCSeq: 43\r\n\r\n',
    );
    await eventually('both answers', () => text.includes('CSeq: 43'));
    expect(text).toMatch(/^RTSP\/1.0 200 OK\r\nCSeq: 42\r\n/);
    expect(text).toContain('RTSP/1.0 501 Not Implemented\r\nCSeq: 43');
  });

  test('mutated handshakes end or play, and nothing else', async () => {
    const random = seeded(99);
    const fake = await camera();
    const mutate = (text: string) => {
      const bytes = Buffer.from(text, 'latin1');
      for (let flips = random(8); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      return random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    };
    const mutated =
      (headers: readonly string[], body = ''): Handler =>
      (request, client) => {
        const head = [
          `CSeq: ${request.headers.cseq}`,
          ...headers,
          `Content-Length: ${body.length}`,
        ];
        client.write(mutate(`RTSP/1.0 200 OK\r\n${head.join('\r\n')}\r\n\r\n${body}`));
        if (random(4) === 0) client.write(mutate('$\x00\x00\x04abcd'));
      };
    fake.handlers = {
      OPTIONS: mutated(['Public: GET_PARAMETER']),
      DESCRIBE: mutated(['Content-Base: rtsp://x/'], H264_SDP),
      SETUP: mutated(['Session: 1;timeout=60', 'Transport: RTP/AVP/TCP;interleaved=0-1']),
      PLAY: mutated(['Session: 1']),
    };
    for (let round = 0; round < 40; round++) {
      const watched = start(fake.url());
      await eventually('a start or an end', () => {
        watched.clock.advance(4000);
        return watched.starts.length + watched.ends.length > 0;
      });
      const stopped = watched.stream.stop();
      watched.clock.advance(2000);
      await stopped;
      for (const end of watched.ends) expect(end.message).toMatch(/^.{5,300}$/);
    }
  });
});
