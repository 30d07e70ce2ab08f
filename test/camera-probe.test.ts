// A probe by a camera's ONVIF door: which streams are taken, whether the credentials hold, what time
// the camera has, and what is said of all that.

import { systemClock } from '#base';
import { probeInputSchema, probeResultSchema, type ProbeResult } from '#contract';
import { startSimulator, type Simulator } from '../apps/simulator/src/index.js';
import { probe } from '../apps/recorder/src/camera-probe.js';

const credentials = { user: 'admin', password: 'p@ss/w:rd' };
const access = { username: credentials.user, password: credentials.password };

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ credentials });
});
afterAll(() => simulator.close());

async function look(input: object): Promise<ProbeResult> {
  const result = await probe(probeInputSchema.parse(input), systemClock);
  // What crosses the door, and nothing that must not.
  expect(JSON.stringify(result)).not.toMatch(/p@ss|p%40ss/);
  return probeResultSchema.parse(result);
}

function gradeOf(result: ProbeResult, item: string): string | undefined {
  return result.items.find((one) => one.item === item)?.grade;
}

test('main and sub are chosen, looked at and graded; the credentials are proven by the stream', async () => {
  const result = await look({ onvif: { url: simulator.onvifUrl('static'), ...access } });
  expect(result.onvif).toMatchObject({
    manufacturer: 'Nightjar',
    main: 'profile_main',
    sub: 'profile_sub',
    events: true,
    quirks: [],
  });
  expect(result).toMatchObject({
    reachable: true,
    grade: 'good',
    codec: 'h264',
    width: 1280,
    height: 720,
    fps: expect.closeTo(15, 0),
    groups: { medianSeconds: expect.closeTo(2, 1) },
    sub: { width: 640, height: 360, fps: expect.closeTo(10, 0) },
  });
  expect(gradeOf(result, 'credentials')).toBe('good');
  expect(gradeOf(result, 'clock')).toBe('good');
  expect(result.advice).toEqual([]);
}, 120_000);

test('a host that leads nowhere is made up for, and the clock is told', async () => {
  const faults = simulator.deviceFaults('static');
  faults.namedHost = '192.0.2.9';
  faults.clockOffsetMs = -3 * 31_557_600_000;
  faults.manufacturer = 'TP-Link';
  try {
    const result = await look({ onvif: { url: simulator.onvifUrl('static'), ...access } });
    expect(result.reachable).toBe(true);
    expect(result.width).toBe(1280);
    expect(result.items.find(({ item }) => item === 'address')?.found).toMatch(/192\.0\.2\.9/);
    expect(result.onvif?.profiles[0]).toMatchObject({
      streamUrl: simulator.url('static'),
      namedHost: '192.0.2.9',
    });
    expect(gradeOf(result, 'clock')).toBe('poor');
    expect(result.advice[0]).toMatch(/3 years behind/);
    expect(result.onvif?.quirks[0]?.camera).toBe('TP-Link Tapo');
    expect(result.grade).toBe('usable');
  } finally {
    for (const key of Object.keys(faults)) delete faults[key as keyof typeof faults];
  }
}, 120_000);

test('wrong credentials are said to be wrong, with the clock that may be why', async () => {
  const onvif = { url: simulator.onvifUrl('static'), username: 'admin', password: 'wrong' };
  const result = await look({ onvif });
  expect(result).toMatchObject({ reachable: true, grade: 'unusable' });
  expect(gradeOf(result, 'credentials')).toBe('poor');
});

test('nobody at home, and nothing to ask', async () => {
  const closed = await startSimulator();
  const url = closed.onvifUrl('static');
  await closed.close();
  expect(await look({ onvif: { url } })).toMatchObject({ reachable: false, grade: 'unusable' });
  for (const input of [{}, { url: simulator.url('static'), onvif: { url } }]) {
    expect(probeInputSchema.safeParse(input).success).toBe(false);
  }
});
