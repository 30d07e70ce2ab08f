// Cameras that go away, come back in herds, or send more than a camera can: who waits for whom.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { eventually, FakeClock } from '#base/testing';
import { ended, FakeCamera, refuse, testBench } from './fake-camera.test-support.js';
import { HandshakeGate } from './handshake-gate.js';

const { camera, start, cleanups } = testBench();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a camera that was away', () => {
  test('for hours is back within 5 s of opening its door, though pauses are long', async () => {
    const port = await freePort();
    const watched = start(`rtsp://127.0.0.1:${port}/x`, {
      backoff: { firstMs: 1000, capMs: 30_000, random: () => 0.999 },
    });
    const { clock, ends, starts, stream } = watched;
    await eventually('long pauses', () => {
      clock.advance(1000);
      return (ends.at(-1)?.retryInMs ?? 0) > 29_000;
    });
    const attempts = ends.length;
    // Knocks that find nobody are no attempts.
    for (let knock = 0; knock < 3; knock++) clock.advance(2500);
    expect(ends).toHaveLength(attempts);
    const fake = await FakeCamera.start({}, port);
    cleanups.push(() => fake.close());
    let waitedMs = 0;
    await eventually('the start', () => {
      if (starts.length === 0) {
        clock.advance(100);
        waitedMs += 100;
      }
      return starts.length === 1;
    });
    // The clock runs on while real sockets answer; a third of the 30 s pause is far beyond both.
    expect(waitedMs).toBeLessThan(10_000);
    expect(ends).toHaveLength(attempts);
    await stream.stop();
  });

  test('and has no pictures yet behind its open door is asked every 3 s for a while', async () => {
    const port = await freePort();
    const watched = start(`rtsp://127.0.0.1:${port}/x`);
    const { clock, ends } = watched;
    await eventually('long pauses', () => {
      clock.advance(1000);
      return (ends.at(-1)?.retryInMs ?? 0) > 29_000;
    });
    const fake = await FakeCamera.start({ DESCRIBE: refuse('503 Booting') }, port);
    cleanups.push(() => fake.close());
    await eventually('the answer', () => {
      clock.advance(500);
      return ends.at(-1)?.message.includes('503') === true;
    });
    expect(ends.at(-1)?.retryInMs).toBe(3000);
  });

  test('is knocked at no longer once nobody wants it', async () => {
    const port = await freePort();
    const watched = start(`rtsp://127.0.0.1:${port}/x`);
    await ended(watched);
    await watched.stream.stop();
    let knocks = 0;
    const server = createServer(() => (knocks += 1));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    for (let second = 0; second < 60; second++) watched.clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(knocks).toBe(0);
  });
});

test('a camera that answers but refuses is not knocked at', async () => {
  const fake = await camera({ DESCRIBE: refuse('503 Busy') });
  const watched = start(fake.url());
  for (let attempt = 1; attempt <= 6; attempt++) {
    await ended(watched, attempt);
    if (attempt < 6) watched.clock.advance(watched.ends.at(-1)?.retryInMs ?? 0);
  }
  for (let second = 0; second < 10; second++) watched.clock.advance(1000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(fake.clients).toHaveLength(6);
});

describe('the gate of handshakes', () => {
  test('lets 32 in, the next one when a place is free, nobody who has gone', async () => {
    const gate = HandshakeGate.of(new FakeClock());
    const { signal } = new AbortController();
    const leaves = await Promise.all(Array.from({ length: 32 }, () => gate.enter(signal)));
    const gone = new AbortController();
    const left = gate.enter(gone.signal);
    const entered: number[] = [];
    const waiting = [1, 2].map((number) =>
      gate.enter(signal).then((leave) => {
        entered.push(number);
        return leave;
      }),
    );
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    leaves[0]?.();
    leaves[0]?.();
    await waiting[0];
    expect(entered).toEqual([1]);
    leaves[1]?.();
    await waiting[1];
    expect(entered).toEqual([1, 2]);
  });

  test('is not held by cameras that stall', async () => {
    const clock = new FakeClock();
    const gate = HandshakeGate.of(clock);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 32 }, () => gate.enter(signal)));
    const next = gate.enter(signal);
    clock.advance(500);
    const leave = await next;
    leave();
  });

  test('serves a herd of 200 that comes at once', async () => {
    const fake = await camera();
    const clock = new FakeClock();
    const herd = Array.from({ length: 200 }, (_, index) => start(fake.url(`/${index}`), { clock }));
    await eventually('all', () => herd.every(({ starts }) => starts.length === 1), 60_000);
    expect(herd.every(({ ends }) => ends.length === 0)).toBe(true);
  });
});

test('a camera that floods ends with its reason, whatever it sends', async () => {
  const fake = await camera();
  const watched = start(fake.url());
  await eventually('the start', () => watched.starts.length === 1);
  // Whole packets of a channel that nobody asked for: no rubbish, only far too many.
  const packet = Buffer.alloc(4 + 65_000);
  packet.set([0x24, 77, 65_000 >> 8, 65_000 & 255]);
  const flood = (socket: Socket) => {
    while (!socket.destroyed && socket.write(packet));
    if (!socket.destroyed) socket.once('drain', () => flood(socket));
  };
  flood(fake.client.socket);
  await eventually('the end', () => watched.ends.length > 0, 30_000);
  expect(watched.ends[0]).toMatchObject({
    reason: 'protocol',
    message: 'the camera floods: it sent more than 200 Mbit/s for 2 s',
  });
});

test('REDIRECT while it plays: the next attempt goes there, once', async () => {
  const other = await camera();
  const fake = await camera();
  const watched = start(fake.url('/x', 'u:p'));
  await eventually('the start', () => watched.starts.length === 1);
  fake.client.write(
    `REDIRECT ${fake.url()} RTSP/1.0\r\nCSeq: 1\r\nLocation: ${other.url('/new')}\r\n\r\n`,
  );
  await ended(watched);
  expect(watched.ends[0]?.message).toMatch(/ended the session with REDIRECT/);
  watched.clock.advance(1000);
  await eventually('the other', () => watched.starts.length === 2);
  expect(other.requests[0]?.url).toBe(other.url('/new'));
  other.client.socket.destroy();
  await ended(watched, 2);
  watched.clock.advance(watched.ends[1]?.retryInMs ?? 0);
  await eventually('the first again', () => watched.starts.length === 3);
  expect(fake.clients).toHaveLength(2);
});
