// A camera's stream from connecting to goodbye: what it tells, keeps alive, retries and ends.

import { createSocket } from 'node:dgram';
import { systemClock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { ended, refuse, testBench, type Handler } from './fake-camera.test-support.js';
import { ReadTurns } from './read-turns.js';
import { H264_LARGE_SPS, H264_PPS, packetize, slice } from './packets.test-support.js';

const { camera, start, cleanups } = testBench();

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

  test('reads in turns lose nothing', async () => {
    const fake = await camera();
    let periodMs = 20;
    const turns = new ReadTurns(() => periodMs);
    const { sink, starts } = start(fake.url(), { clock: systemClock, turns });
    await eventually('the start', () => starts.length === 1);
    for (let frame = 0; frame < 200; frame++) fake.client.frame(frame % 50 === 0);
    await eventually('the frames', () => sink.frames.length === 200);
    periodMs = 0;
    for (let frame = 0; frame < 200; frame++) fake.client.frame(frame % 50 === 0);
    await eventually('more frames', () => sink.frames.length === 400);
    expect(sink.dropped).toEqual([]);
  });

  test('sockets that rest because reading does not keep up lose nothing', async () => {
    const fake = await camera();
    const turns = new ReadTurns(() => 0);
    let rests = 0;
    const received = turns.received.bind(turns);
    turns.received = (count, wake) => {
      const goesOn = received(count, wake);
      rests += goesOn ? 0 : 1;
      return goesOn;
    };
    const streams = Array.from({ length: 4 }, (_, index) =>
      start(fake.url(`/${index}`), { clock: systemClock, turns }),
    );
    await eventually('all starts', () => streams.every(({ starts }) => starts.length === 1));
    for (const { sink } of streams) {
      const endFrame = sink.endFrame.bind(sink);
      sink.endFrame = (...frame) => {
        const endMs = performance.now() + 2;
        while (performance.now() < endMs);
        endFrame(...frame);
      };
    }
    for (let frame = 0, sequence = 0; frame < 60; frame++) {
      const unit = slice('h264', frame === 0, 40_000, frame);
      const packets = packetize([unit], { sequence, timestamp: frame * 3600 });
      sequence += packets.length;
      for (const client of fake.clients) {
        for (const packet of packets) client.packet(0, packet);
      }
    }
    const all = () => streams.every(({ sink }) => sink.frames.length === 60);
    await eventually('all frames', all, 60_000);
    expect(rests).toBeGreaterThan(0);
    for (const { sink } of streams) expect(sink.dropped).toEqual([]);
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
  test('ends each attempt, without its password in a word', async () => {
    for (const url of ['http://u:secret@cam/', 'rtsp://u:secret@/']) {
      const watched = start(url);
      await ended(watched);
      expect(watched.ends[0]).toEqual({
        reason: 'protocol',
        message: 'expected an rtsp:// URL with a host',
        retryInMs: 1000,
      });
    }
  });
});

describe('a listener that throws', () => {
  test.each(['tcp', 'udp'] as const)('ends the run over %s, not the process', async (transport) => {
    const sender = createSocket('udp4');
    cleanups.push(() => sender.close());
    await new Promise<void>((resolve) => sender.bind(0, '127.0.0.1', resolve));
    let port = 0;
    const fake = await camera({
      SETUP: (request, client) => {
        port = Number(/client_port=(\d+)-/.exec(request.headers.transport ?? '')?.[1]);
        const granted = request.headers.transport?.replace(/interleaved=.*/, 'interleaved=0-1');
        client.answer(request, '200 OK', [`Transport: ${granted}`, 'Session: 7']);
      },
    });
    const watched = start(fake.url(), { transport });
    await eventually('the start', () => watched.starts.length === 1);
    const burn = () => {
      throw new Error('the disk is on fire');
    };
    Object.assign(watched.sink, { endFrame: burn, dropFrame: burn });
    if (transport === 'tcp') fake.client.frame(true);
    else sender.send(packetize([slice('h264', true, 100, 1)])[0] as Buffer, port, '127.0.0.1');
    await ended(watched);
    expect(watched.ends[0]).toMatchObject({ message: 'the disk is on fire', retryInMs: 1000 });
  });
});
