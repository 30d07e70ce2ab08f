// Never stuck: whatever a camera sends instead of whole frames, its run ends within the bound.

import { eventually } from '#base/testing';
import { say, testBench, type FakeCamera } from './fake-camera.test-support.js';
import { packetize, slice } from './packets.test-support.js';

const { camera, start } = testBench();

const REPORT = Buffer.alloc(28);
REPORT.writeUInt32BE(0x80c80006, 0);
REPORT.writeUInt32BE(3_976_214_407, 8);

/** Each second this instead of frames; what must have arrived before the clock goes on. */
const instead: [what: string, send: (fake: FakeCamera, second: number) => void][] = [
  ['nothing at all (half-open)', () => undefined],
  ['sender reports only', (fake) => fake.client.packet(1, REPORT)],
  ['sound only, on a channel of its own', (fake) => fake.client.packet(2, Buffer.alloc(172, 0xd5))],
  [
    'sound only, on the channel of the video',
    (fake, second) => {
      const packet = packetize([Buffer.alloc(160, 0xd5)], { payloadType: 8, sequence: second })[0];
      fake.client.packet(0, packet ?? Buffer.alloc(0));
    },
  ],
  [
    'first fragments whose frames never end',
    (fake, second) => {
      const unit = slice('h264', true, 5000, second);
      const options = { sequence: second * 10, timestamp: second * 90_000 };
      for (const packet of packetize([unit], options).slice(0, 2)) fake.client.packet(0, packet);
    },
  ],
  [
    'parameter sets without pictures',
    (fake, second) => {
      const sps = Buffer.from('6742c01ed900a02ff970110000030001000003003c0f162e48', 'hex');
      for (const packet of packetize([sps], { sequence: second, timestamp: second })) {
        fake.client.packet(0, packet);
      }
    },
  ],
  [
    'empty packets',
    (fake, second) => {
      const packet = packetize([Buffer.from([1])], { sequence: second })[0]?.subarray(0, 12);
      fake.client.packet(0, packet ?? Buffer.alloc(0));
    },
  ],
  [
    'pictures of another source that begin in the middle',
    (fake, second) => {
      const unit = slice('h264', true, 3000, second);
      const options = { sequence: second * 100, ssrc: second + 1 };
      for (const packet of packetize([unit], options).slice(1)) fake.client.packet(0, packet);
    },
  ],
  ['answers to nothing', (fake) => fake.client.write('RTSP/1.0 200 OK\r\nCSeq: 9999\r\n\r\n')],
  ['requests of its own', (fake) => fake.client.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n')],
];

test.each(instead)('%s', async (_, send) => {
  const fake = await camera();
  const watched = start(fake.url());
  await eventually('the start', () => watched.starts.length === 1);
  await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
  fake.client.frame(true);
  await eventually('a frame', () => watched.sink.frames.length === 1);
  let second = 0;
  await eventually('the end', async () => {
    if (watched.ends.length > 0) return true;
    send(fake, ++second);
    // What was sent is read before the clock goes on.
    await new Promise((resolve) => setTimeout(resolve, 5));
    watched.clock.advance(1000);
    return false;
  });
  expect(watched.ends[0]).toMatchObject({ reason: 'stalled', retryInMs: 1000 });
  expect(watched.sink.frames).toHaveLength(1);
  // 10 s without a frame, one look of the watchdog late, and the farewell that may go unanswered.
  expect(second).toBeLessThan(15);
});

test('a run whose first frame never comes ends as one whose next frame does not', async () => {
  const fake = await camera();
  const watched = start(fake.url());
  await eventually('the start', () => watched.starts.length === 1);
  await eventually('PLAY', () => fake.methods.at(-1) === 'PLAY');
  await eventually('the end', () => {
    watched.clock.advance(500);
    return watched.ends.length > 0;
  });
  expect(watched.ends[0]?.reason).toBe('stalled');
});

test('the watchdog looks on while a camera floods and its reads never rest', async () => {
  const fake = await camera();
  const watched = start(fake.url(), { stallMs: 1000 });
  await eventually('the start', () => watched.starts.length === 1);
  const packet = Buffer.alloc(60_004);
  packet.set([0x24, 99, 60_000 >> 8, 60_000 & 255]);
  const { socket } = fake.client;
  const flood = () => {
    while (!socket.destroyed && socket.write(packet));
    if (!socket.destroyed) socket.once('drain', flood);
  };
  flood();
  await eventually('the end', () => {
    watched.clock.advance(100);
    return watched.ends.length > 0;
  });
  expect(watched.ends[0]?.reason).toMatch(/stalled|protocol/);
});

describe('slow answers', () => {
  test.each(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY'])('%s, byte by byte', async (method) => {
    const fake = await camera({ [method]: () => undefined });
    const watched = start(fake.url());
    await eventually('the question', () => fake.methods.at(-1) === method);
    const answer = `RTSP/1.0 200 OK\r\nCSeq: 99\r\n${'X-Slow: yes\r\n'.repeat(100)}`;
    let at = 0;
    await eventually('the end', () => {
      fake.client.write(answer[at++ % answer.length] ?? '');
      watched.clock.advance(100);
      return watched.ends.length > 0;
    });
    // An answer that drips does not put its deadline off.
    expect(at).toBeLessThanOrEqual(110);
    expect(['timeout', 'protocol']).toContain(watched.ends[0]?.reason);
  });

  test('answers that only announce others put nothing off', async () => {
    const fake = await camera({ DESCRIBE: say('RTSP/1.0 100 Continue\r\nCSeq: 2\r\n\r\n') });
    const watched = start(fake.url());
    await eventually('the question', () => fake.methods.at(-1) === 'DESCRIBE');
    let steps = 0;
    await eventually('the end', () => {
      fake.client.write('RTSP/1.0 100 Continue\r\nCSeq: 2\r\n\r\n');
      steps += 1;
      watched.clock.advance(1000);
      return watched.ends.length > 0;
    });
    expect(steps).toBeLessThanOrEqual(12);
    expect(watched.ends[0]?.reason).toBe('timeout');
  });
});
