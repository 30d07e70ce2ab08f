import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import type { MotionChannel, MotionSample, MotionState } from './channel-types.js';
import { encodeClip, type Clip, type EncodedUnit } from './encoded-clip.test-support.js';
import { MotionService } from './motion-service.js';
import { SyntheticScene, type Thing } from './synthetic-scene.test-support.js';

const START_UNIX_US = 1_767_225_600_000_000;
const FROM_S = 4;
const WALKER: Thing = {
  width: 10,
  height: 24,
  luma: 40,
  at: (timeS) => (timeS < FROM_S ? undefined : [20 + (timeS - FROM_S) * 25, 120]),
};

interface Watched {
  readonly channel: MotionChannel;
  readonly samples: MotionSample[];
  readonly states: MotionState[];
}

function open(service: MotionService, clip: Clip): Watched {
  const samples: MotionSample[] = [];
  const states: MotionState[] = [];
  const channel = service.open({
    sensitivity: 0.5,
    onSample: (sample) => samples.push(sample),
    onState: (state) => states.push(state),
  });
  channel.setFormat(clip.format);
  return { channel, samples, states };
}

const atUnixUs = ({ timeS }: EncodedUnit, laterS = 0) =>
  START_UNIX_US + Math.round((timeS + laterS) * 1e6);

/** Offers units as fast as they are looked at. */
async function feed(
  channel: MotionChannel,
  units: readonly EncodedUnit[],
  laterS = 0,
): Promise<void> {
  for (const unit of units) {
    channel.offer(unit.data, unit.key, atUnixUs(unit, laterS));
    await nextTurn();
    await answered(channel);
  }
}

async function answered(channel: MotionChannel): Promise<void> {
  const { asked, undecodable } = channel.counters;
  if (channel.counters.samples + undecodable >= asked) return;
  await eventually(
    'every picture was looked at',
    () =>
      channel.counters.samples + channel.counters.undecodable >= asked ||
      channel.state === 'failed',
    60_000,
  );
}

const isUp = (service: MotionService) =>
  eventually(
    'the detector is up',
    () => service.status().every(({ pid }) => pid !== undefined),
    60_000,
  );

let clip: Clip;
let service: MotionService;

beforeAll(async () => {
  const scene = new SyntheticScene({ noise: 2, things: [WALKER] });
  clip = await encodeClip(scene, { seconds: 12, fps: 10, groupFrames: 20 });
}, 120_000);

const start = (stallMs: number, idleMs = 600_000) =>
  MotionService.start({
    processes: 1,
    log: silentLog(),
    clock: systemClock,
    times: { restartFirstMs: 50, heartbeatMs: 200, stallMs, startMs: 60_000, idleMs },
  });

beforeEach(async () => {
  service = await start(5000);
});

afterEach(() => service.close(), 60_000);

const movingTimes = (samples: readonly MotionSample[]) =>
  samples.filter(({ moving }) => moving).map((sample) => (sample.atUnixUs - START_UNIX_US) / 1e6);

test('finds who walks through an encoded clip, and nothing before', async () => {
  const { channel, samples, states } = open(service, clip);
  expect(channel.state).toBe('starting');
  await isUp(service);
  await feed(channel, clip.units);
  const times = movingTimes(samples);
  expect(times[0]).toBeGreaterThanOrEqual(FROM_S);
  expect(times[0]).toBeLessThanOrEqual(FROM_S + 1);
  expect(times.at(-1)).toBeGreaterThan(11.5);
  expect(states).toEqual(['ok']);
  expect(channel.counters).toMatchObject({ offered: 120, sent: 120, refused: 0, undecodable: 0 });
}, 120_000);

test('gives out pictures that the decoder reorders in time', async () => {
  const scene = new SyntheticScene({ width: 704, height: 448, noise: 2, things: [WALKER] });
  const reordered = await encodeClip(scene, { seconds: 9, fps: 10, groupFrames: 20, bFrames: 2 });
  const { channel, samples } = open(service, reordered);
  await isUp(service);
  // Two pictures of a group are held back until the group is left, so no frame waits for its own.
  for (const unit of reordered.units) {
    channel.offer(unit.data, unit.key, atUnixUs(unit));
    await nextTurn();
  }
  await eventually('most are seen', () => samples.length >= channel.counters.asked - 2, 60_000);
  expect(channel.counters.sent).toBeLessThan(60);
  expect(channel.counters.samples).toBeGreaterThanOrEqual(10);
  expect(channel.counters.undecodable).toBe(0);
  expect(movingTimes(samples)[0]).toBeLessThanOrEqual(FROM_S + 2.5);
}, 120_000);

test('goes on after its detector was killed', async () => {
  const { channel, samples, states } = open(service, clip);
  await isUp(service);
  await feed(channel, clip.units.slice(0, 20));
  const { pid } = service.status()[0] ?? {};
  process.kill(pid ?? 0, 'SIGKILL');
  await eventually('the loss is noticed', () => channel.state === 'failed', 30_000);
  for (const unit of clip.units.slice(20, 30)) channel.offer(unit.data, unit.key, atUnixUs(unit));
  await eventually('a new detector', () => channel.state === 'starting', 60_000);
  expect(service.status()[0]).toMatchObject({ restarts: 1, channels: 1 });
  await feed(channel, clip.units.slice(30));
  expect(states).toEqual(['ok', 'failed', 'starting', 'ok']);
  expect(movingTimes(samples).at(-1)).toBeGreaterThan(11);
}, 120_000);

test('a detector that stands still is killed and replaced', async () => {
  const { channel } = open(service, clip);
  await isUp(service);
  const { pid } = service.status()[0] ?? {};
  process.kill(pid ?? 0, 'SIGSTOP');
  await eventually('the stall is noticed', () => channel.state === 'failed', 30_000);
  await eventually('a new detector', () => channel.state === 'starting', 60_000);
  await feed(channel, clip.units.slice(0, 20));
  expect(channel.state).toBe('ok');
}, 120_000);

test('refuses frames when too much is on its way, says so, and recovers', async () => {
  await service.close();
  service = await start(60_000);
  const { channel, states } = open(service, clip);
  await isUp(service);
  await feed(channel, clip.units.slice(0, 20));
  const { pid } = service.status()[0] ?? {};
  process.kill(pid ?? 0, 'SIGSTOP');
  const big = Buffer.concat([clip.units[0]?.data ?? Buffer.alloc(0), Buffer.alloc(1024 * 1024)]);
  let offered = 0;
  await eventually(
    'the channel is behind',
    () => {
      // Data behind the last NAL unit is filler; only its size matters here.
      channel.offer(big, true, START_UNIX_US + (10 + offered++) * 2e6);
      return channel.state !== 'ok';
    },
    30_000,
  );
  expect(channel.state).toBe('behind');
  expect(channel.counters.refused).toBeGreaterThan(0);
  expect(channel.counters.sent).toBeLessThan(20 + 5);
  process.kill(pid ?? 0, 'SIGCONT');
  await eventually(
    'it is heard again',
    async () => {
      const first = clip.units[0];
      if (first !== undefined)
        channel.offer(first.data, true, START_UNIX_US + (10 + offered++) * 2e6);
      await nextTurn();
      return channel.state === 'ok';
    },
    60_000,
  );
  expect(states.at(-1)).toBe('ok');
}, 120_000);

describe('bad input', () => {
  let random = 99;
  const noise = (bytes: number) =>
    Buffer.from(
      Uint8Array.from({ length: bytes }, () => {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        return random >>> 24;
      }),
    );

  test('does not harm other channels, nor end the process', async () => {
    const bad = open(service, clip);
    const good = open(service, clip);
    await isUp(service);
    const startCode = Buffer.from([0, 0, 0, 1]);
    for (let round = 0; round < 40; round++) {
      const unit = clip.units[round];
      if (unit === undefined) break;
      const cut = unit.data.subarray(0, Math.floor((unit.data.length * (round % 7)) / 7));
      const flipped = Buffer.from(unit.data);
      for (let at = 20; at < flipped.length; at += 37) flipped[at] = (flipped[at] ?? 0) ^ 0x55;
      const garbage = [
        noise(500),
        Buffer.concat([startCode, Buffer.from([0x65]), noise(3000)]),
        Buffer.concat([
          startCode,
          Buffer.from([0x67]),
          noise(40),
          startCode,
          Buffer.from([0x68]),
          noise(9),
        ]),
        cut,
        flipped,
        Buffer.alloc(0),
      ];
      garbage.forEach((data, index) =>
        bad.channel.offer(data, index % 2 === 0, atUnixUs(unit) + index),
      );
      await feed(good.channel, [unit]);
    }
    await feed(good.channel, clip.units.slice(40));
    expect(service.status()[0]?.restarts).toBe(0);
    expect(bad.channel.counters.undecodable).toBeGreaterThan(0);
    expect(good.channel.counters.undecodable).toBe(0);
    expect(good.channel.state).toBe('ok');
    expect(movingTimes(good.samples)[0]).toBeLessThanOrEqual(FROM_S + 1);
    // What was bad recovers as soon as it is good.
    await feed(bad.channel, clip.units.slice(0, 40), 100);
    expect(bad.channel.state).toBe('ok');
  }, 120_000);

  test('a format that claims another size is not believed', async () => {
    const lie = { ...clip, format: { ...clip.format, width: 4000, height: 3000 } };
    const { channel, samples } = open(service, lie);
    await isUp(service);
    await feed(channel, clip.units);
    expect(movingTimes(samples).length).toBeGreaterThan(5);
  }, 120_000);

  test('a parameter set that claims 4000x3000 for small slices costs nothing but the picture', async () => {
    const large = await encodeClip(new SyntheticScene({ width: 4000, height: 3000 }), {
      seconds: 0.1,
      fps: 10,
      groupFrames: 1,
    });
    const isParameterSet = (nal: Buffer) => [7, 8].includes((nal[4] ?? 0) & 31);
    const sets = splitUnit(large.units[0]?.data).filter(isParameterSet);
    const { channel } = open(service, clip);
    const other = open(service, clip);
    await isUp(service);
    for (const unit of clip.units.slice(0, 60)) {
      const slices = splitUnit(unit.data).filter((nal) => !isParameterSet(nal));
      const data = unit.key ? Buffer.concat([...sets, ...slices]) : unit.data;
      channel.offer(data, unit.key, atUnixUs(unit));
      await feed(other.channel, [unit]);
    }
    expect(service.status()[0]?.restarts).toBe(0);
    expect(other.channel.state).toBe('ok');
    await feed(channel, clip.units.slice(0, 40), 100);
    expect(channel.state).toBe('ok');
  }, 120_000);
});

test('channels may close while their frames are on the way', async () => {
  open(service, clip).channel.close();
  await isUp(service);
  for (let round = 0; round < 10; round++) {
    const { channel, samples } = open(service, clip);
    for (const unit of clip.units.slice(0, 20)) channel.offer(unit.data, unit.key, atUnixUs(unit));
    channel.close();
    const seen = samples.length;
    await nextTurn();
    expect(samples.length).toBe(seen);
  }
  expect(service.status()[0]).toMatchObject({ channels: 0, restarts: 0 });
  const { channel, samples } = open(service, clip);
  await feed(channel, clip.units);
  expect(movingTimes(samples).length).toBeGreaterThan(5);
}, 120_000);

test('there is a process only while there is something to look at', async () => {
  await service.close();
  service = await start(5000, 50);
  const { channel } = open(service, clip);
  await isUp(service);
  const { pid } = service.status()[0] ?? {};
  channel.close();
  const isGone = () => {
    try {
      return !process.kill(pid ?? 0, 0);
    } catch {
      return true;
    }
  };
  await eventually('the process has ended', isGone, 60_000);
  expect(service.status()[0]).toMatchObject({ channels: 0, restarts: 0 });
  expect(service.status()[0]?.pid).toBeUndefined();
  const { channel: next, samples } = open(service, clip);
  await isUp(service);
  await feed(next, clip.units);
  expect(movingTimes(samples).length).toBeGreaterThan(5);
  expect(service.status()[0]?.restarts).toBe(0);
}, 120_000);

test('settings are checked, and closing ends the processes', async () => {
  expect(service.status()[0]?.pid).toBeUndefined();
  const { channel } = open(service, clip);
  await isUp(service);
  expect(() => channel.setSettings({ sensitivity: 2 })).toThrow(/sensitivity of 0 to 1/);
  const { pid } = service.status()[0] ?? {};
  await service.close();
  expect(() => process.kill(pid ?? 0, 0)).toThrow(/ESRCH/);
  expect(() => open(service, clip)).toThrow(/closed/);
  channel.offer(clip.units[0]?.data ?? Buffer.alloc(0), true, START_UNIX_US);
  expect(channel.counters.offered).toBe(0);
}, 120_000);

/** NAL units of an access unit, each with a four-byte start code. */
function splitUnit(unit: Buffer = Buffer.alloc(0)): Buffer[] {
  const startCode = Buffer.from([0, 0, 0, 1]);
  const starts: number[] = [];
  for (let at = 0; at + 3 <= unit.length; at++) {
    if (unit[at] === 0 && unit[at + 1] === 0 && unit[at + 2] === 1) starts.push(at + 3);
  }
  return starts.map((start, index) => {
    const next = starts[index + 1];
    const end = next === undefined ? unit.length : next - 3;
    const body = unit.subarray(start, unit[end - 1] === 0 && next !== undefined ? end - 1 : end);
    return Buffer.concat([startCode, body]);
  });
}
