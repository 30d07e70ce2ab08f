// A camera whose own ONVIF events decide what is kept: what it tells of is, and nothing else.

import { eventually } from '#base/testing';
import type { MotionAnswer } from '#contract';
import { Installation } from './installation.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

/** When people walk through the simulated gate, in seconds of its loop, which follows the clock. */
const LOOP_SECONDS = 60;
const ALARMS = [
  { from: 5, to: 16 },
  { from: 34, to: 47 },
];
const PRE_ROLL = 2;
const POST_ROLL = 2;
/** A group, and the moment that an event takes to be told. */
const SLACK = 2 + 1.5;

let installation: Installation;
let simulator: SimulatedCamera;

beforeAll(async () => {
  installation = await Installation.start();
  // In this picture nobody moves: whatever is kept, the picture was not the reason.
  simulator = await startSimulatedCamera('yard');
}, 200_000);

afterAll(async () => {
  await installation?.close();
  await simulator?.close();
});

test('mode motion with the camera’s own events keeps what it tells of, and nothing else', async () => {
  const onvif = { url: `http://127.0.0.1:${simulator.onvifPort}/onvif/gate/device_service` };
  const refused = await installation.fetch('POST', '/api/cameras', {
    name: 'Yard',
    streams: { main: simulator.url },
    motion: { source: 'onvif' },
  });
  expect(refused.status).toBe(400);
  const camera = await installation.addCamera('Yard', simulator.url, {
    onvif,
    motion: { source: 'onvif' },
    recording: { mode: 'motion', preRollSeconds: PRE_ROLL, postRollSeconds: POST_ROLL },
  });
  const startedAt = await eventually(
    'its events are asked for',
    async () => {
      const { state, motion } = await installation.status(camera.id);
      return state === 'online' && motion.events?.state === 'ok' ? Date.now() : undefined;
    },
    30_000,
  );
  const status = await installation.status(camera.id);
  expect(status.motion).toMatchObject({ source: 'onvif', detector: 'ok' });

  const endAt = startedAt + (LOOP_SECONDS + 8) * 1000;
  await eventually('the loop has been seen', () => Date.now() > endAt, 90_000);
  const { recordings, gaps, motion } = await installation.timeline(camera.id, startedAt, endAt);
  const alarms = alarmsBetween(startedAt, endAt - 8000);
  expect(alarms.length).toBeGreaterThanOrEqual(1);
  const kept = recordings.map(({ from, to }) => ({ from: seconds(from), to: seconds(to) }));
  for (const { from, to } of alarms) {
    const whole = kept.filter((span) => span.from <= from && span.to >= to);
    expect(whole).toHaveLength(1);
    expect(motion.some((event) => seconds(event.from) <= to && seconds(event.to) >= from)).toBe(
      true,
    );
  }
  const all = alarmsBetween(startedAt - LOOP_SECONDS * 1000, endAt + LOOP_SECONDS * 1000);
  // Until its events come, all is kept.
  const unknown = { from: kept[0]?.from ?? 0, to: startedAt / 1000 };
  for (const span of kept) {
    const known = span.from < unknown.to ? [unknown, ...all] : all;
    const reasons = known.filter(({ from, to }) => from < span.to && to > span.from - POST_ROLL);
    expect(reasons.length).toBeGreaterThan(0);
    const first = Math.min(...reasons.map(({ from }) => from));
    const last = Math.max(...reasons.map(({ to }) => to));
    expect(span.from).toBeGreaterThanOrEqual(first - PRE_ROLL - 2 - SLACK);
    expect(span.to).toBeLessThanOrEqual(last + POST_ROLL + SLACK);
  }
  expect(new Set(gaps.map((gap) => gap.reason))).toEqual(new Set(['no-motion']));
  expect(motion.every((event) => event.peak === 1)).toBe(true);

  // Where it was is not known: a search for a place gives it with no cells.
  const found = await installation.json<MotionAnswer>(
    'GET',
    `/api/motion?cameras=${camera.id}&from=${startedAt}&to=${endAt}&region=0,0,0.1,0.1`,
  );
  expect(found.items.length).toBe(motion.length);
  expect(found.items.every((event) => event.cells.length === 0)).toBe(true);
}, 180_000);

function seconds(instant: string): number {
  return Date.parse(instant) / 1000;
}

/** The alarms that begin and end inside of a period. */
function alarmsBetween(fromUnixMs: number, toUnixMs: number): { from: number; to: number }[] {
  const [start, end] = [fromUnixMs / 1000, toUnixMs / 1000];
  const found: { from: number; to: number }[] = [];
  for (let loop = Math.floor(start / LOOP_SECONDS); loop * LOOP_SECONDS < end; loop++) {
    for (const { from, to } of ALARMS) {
      const alarm = { from: loop * LOOP_SECONDS + from, to: loop * LOOP_SECONDS + to };
      if (alarm.from > start && alarm.to < end) found.push(alarm);
    }
  }
  return found;
}
