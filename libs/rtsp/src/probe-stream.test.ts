// What a probe finds out, and how it fails.

import { eventually, FakeClock } from '#base/testing';
import { refuse, testBench } from './fake-camera.test-support.js';
import { probeStream } from './probe-stream.js';

const { camera } = testBench();
const options = { transport: 'tcp', durationMs: 3000 } as const;

test('a probe counts by the camera’s clock', async () => {
  const fake = await camera();
  const clock = new FakeClock();
  let done = false;
  const probing = probeStream({ ...options, url: fake.url(), clock }).finally(() => (done = true));
  await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
  for (let frame = 0; frame < 51; frame++) fake.client.frame(frame % 25 === 0);
  // A request of its own shows that the camera's packets were read before it.
  fake.client.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  let answered = false;
  fake.client.socket.on('data', () => (answered = true));
  await eventually('the answer', () => answered);
  clock.advance(3000);
  await eventually('the end', () => {
    clock.advance(1000);
    return done;
  });
  expect(await probing).toEqual({
    format: expect.objectContaining({ codec: 'h264', width: 640, height: 360 }),
    server: 'fake',
    audio: 'PCMA',
    audioRate: 8000,
    durationMs: 2040,
    frames: 51,
    keyFrames: 3,
    fps: 25,
    bitrate: expect.any(Number),
    peakBitrate: expect.any(Number),
    groupSeconds: 1,
    groups: { minSeconds: 1, medianSeconds: 1, maxSeconds: 1, count: 2 },
    hasBFrames: false,
    gradualRefresh: false,
    emptyFrameShare: expect.any(Number),
    lostPackets: 0,
    dropped: {},
  });
  expect(fake.methods.at(-1)).toBe('TEARDOWN');
});

test.each([
  ['404 Not Found', 'not-found'],
  ['503 Busy', 'unavailable'],
  ['401 Unauthorized', 'unauthenticated'],
  ['403 Forbidden', 'unauthenticated'],
])('%s is %s', async (status, code) => {
  const fake = await camera({ DESCRIBE: refuse(status) });
  const probing = probeStream({ ...options, url: fake.url(), clock: new FakeClock() });
  await expect(probing).rejects.toMatchObject({ name: 'NightjarError', code });
});

test('a camera that answers nothing, or sends nothing, times out', async () => {
  for (const handlers of [{ DESCRIBE: () => undefined }, {}]) {
    const fake = await camera(handlers);
    const clock = new FakeClock();
    let error: unknown;
    const probing = probeStream({ ...options, url: fake.url(), clock }).catch((e) => (error = e));
    await eventually('the end', () => {
      clock.advance(1000);
      return error;
    });
    await probing;
    expect(error).toMatchObject({ code: 'timeout' });
  }
});

test('it can be cancelled, and takes no URL that is none', async () => {
  const fake = await camera({ DESCRIBE: () => undefined });
  const abort = new AbortController();
  const { signal } = abort;
  const probing = probeStream({ ...options, url: fake.url(), clock: new FakeClock(), signal });
  const outcome = expect(probing).rejects.toMatchObject({ code: 'cancelled' });
  await eventually('DESCRIBE', () => fake.methods.at(-1) === 'DESCRIBE');
  abort.abort();
  await outcome;
  await expect(
    probeStream({ ...options, url: 'ftp://u:secret@x', clock: new FakeClock() }),
  ).rejects.toMatchObject({ code: 'invalid-argument' });
});
