// A camera's stream from connecting to goodbye, with cameras that do it right and wrong.

import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { silentLog, systemClock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { FakeCamera, H264_SDP, watch, type Handler } from './fake-camera.test-support.js';
import { H264_LARGE_SPS, H264_PPS, packetize, seeded, slice } from './packets.test-support.js';
import type { StreamEndReason, StreamOptions } from './stream-face.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function camera(handlers: Readonly<Record<string, Handler>> = {}): Promise<FakeCamera> {
  const started = await FakeCamera.start(handlers);
  cleanups.push(() => started.close());
  return started;
}

function start(url: string, options: Partial<StreamOptions> = {}) {
  const clock = (options.clock ?? new FakeClock()) as FakeClock;
  const log = silentLog();
  const backoff = { firstMs: 1000, capMs: 30_000, random: () => 0.999 };
  const watched = watch({ url, transport: 'tcp', log, backoff, ...options, clock });
  cleanups.push(() => {
    const stopped = watched.stream.stop();
    // A camera that answers no TEARDOWN is waited for by this clock.
    if (clock instanceof FakeClock) clock.advance(60_000);
    return stopped;
  });
  watched.stream.start();
  return { ...watched, clock };
}

const ended = (watched: ReturnType<typeof start>, count = 1) =>
  eventually('the end', () => watched.ends.length >= count);

const refuse =
  (status: string, headers: readonly string[] = []): Handler =>
  (request, client) =>
    client.answer(request, status, headers);

const say =
  (text: string): Handler =>
  (_, client) =>
    client.write(text);

describe('a camera that does everything right', () => {
  test('is asked in order, plays, and is told goodbye', async () => {
    const fake = await camera();
    const watched = start(fake.url('/live?channel=1'));
    const { starts, sink, stream, ends } = watched;
    await eventually('the start', () => starts.length === 1);
    expect(starts[0]).toMatchObject({
      server: 'fake',
      audio: 'PCMA',
      format: { codec: 'h264', width: 640, height: 360 },
    });
    fake.client.frame(true);
    fake.client.frame(false);
    await eventually('two frames', () => sink.frames.length === 2);
    expect(sink.log).toEqual(['frame 3', 'frame 1']);
    await stream.stop();
    expect(ends).toEqual([{ reason: 'stopped', message: 'the stream was stopped' }]);
    const base = `rtsp://127.0.0.1:${fake.port}/live?channel=1`;
    expect(fake.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `OPTIONS ${base}`,
      `DESCRIBE ${base}`,
      `SETUP ${base}/trackID=1`,
      `PLAY ${base}/`,
      `TEARDOWN ${base}/`,
    ]);
    expect(fake.requests.map(({ headers }) => headers.cseq)).toEqual(['1', '2', '3', '4', '5']);
    expect(fake.requests.slice(3).map(({ headers }) => headers.session)).toEqual([
      '12345',
      '12345',
    ]);
    expect(stream.counters).toMatchObject({ frames: 2, packets: 2, connects: 1, dropped: {} });
    expect(stream.counters.disconnects).toEqual({ stopped: 1 });
  });

  test('a picture cut off by the end is taken back', async () => {
    const fake = await camera();
    const { sink, stream, starts } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    const [first] = packetize([slice('h264', true, 3000, 1)]) as [Buffer];
    fake.client.packet(0, first);
    await eventually('the packet', () => stream.counters.packets === 1);
    await stream.stop();
    expect(sink.log).toEqual(['packet-lost']);
    expect(stream.counters.dropped).toEqual({});
  });

  test('new parameter sets in band are announced', async () => {
    const fake = await camera();
    const { formats, starts, sink } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    const units = [H264_LARGE_SPS, H264_PPS, slice('h264', true, 100, 1)];
    for (const packet of packetize(units)) fake.client.packet(0, packet);
    await eventually('the frame', () => sink.frames.length === 1);
    expect(formats.map(({ width }) => width)).toEqual([1920]);
  });

  test('sender reports tell its clock, and goodbye ends the run', async () => {
    const fake = await camera();
    const watched = start(fake.url(), { clock: new FakeClock(Date.UTC(2026, 0, 1)) });
    await eventually('the start', () => watched.starts.length === 1);
    const report = Buffer.alloc(28);
    report.writeUInt32BE(0x80c80006, 0);
    report.writeUInt32BE(3_976_214_407, 8);
    fake.client.packet(1, report);
    fake.client.packet(1, Buffer.from('80c9000100000001' + '81cb000100000001', 'hex'));
    await ended(watched);
    expect(watched.clocks).toEqual([7000]);
    expect(watched.ends[0]).toMatchObject({ reason: 'closed-by-camera', retryInMs: 1000 });
  });

  test('resting reads lose nothing', async () => {
    const fake = await camera();
    const { sink, starts } = start(fake.url(), { clock: systemClock, readPauseMs: 20 });
    await eventually('the start', () => starts.length === 1);
    for (let frame = 0; frame < 200; frame++) fake.client.frame(frame % 50 === 0);
    await eventually('the frames', () => sink.frames.length === 200);
    expect(sink.dropped).toEqual([]);
  });

  test('many cameras share one read buffer without mixing', async () => {
    const fake = await camera();
    const streams = Array.from({ length: 12 }, (_, index) => start(fake.url(`/${index}`)));
    await eventually('all starts', () => streams.every(({ starts }) => starts.length === 1));
    for (let frame = 0; frame < 40; frame++) {
      for (const client of fake.clients) client.frame(frame % 10 === 0);
    }
    await eventually('all frames', () => streams.every(({ sink }) => sink.frames.length === 40));
    const [first] = streams;
    for (const { sink } of streams) expect(sink.frames).toEqual(first?.sink.frames);
  });
});

describe('the session is kept alive', () => {
  test('by GET_PARAMETER at half its timeout, by OPTIONS where that is not known', async () => {
    const fake = await camera({ GET_PARAMETER: refuse('405 Method Not Allowed') });
    const { clock, starts } = start(fake.url(), { stallMs: 1_000_000 });
    await eventually('the start', () => starts.length === 1);
    await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
    for (const method of ['GET_PARAMETER', 'OPTIONS', 'OPTIONS']) {
      const before = fake.requests.length;
      await eventually('a sign of life', () => {
        if (fake.requests.length === before) clock.advance(10_000);
        return fake.requests.length > before;
      });
      expect(fake.methods.at(-1)).toBe(method);
      expect(fake.requests.at(-1)?.headers.session).toBe('12345');
    }
  });

  test('a camera that forgot the session is connected anew', async () => {
    const fake = await camera({ GET_PARAMETER: refuse('454 Session Not Found') });
    const watched = start(fake.url(), { stallMs: 1_000_000 });
    await eventually('the start', () => watched.starts.length === 1);
    await eventually('the end', () => {
      watched.clock.advance(10_000);
      return watched.ends.length > 0;
    });
    expect(watched.ends[0]?.reason).toBe('closed-by-camera');
  });

  test('a camera that answers no sign of life but sends pictures is left alone', async () => {
    const fake = await camera({ GET_PARAMETER: () => undefined, OPTIONS: GOOD_ONCE() });
    const watched = start(fake.url());
    await eventually('the start', () => watched.starts.length === 1);
    for (let second = 0; second < 60; second++) {
      fake.client.frame(second === 0);
      await eventually('the frame', () => watched.sink.frames.length > second);
      watched.clock.advance(1000);
    }
    expect(watched.ends).toEqual([]);
  });
});

/** Answers the handshake's OPTIONS only. */
function GOOD_ONCE(): Handler {
  let asked = false;
  return (request, client) => {
    if (!asked) client.answer(request, '200 OK', ['Public: GET_PARAMETER']);
    asked = true;
  };
}

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

describe('a run that goes wrong', () => {
  test('a camera that falls silent has stalled', async () => {
    const fake = await camera();
    const watched = start(fake.url(), { stallMs: 5000 });
    await eventually('the start', () => watched.starts.length === 1);
    fake.client.frame(true);
    await eventually('the frame', () => watched.sink.frames.length === 1);
    for (let step = 0; step < 4; step++) watched.clock.advance(1000);
    expect(watched.ends).toEqual([]);
    watched.clock.advance(2500);
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({
      reason: 'stalled',
      message: 'the camera sent no whole frame for 5000 ms',
      retryInMs: 1000,
    });
    expect(fake.methods.at(-1)).toBe('TEARDOWN');
  });

  test('packets that make no frame are no sign of life', async () => {
    const fake = await camera();
    const watched = start(fake.url());
    await eventually('the start', () => watched.starts.length === 1);
    for (let second = 0; second < 12; second++) {
      fake.client.packet(0, Buffer.alloc(100));
      const { counters } = watched.stream;
      await eventually('it', () => counters.malformedPackets > second || watched.ends.length > 0);
      watched.clock.advance(1000);
    }
    await ended(watched);
    expect(watched.ends[0]?.reason).toBe('stalled');
    expect(watched.stream.counters.malformedPackets).toBeGreaterThan(8);
  });

  test('pauses grow up to their cap and are short again after a healthy run', async () => {
    const fake = await camera({ DESCRIBE: refuse('503 Busy') });
    const watched = start(fake.url());
    const pauses: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 7; attempt++) {
      await ended(watched, attempt);
      pauses.push(watched.ends.at(-1)?.retryInMs);
      if (attempt === 7) fake.handlers = {};
      watched.clock.advance(watched.ends.at(-1)?.retryInMs ?? 0);
    }
    expect(pauses).toEqual([1000, 1999, 3998, 7996, 15_992, 29_985, 29_985]);
    await eventually('the start', () => watched.starts.length === 1);
    fake.client.frame(true);
    await eventually('the frame', () => watched.sink.frames.length === 1);
    for (let second = 0; second < 10; second++) watched.clock.advance(999);
    fake.client.frame(false);
    await eventually('the frame', () => watched.sink.frames.length === 2);
    watched.clock.advance(999);
    fake.client.socket.destroy();
    await ended(watched, 8);
    expect(watched.ends.at(-1)).toMatchObject({ reason: 'closed-by-camera', retryInMs: 1000 });
    expect(watched.stream.counters).toMatchObject({
      connects: 1,
      disconnects: { refused: 7, 'closed-by-camera': 1 },
    });
  });

  test.each(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY'])('it can be stopped at %s', async (method) => {
    const fake = await camera({ [method]: () => undefined });
    const watched = start(fake.url());
    await eventually('the question', () => fake.methods.at(-1) === method);
    await watched.stream.stop();
    expect(watched.ends).toEqual([{ reason: 'stopped', message: 'the stream was stopped' }]);
  });

  test('stopped between two attempts it stays so, without another word', async () => {
    const fake = await camera({ DESCRIBE: refuse('503 Busy') });
    const watched = start(fake.url());
    await ended(watched);
    await watched.stream.stop();
    watched.clock.advance(100_000);
    expect(watched.ends).toHaveLength(1);
    expect(fake.clients).toHaveLength(1);
  });
});

describe('UDP', () => {
  test('packets out of order come in order; strangers are not heard', async () => {
    const sender = createSocket('udp4');
    const stranger = createSocket('udp4');
    cleanups.push(
      () => sender.close(),
      () => stranger.close(),
    );
    await new Promise<void>((resolve) => sender.bind(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.2', resolve));
    let port = 0;
    const fake = await camera({
      SETUP: (request, client) => {
        port = Number(/client_port=(\d+)-/.exec(request.headers.transport ?? '')?.[1]);
        client.answer(request, '200 OK', [
          `Transport: ${request.headers.transport};server_port=${sender.address().port}-1`,
          'Session: 7',
        ]);
      },
    });
    const { sink, starts, stream } = start(fake.url(), { transport: 'udp' });
    await eventually('the start', () => starts.length === 1);
    expect(port % 2).toBe(0);
    const frames = [0, 1, 2, 3].map((index) =>
      packetize([slice('h264', index === 0, 1500, index)], {
        sequence: index * 2,
        timestamp: index * 3600,
      }),
    );
    const packets = frames.flat();
    stranger.send(packets[0] as Buffer, port, '127.0.0.1');
    await new Promise<void>((resolve) =>
      stranger.send(packets[1] as Buffer, port, '127.0.0.1', () => resolve()),
    );
    for (const index of [0, 2, 1, 4, 3, 6, 5, 7])
      sender.send(packets[index] as Buffer, port, '127.0.0.1');
    await eventually('the frames', () => sink.frames.length === 4);
    expect(stream.counters).toMatchObject({ lostPackets: 0, packets: 8, dropped: {} });
    expect(sink.frames.map(({ pts90k }) => pts90k)).toEqual([0, 3600, 7200, 10_800]);
  });

  test('a camera that grants TCP only says so', async () => {
    const fake = await camera({ SETUP: refuse('461 Unsupported Transport') });
    const watched = start(fake.url(), { transport: 'udp' });
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({
      reason: 'unsupported-stream',
      message: 'the camera does not send over UDP (461 Unsupported Transport)',
    });
  });
});

describe('a URL that is none', () => {
  test('is refused at once, and without its password', () => {
    for (const url of ['http://u:secret@cam/', 'rtsp://u:secret@/']) {
      expect(() => start(url)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
      expect(() => start(url)).not.toThrow(/secret/);
    }
  });
});
