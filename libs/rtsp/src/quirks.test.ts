// What cameras do that no standard says, on real sockets: URLs, sets, clocks, counters, packets.

import { createServer, type AddressInfo } from 'node:net';
import { eventually, FakeClock } from '#base/testing';
import {
  ended,
  H264_SDP,
  refuse,
  testBench,
  type FakeCamera,
  type Handler,
} from './fake-camera.test-support.js';
import {
  H264_LARGE_SPS,
  H264_PPS,
  H264_SPS,
  hex,
  packetize,
  rtpPacket,
  slice,
} from './packets.test-support.js';

const { camera, start, cleanups } = testBench();

function describes(headers: (url: string) => readonly string[], body = H264_SDP): Handler {
  return (request, client) => client.answer(request, '200 OK', headers(request.url), body);
}

/** Starts a stream of the camera and waits until it plays. */
async function playing(fake: FakeCamera, path = '/stream') {
  const watched = start(fake.url(path), { stallMs: 1_000_000 });
  await eventually('the start', () => watched.starts.length === 1);
  await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
  const send = (packets: readonly Buffer[]) => {
    for (const packet of packets) fake.client.packet(0, packet);
  };
  const framesAre = (count: number) =>
    eventually(`${count} frames`, () => watched.sink.frames.length === count);
  return { ...watched, send, framesAre };
}

describe('control URLs', () => {
  const sdp = (session: string, media: string) =>
    H264_SDP.replace('a=control:*', session).replace('a=control:trackID=1', media);
  const cases: [what: string, handler: Handler, setup: string, play: string][] = [
    [
      'Content-Base with a slash, relative control',
      describes((url) => [`Content-Base: ${url}/`]),
      '/live?channel=1/trackID=1',
      '/live?channel=1/',
    ],
    [
      'Content-Location without a slash',
      describes((url) => [`Content-Location: ${url}`]),
      '/live?channel=1/trackID=1',
      '/live?channel=1',
    ],
    ['neither of them', describes(() => []), '/live?channel=1/trackID=1', '/live?channel=1'],
    [
      'a Content-Base that is no URL',
      describes(() => ['Content-Base: /live/']),
      '/live?channel=1/trackID=1',
      '/live?channel=1',
    ],
    [
      'no control at all',
      describes(() => [], sdp('a=range:npt=now-', 'a=recvonly')),
      '/live?channel=1',
      '/live?channel=1',
    ],
    [
      'a star for the media too',
      describes(() => [], sdp('a=control:*', 'a=control:*')),
      '/live?channel=1',
      '/live?channel=1',
    ],
    [
      'a control from the root',
      describes(() => [], sdp('a=control:*', 'a=control:/media/1/video')),
      '/media/1/video',
      '/live?channel=1',
    ],
    [
      'a query in the control',
      describes(() => [], sdp('a=control:*', 'a=control:track1?type=video&token=a%20b')),
      '/live?channel=1/track1?type=video&token=a%20b',
      '/live?channel=1',
    ],
    [
      'absolute ones, with a password that is not ours to repeat',
      (request, client) => {
        const root = request.url.replace(/\/live.*$/, '');
        const secret = root.replace('://', '://who:secret@');
        const body = sdp(`a=control:${root}/agg/`, `a=control:${secret}/agg/video?x=1`);
        client.answer(request, '200 OK', [`Content-Base: ${root}/elsewhere/`], body);
      },
      '/agg/video?x=1',
      '/agg/',
    ],
  ];

  test.each(cases)('%s', async (_, handler, setup, play) => {
    const fake = await camera({ DESCRIBE: handler });
    await playing(fake, '/live?channel=1');
    const root = `rtsp://127.0.0.1:${fake.port}`;
    expect(fake.requests.slice(2).map(({ method, url }) => `${method} ${url}`)).toEqual([
      `SETUP ${root}${setup}`,
      `PLAY ${root}${play}`,
    ]);
  });
});

describe('sessions', () => {
  test.each([
    ['OPTIONS, where GET_PARAMETER is not announced', 'OPTIONS, DESCRIBE, SETUP, PLAY', 'OPTIONS'],
    ['GET_PARAMETER, where it is', 'DESCRIBE, GET_PARAMETER', 'GET_PARAMETER'],
    ['GET_PARAMETER, where nothing is', '', 'GET_PARAMETER'],
  ])('are kept alive by %s', async (_, methods, expected) => {
    const fake = await camera({
      OPTIONS: refuse('200 OK', methods === '' ? [] : [`Public: ${methods}`]),
    });
    const { clock } = await playing(fake);
    const before = fake.requests.length;
    await eventually('a sign of life', () => {
      if (fake.requests.length === before) clock.advance(1000);
      return fake.requests.length > before;
    });
    expect(fake.methods.at(-1)).toBe(expected);
  });

  test.each([
    ['Session: 77;timeout=6', 3000],
    ['Session: 77 ; timeout = 6', 3000],
    ['Session: 77;timeout=0', 30_000],
    ['Session: 77', 30_000],
    ['Session: 77;timeout=3600', 30_000],
  ])('%s is kept alive in time', async (header, dueMs) => {
    const fake = await camera({
      SETUP: refuse('200 OK', [header, 'Transport: RTP/AVP/TCP;interleaved=0-1']),
    });
    const watched = start(fake.url(), { stallMs: 1_000_000 });
    await eventually('the start', () => watched.starts.length === 1);
    await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
    // The answer to PLAY must be back before its clock begins to run.
    await new Promise((resolve) => setTimeout(resolve, 50));
    watched.clock.advance(dueMs - 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fake.methods.at(-1)).toBe('PLAY');
    watched.clock.advance(1);
    await eventually('a sign of life', () => fake.methods.at(-1) === 'GET_PARAMETER');
    expect(fake.requests.at(-1)?.headers.session).toBe('77');
  });

  test.each(['301 Moved Permanently', '302 Found', '303 See Other', '307 Temporary Redirect'])(
    '%s is followed, to a path with a query on the same port',
    async (status) => {
      const fake = await camera();
      fake.handlers = {
        DESCRIBE: (request, client) =>
          request.url.endsWith('/new?y=2')
            ? fake.defaultOf('DESCRIBE')(request, client)
            : client.answer(request, status, [`Location: ${fake.url('/new?y=2')}`]),
      };
      await playing(fake, '/old');
      expect(fake.requests.at(-2)?.url).toBe(`${fake.url('/new?y=2')}/trackID=1`);
    },
  );

  test('an answer in two halves, with the first packets in the second', async () => {
    const fake = await camera();
    fake.handlers = {
      PLAY: (request, client) => {
        const text = `RTSP/1.0 200 OK\r\nCSeq: ${request.headers.cseq}\r\nSession: 1\r\n\r\n`;
        client.write(text.slice(0, 20));
        setImmediate(() => {
          client.write(text.slice(20));
          client.frame(true);
        });
      },
    };
    const watched = start(fake.url());
    await eventually('the frame', () => watched.sink.frames.length === 1);
  });
});

describe('parameter sets', () => {
  const without = H264_SDP.replace(/;sprop-parameter-sets=[^\r]*/, '');

  test('missing in the description: the run begins with those in band', async () => {
    const fake = await camera({ DESCRIBE: describes(() => [], without) });
    const watched = start(fake.url());
    await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
    const units = [slice('h264', true, 100, 1), slice('h264', false, 100, 2)];
    const packets = [
      ...packetize([units[0] ?? H264_PPS], { sequence: 0, timestamp: 0 }),
      ...packetize([H264_SPS, H264_PPS, slice('h264', true, 100, 3)], {
        sequence: 1,
        timestamp: 3600,
      }),
    ];
    for (const packet of packets) fake.client.packet(0, packet);
    await eventually('the frame', () => watched.sink.frames.length === 1);
    expect(watched.starts.map(({ format }) => format.width)).toEqual([640]);
    expect(watched.stream.counters.dropped).toEqual({ 'before-parameter-sets': 1 });
  });

  test('wrong in the description: those in band count', async () => {
    const wrong = H264_SDP.replace(/sprop-parameter-sets=[^\r]*/, 'sprop-parameter-sets=AAAA,!!!');
    const fake = await camera({ DESCRIBE: describes(() => [], wrong) });
    const watched = start(fake.url());
    await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
    for (const packet of packetize([H264_SPS, H264_PPS, slice('h264', true, 100, 3)])) {
      fake.client.packet(0, packet);
    }
    await eventually('the frame', () => watched.sink.frames.length === 1);
    expect(watched.starts[0]?.format.width).toBe(640);
  });

  test('that change to and fro while it plays: each change is told before its key frame', async () => {
    const fake = await camera();
    const { send, framesAre, formats, sink } = await playing(fake);
    for (const [index, sps] of [H264_LARGE_SPS, H264_SPS, H264_LARGE_SPS].entries()) {
      const units = [sps, H264_PPS, slice('h264', true, 100, index)];
      send(packetize(units, { sequence: index * 3, timestamp: index * 3600 }));
    }
    await framesAre(3);
    expect(formats.map(({ width }) => width)).toEqual([1920, 640, 1920]);
    expect(sink.frames[1]?.units.slice(0, 2)).toEqual(hex(H264_SPS, H264_PPS));
  });
});

describe('clocks', () => {
  test('timestamps that jump ahead, back, and come as zero cost no frame', async () => {
    const fake = await camera();
    const { send, framesAre, sink, stream } = await playing(fake);
    const stamps = [0, 3600, 2_000_000_000, 2_000_003_600, 7200, 10_800, 0, 3600];
    for (const [sequence, timestamp] of stamps.entries()) {
      send(packetize([slice('h264', sequence === 0, 100, sequence)], { sequence, timestamp }));
    }
    await framesAre(stamps.length);
    const times = sink.frames.map(({ pts90k }) => pts90k);
    times.slice(1).forEach((time, index) => {
      const step = time - (times[index] ?? 0);
      // A jump back of less than 2 s may be reordering and is kept; no other step leaves its place.
      expect(Math.abs(step)).toBeLessThan(90_000);
    });
    expect(stream.counters).toMatchObject({ clockJumps: 2, lostPackets: 0 });
  });

  test('sequence numbers and timestamps wrap in the middle of a frame', async () => {
    const fake = await camera();
    const { send, framesAre, sink, stream } = await playing(fake);
    let sequence = 65_530;
    for (let frame = 0; frame < 6; frame++) {
      const timestamp = (4_294_960_000 + frame * 3600) % 2 ** 32;
      const packets = packetize([slice('h264', frame === 0, 5000, frame)], { sequence, timestamp });
      sequence += packets.length;
      send(packets);
    }
    await framesAre(6);
    const times = sink.frames.map(({ pts90k }) => pts90k);
    expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual(
      Array.from({ length: 5 }, () => 3600),
    );
    expect(stream.counters).toMatchObject({ clockJumps: 0, lostPackets: 0, dropped: {} });
  });

  /** NTP seconds of a date, in the era that it falls into. */
  const ntp = (unixMs: number) => (Math.floor(unixMs / 1000) + 2_208_988_800) % 2 ** 32;
  const year = 365.25 * 24 * 3600 * 1000;
  test.each([
    ['1970', Date.UTC(1970, 0, 1, 0, 0, 30), -56],
    ['2000', Date.UTC(2000, 0, 1), -26],
    ['2036, one second before NTP wraps', Date.UTC(2036, 1, 7, 6, 28, 15), 10],
    ['2036, one second after', Date.UTC(2036, 1, 7, 6, 28, 17), 10],
    ['2099', Date.UTC(2099, 11, 31), 74],
  ])('a camera that lives in %s is told so, and its pictures are as good', async (_, at, years) => {
    const fake = await camera();
    const nowMs = Date.UTC(2026, 0, 1);
    const watched = start(fake.url(), { clock: new FakeClock(nowMs) });
    await eventually('the start', () => watched.starts.length === 1);
    fake.client.frame(true);
    const report = Buffer.alloc(28);
    report.writeUInt32BE(0x80c80006, 0);
    report.writeUInt32BE(ntp(at), 8);
    fake.client.packet(1, report);
    fake.client.frame(false);
    await eventually('both frames', () => watched.sink.frames.length === 2);
    expect(watched.clocks).toHaveLength(1);
    expect(watched.clocks[0]).toBe(at - nowMs);
    expect(Math.round((watched.clocks[0] ?? 0) / year)).toBe(years);
    expect(watched.sink.frames.map(({ pts90k }) => pts90k)).toEqual([0, 3600]);
  });

  test('sender reports that lie, disagree or end in the middle move no frame', async () => {
    const fake = await camera();
    const { sink, framesAre, clocks, stream, ends } = await playing(fake);
    const report = (seconds: number, rtpTime: number) => {
      const bytes = Buffer.alloc(28);
      bytes.writeUInt32BE(0x80c80006, 0);
      bytes.writeUInt32BE(seconds, 8);
      bytes.writeUInt32BE(rtpTime, 16);
      return bytes;
    };
    for (let frame = 0; frame < 20; frame++) {
      fake.client.frame(frame === 0);
      const lie = frame % 2 === 0 ? 3_976_214_400 + frame : 2_500_000_000 - frame;
      fake.client.packet(1, report(lie, (frame * 0x1234_5678) % 2 ** 32));
      fake.client.packet(1, report(0, 0));
      fake.client.packet(1, report(lie, 0).subarray(0, 20 + (frame % 8)));
      fake.client.packet(1, Buffer.from('ffffffff', 'hex'));
    }
    await framesAre(20);
    expect(sink.frames.map(({ pts90k }) => pts90k)).toEqual(
      Array.from({ length: 20 }, (_, frame) => frame * 3600),
    );
    expect(clocks.length).toBeGreaterThan(0);
    expect(stream.counters.dropped).toEqual({});
    expect(ends).toEqual([]);
  });
});

describe('packets', () => {
  const key = slice('h264', true, 100, 1);
  const inter = (seed: number) => slice('h264', false, 100, seed);

  test('padding, extensions and contributing sources are stepped over', async () => {
    const fake = await camera();
    const { send, framesAre, sink } = await playing(fake);
    const padded = rtpPacket(Buffer.concat([key, Buffer.from([0, 0, 0, 4])]), { last: true });
    padded[0] = 0xa0;
    const plain = rtpPacket(inter(2), { sequence: 1, timestamp: 3600, last: true });
    const extended = Buffer.concat([
      plain.subarray(0, 12),
      Buffer.alloc(8, 7),
      Buffer.from('bede0001aabbccdd', 'hex'),
      plain.subarray(12),
    ]);
    extended[0] = 0x92;
    send([padded, extended]);
    await framesAre(2);
    expect(sink.frames[0]?.units.at(-1)).toBe(key.toString('hex'));
    expect(sink.frames[1]?.units).toEqual(hex(inter(2)));
  });

  test('lies about padding and extensions cost their packet only', async () => {
    const fake = await camera();
    const { send, framesAre, stream } = await playing(fake);
    const broken = (first: number, tail: number[], sequence: number) => {
      const packet = rtpPacket(Buffer.concat([inter(3), Buffer.from(tail)]), { sequence });
      packet[0] = first;
      return packet;
    };
    send([
      ...packetize([key], { sequence: 0 }),
      broken(0xa0, [255], 1),
      broken(0xa0, [0], 2),
      broken(0x90, [], 3).subarray(0, 13),
      broken(0x8f, [], 4).subarray(0, 20),
      ...packetize([slice('h264', true, 100, 9)], { sequence: 5, timestamp: 9000 }),
    ]);
    await framesAre(2);
    expect(stream.counters.malformedPackets).toBe(4);
  });

  test('one packet with everything (STAP-A), and a fragment that is whole', async () => {
    const fake = await camera();
    const { send, framesAre, sink } = await playing(fake);
    send(packetize([H264_SPS, H264_PPS, key], { aggregate: true }));
    const whole = Buffer.concat([Buffer.from([0x5c, 0xc1]), inter(4).subarray(1)]);
    send([rtpPacket(whole, { sequence: 1, timestamp: 3600, last: true })]);
    await framesAre(2);
    expect(sink.frames[0]?.units).toEqual(hex(H264_SPS, H264_PPS, key));
    expect(sink.frames[1]?.units).toEqual(hex(inter(4)));
  });

  test('aggregates that lie about their sizes, and kinds that mode 1 forbids', async () => {
    const fake = await camera();
    const { send, framesAre, stream, sink } = await playing(fake);
    const odd = [
      '78',
      '780000',
      '78ffff41',
      '7800056141',
      '18000141',
      '1d4100',
      '7c',
      '7c85',
      '00',
    ];
    send(packetize([key], { sequence: 0 }));
    send(
      odd.map((text, index) =>
        rtpPacket(Buffer.from(text, 'hex'), { sequence: index + 1, timestamp: (index + 1) * 3600 }),
      ),
    );
    send(packetize([slice('h264', true, 100, 5)], { sequence: 10, timestamp: 90_000 }));
    await framesAre(2);
    expect(stream.counters.malformedPackets).toBeGreaterThan(5);
    expect(sink.frames[1]?.units.at(-1)).toBe(slice('h264', true, 100, 5).toString('hex'));
  });

  test('two sources that take turns: one of them is recorded, without end and whole', async () => {
    const fake = await camera();
    const { send, sink, stream } = await playing(fake);
    for (let frame = 0; frame < 40; frame++) {
      for (const ssrc of [1, 2]) {
        const unit = slice('h264', frame % 10 === 0, 3000, frame * ssrc);
        send(packetize([unit], { sequence: frame * 3, timestamp: frame * 3600, ssrc }));
      }
    }
    await eventually('most of one source', () => sink.frames.length >= 30);
    const times = sink.frames.map(({ pts90k }) => pts90k);
    const steps = times.slice(-20).map((time, index, last) => time - (last[index - 1] ?? time));
    expect(new Set(steps.slice(1))).toEqual(new Set([3600]));
    expect(stream.counters.lostPackets).toBeLessThan(5);
  });

  test('a source that changes, and one that returns after it', async () => {
    const fake = await camera();
    const { send, framesAre, stream } = await playing(fake);
    for (const [index, ssrc] of [1, 2, 1].entries()) {
      const first = index * 1000;
      for (let frame = 0; frame < 150; frame++) {
        const options = { sequence: first + frame, timestamp: (first + frame) * 3600, ssrc };
        send(packetize([slice('h264', frame % 10 === 0, 100, frame)], options));
      }
    }
    await eventually('the third', () => stream.counters.frames >= 150 + 150 + 45);
    await framesAre(stream.counters.frames);
    expect(stream.counters.frames).toBeLessThanOrEqual(450);
  });
});

test('a camera behind a port that closes at once, between two that work', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const fake = await camera();
  const bad = start(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/x`);
  const { framesAre } = await playing(fake);
  await ended(bad);
  fake.client.frame(true);
  await framesAre(1);
  expect(['closed-by-camera', 'refused']).toContain(bad.ends[0]?.reason);
});
