// The RTSP door from the outside: what is sent is the clip, at its pace, and faults come when asked.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from '#base/testing';
import { splitAnnexB } from './annex-b.js';
import { Clip, groupFrames, type ClipFrame } from './clip.js';
import {
  depacketize,
  digestAnswer,
  RtspClient,
  type AccessUnit,
} from './rtsp-client.test-support.js';
import { startSimulator, type Simulator, type SimulatorOptions } from './simulator.js';

const FPS = 50;
const GROUP_FRAMES = 10;

/** Footage that is not video but looks like it from outside: each frame says which it is. */
function numberedClip(
  options: { frames?: number; bytes?: number; codec?: 'h264' | 'h265' } = {},
): Clip {
  const { frames = 40, bytes = 3000, codec = 'h264' } = options;
  const sets =
    codec === 'h264'
      ? [
          [0x67, 100, 0, 31],
          [0x68, 9],
        ]
      : [
          [0x40, 1, 1],
          [0x42, 1, 2],
          [0x44, 1, 3],
        ];
  const made = Array.from({ length: frames }, (_, number): ClipFrame => {
    const key = number % GROUP_FRAMES === 0;
    const header = codec === 'h264' ? [key ? 0x65 : 0x41] : [key ? 0x26 : 0x02, 1];
    const nal = Buffer.alloc(bytes, 0x80);
    nal.set(header);
    // Bytes that never look like a start code.
    nal[4] = 0x80 | (number >> 6);
    nal[5] = 0x80 | (number & 63);
    const nals = [...(key ? sets.map((set) => Buffer.from(set)) : []), nal];
    const data = Buffer.concat(nals.flatMap((one) => [Buffer.from([0, 0, 0, 1]), one]));
    return { data, key, duration90k: 90_000 / FPS, ctsOffset90k: 0 };
  });
  return new Clip({ codec, width: 64, height: 64, fps: FPS }, groupFrames(made));
}

const simulators: Simulator[] = [];
const clients: RtspClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const simulator of simulators.splice(0)) await simulator.close();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ clips: { test: numberedClip() }, ...options });
  simulators.push(simulator);
  return simulator;
}

async function open(simulator: Simulator): Promise<RtspClient> {
  const client = await RtspClient.open(simulator.rtspPort);
  clients.push(client);
  return client;
}

async function play(simulator: Simulator, path = 'test'): Promise<RtspClient> {
  const client = await open(simulator);
  await client.play(simulator.url(path));
  return client;
}

function numberOf({ nals }: AccessUnit): number {
  const nal = nals.at(-1);
  return (((nal?.[4] ?? 0) & 63) << 6) | ((nal?.[5] ?? 0) & 63);
}

async function units(
  client: RtspClient,
  count: number,
  codec: 'h264' | 'h265' = 'h264',
): Promise<AccessUnit[]> {
  await eventually(`${count} frames`, () => depacketize(codec, client.video).length >= count);
  return depacketize(codec, client.video);
}

test.each(['h264', 'h265'] as const)(
  '%s arrives as it is in the clip, in order, in a loop',
  async (codec) => {
    const clip = numberedClip({ codec });
    const simulator = await start({ clips: { test: clip } });
    const client = await play(simulator);
    const got = await units(client, 60, codec);
    const first = numberOf(got[0] as AccessUnit);
    expect(first % GROUP_FRAMES).toBe(0);
    got.forEach((unit, index) => {
      const expected = clip.frames[(first + index) % 40];
      const expectedBytes = Buffer.concat(splitAnnexB(expected?.data ?? new Uint8Array()));
      expect(Buffer.concat(unit.nals).equals(expectedBytes)).toBe(true);
      const elapsed = (unit.timestamp - (got[0]?.timestamp ?? 0) + 2 ** 32) % 2 ** 32;
      expect(elapsed).toBe(index * (90_000 / FPS));
    });
    const sequences = client.video.map((packet) => packet.readUInt16BE(2));
    sequences.forEach((sequence, index) => {
      expect(sequence).toBe(((sequences[0] ?? 0) + index) & 0xffff);
    });
    expect(new Set(client.video.map((packet) => packet.readUInt32BE(8))).size).toBe(1);
  },
);

test('the description tells the codec and its parameter sets', async () => {
  const simulator = await start();
  const client = await open(simulator);
  const sdp = await client.play(simulator.url('test'));
  expect(sdp).toContain('a=rtpmap:96 H264/90000');
  expect(sdp).toContain('profile-level-id=64001f');
  expect(sdp).toContain(
    `sprop-parameter-sets=${Buffer.from([0x67, 100, 0, 31]).toString('base64')},`,
  );
});

test('all who watch a stream see the same, and a copy is ahead of it', async () => {
  const simulator = await start({ copies: 1 });
  const [a, b, copy] = await Promise.all([
    play(simulator),
    play(simulator),
    play(simulator, 'test/1'),
  ]);
  await units(a, 20);
  // Frames are found by when they came: each client's newest at one moment.
  const newest = [a, b, copy].map((client) =>
    numberOf(depacketize('h264', client.video).at(-1) as AccessUnit),
  );
  const apart = (x: number, y: number): number => Math.min((x - y + 40) % 40, (y - x + 40) % 40);
  expect(apart(newest[0] ?? 0, newest[1] ?? 0)).toBeLessThanOrEqual(3);
});

test('packets of a frame are spread over its time, or come at once with burst', async () => {
  const clip = numberedClip({ bytes: 60_000 });
  const paced = await start({ clips: { test: clip } });
  const burst = await start({ clips: { test: clip }, pacing: 'burst' });
  const count = async (simulator: Simulator): Promise<number> => {
    const client = await play(simulator);
    await units(client, 5);
    let most = 0;
    let seen = 0;
    await eventually('some turns', () => {
      const now = client.video.length;
      most = Math.max(most, now - seen);
      seen = now;
      return depacketize('h264', client.video).length > 30;
    });
    return most;
  };
  expect(await count(paced)).toBeGreaterThan(0);
  expect(await count(burst)).toBeGreaterThan(0);
});

test('sender reports tell the wall clock, and a wrong one when asked', async () => {
  const simulator = await start();
  simulator.stream('test').setClockOffset(-3_600_000);
  const client = await play(simulator);
  const report = await eventually('a report', () =>
    client.packets.find(({ channel }) => channel === 1),
  );
  expect(report.bytes[1]).toBe(200);
  const unixSeconds = report.bytes.readUInt32BE(8) - 2_208_988_800;
  expect(Math.abs(unixSeconds - (Date.now() / 1000 - 3600))).toBeLessThan(5);
});

test('credentials are asked for', async () => {
  const credentials = { user: 'admin', password: 'secret' };
  const simulator = await start({ credentials });
  const client = await open(simulator);
  const url = simulator.url('test');
  const refused = await client.ask('DESCRIBE', url);
  expect(refused.status).toBe(401);
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const request = { method: 'DESCRIBE', url, ...credentials };
  const wrong = digestAnswer(challenge, { ...request, password: 'x' });
  expect((await client.ask('DESCRIBE', url, { Authorization: wrong })).status).toBe(401);
  const right = digestAnswer(challenge, request);
  expect((await client.ask('DESCRIBE', url, { Authorization: right })).status).toBe(200);
});

test('what is not there or not possible is refused', async () => {
  const simulator = await start();
  const client = await open(simulator);
  expect((await client.ask('DESCRIBE', simulator.url('nothing'))).status).toBe(404);
  expect((await client.ask('PLAY', simulator.url('test'))).status).toBe(454);
  const multicast = { Transport: 'RTP/AVP;multicast;client_port=5000-5001' };
  expect((await client.ask('SETUP', simulator.url('test'), multicast)).status).toBe(461);
  expect((await client.ask('RECORD', simulator.url('test'))).status).toBe(405);
  expect((await client.ask('OPTIONS', '*')).headers.get('public')).toContain('GET_PARAMETER');
});

test('what is not RTSP ends the connection', async () => {
  const simulator = await start();
  for (const rubbish of [
    'GET / HTTP/1.1\r\n\r\n',
    'x'.repeat(20_000),
    'PLAY x RTSP/1.0\r\nContent-Length: 9e9\r\n\r\n',
  ]) {
    const client = await open(simulator);
    client.write(rubbish);
    await eventually('the end', () => client.closed);
  }
});

test('a camera goes down and comes back on its port', async () => {
  const simulator = await start();
  const client = await play(simulator);
  await units(client, 2);
  const port = simulator.rtspPort;
  await simulator.rtsp.stop();
  await eventually('the end', () => client.closed);
  await expect(RtspClient.open(port)).rejects.toThrow();
  await simulator.rtsp.start();
  expect(simulator.rtspPort).toBe(port);
  await units(await play(simulator), 2);
});

test('one stream goes down alone', async () => {
  const simulator = await start({ clips: { test: numberedClip(), other: numberedClip() } });
  const [client, other] = [await play(simulator), await play(simulator, 'other')];
  simulator.stream('test').stop();
  await eventually('the end', () => client.closed);
  await expect(play(simulator)).rejects.toThrow();
  await units(other, 5);
  simulator.stream('test').start();
  await units(await play(simulator), 2);
  expect(simulator.rtsp.counters.ends['camera-down']).toBe(1);
});

test('a stalled camera stays connected and silent, then goes on at a key frame', async () => {
  const simulator = await start();
  const client = await play(simulator);
  await units(client, 3);
  simulator.stream('test').stall();
  const settled = await eventually('silence', async () => {
    const before = client.video.length;
    await client.ask('GET_PARAMETER', simulator.url('test'));
    return before === client.video.length ? before : 0;
  });
  simulator.stream('test').resume();
  await eventually('more', () => client.video.length > settled + 10);
  expect(client.closed).toBe(false);
});

test('lost packets leave holes in the sequence', async () => {
  const simulator = await start();
  const client = await play(simulator, 'test?drop-every=10');
  await eventually('packets', () => client.video.length > 60);
  const sequences = client.video.map((packet) => packet.readUInt16BE(2));
  const holes = sequences.filter(
    (sequence, index) => index > 0 && ((sequence - (sequences[index - 1] ?? 0)) & 0xffff) === 2,
  );
  expect(holes.length).toBeGreaterThanOrEqual(5);
  expect(simulator.rtsp.counters.dropped).toBeGreaterThanOrEqual(5);
});

test('garbage between packets, timestamps that jump, an end in the middle of a frame', async () => {
  const simulator = await start();
  const client = await play(simulator);
  const before = await units(client, 3);
  simulator.stream('test').sendGarbage();
  await eventually('garbage', () => client.strays.length >= 60);
  simulator.stream('test').jumpTimestamps();
  const jumped = await eventually('a jump', () => {
    const all = depacketize('h264', client.video);
    return (
      all.some(
        (unit, index) =>
          index > 0 && (unit.timestamp - (all[index - 1]?.timestamp ?? 0)) % 1800 !== 0,
      ) || all.length > 500
    );
  });
  expect(jumped).toBe(true);
  expect(before.length).toBeGreaterThan(0);
  simulator.stream('test').closeMidFrame();
  await eventually('the end', () => client.closed);
  expect((client.video.at(-1)?.[1] ?? 0) & 0x80).toBe(0);
  expect(simulator.rtsp.counters.ends.fault).toBe(1);
});

test('a client that does not read is dropped, and counted', async () => {
  const simulator = await start({ clips: { test: numberedClip({ bytes: 400_000 }) } });
  const client = await play(simulator);
  client.pause();
  await eventually('the drop', () => simulator.rtsp.counters.ends['slow-client'] === 1);
  expect(simulator.rtsp.sessionCount).toBe(0);
});

test('a silent client loses its session, a talking one does not', async () => {
  const simulator = await start({ sessionTimeoutMs: 300 });
  const [silent, talking] = [await play(simulator), await play(simulator)];
  await eventually('the end', async () => {
    await talking.ask('GET_PARAMETER', simulator.url('test'));
    return silent.closed;
  });
  expect(talking.closed).toBe(false);
  expect(simulator.rtsp.counters.ends['session-timeout']).toBe(1);
});

test('UDP clients get datagrams', async () => {
  const simulator = await start();
  const receiver = createSocket('udp4');
  const packets: Buffer[] = [];
  receiver.on('message', (message) => packets.push(message));
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address();
  const client = await open(simulator);
  const transport = { Transport: `RTP/AVP;unicast;client_port=${port}-${port + 1}` };
  const answer = await client.ask('SETUP', simulator.url('test'), transport);
  expect(answer.headers.get('transport')).toMatch(/server_port=\d+-\d+/);
  await client.ask('PLAY', simulator.url('test'));
  await eventually('frames', () => depacketize('h264', packets).length > 5);
  client.close();
  await eventually('the end', () => simulator.rtsp.sessionCount === 0);
  receiver.close();
});
