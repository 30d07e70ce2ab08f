// The camera's own events as the source of movement: what is recorded, noted and said, by a whole
// recorder with a simulated camera whose picture never changes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { EventSource } from '#onvif';
import { Recorder, type CameraSettings, type RecorderOptions } from '#pipeline';
import { Simulator, makeClip } from '../apps/simulator/src/index.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const SCENE = 'static';
const log = silentLog();

let simulator: Simulator;
const directories: string[] = [];
const opened: Recorder[] = [];

beforeEach(async () => {
  simulator = await Simulator.start({ clips: { still: await makeClip(SCENE) } });
}, 60_000);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((recorder) => recorder.close()));
  await simulator.close();
});

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const openAlarms: NonNullable<RecorderOptions['openAlarms']> = ({ onvif }, listener) =>
  new EventSource({
    address: onvif,
    clock: systemClock,
    log,
    onMotion: (active) => listener.onMotion(active),
    onState: (state, message) => listener.onState(state, message),
  });

async function open(more: Partial<RecorderOptions> = { openAlarms }): Promise<Recorder> {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-alarms-'));
  directories.push(directory);
  const recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log,
    motionProcesses: 1,
    ...more,
  });
  opened.push(recorder);
  return recorder;
}

function settings(source: 'onvif' | 'both' | 'video', more: Partial<CameraSettings> = {}) {
  return {
    id: CAMERA,
    name: 'Gate',
    streams: { main: simulator.url('still') },
    transport: 'tcp',
    recording: { mode: 'motion', preRollSeconds: 1, postRollSeconds: 1 },
    retention: { days: 30 },
    motion: { source, sensitivity: 0.5 },
    onvif: { url: simulator.onvifUrl(SCENE) },
    ...more,
  } satisfies CameraSettings;
}

const FOREVER = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };

const spansOf = (recorder: Recorder) =>
  recorder.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);

const reportOf = (recorder: Recorder) => recorder.report(CAMERA);

/** Online, its events there, and nothing kept: the still scene is being passed over. */
async function quiet(recorder: Recorder): Promise<void> {
  await eventually(
    'nothing is kept, and that is known to be right',
    async () => {
      const report = reportOf(recorder);
      return (
        report?.state === 'online' &&
        report.motion.detector === 'ok' &&
        !report.recording.active &&
        report.recording.reason === 'no-motion'
      );
    },
    30_000,
  );
}

test('what the camera tells of is kept, with pre-roll and post-roll, and noted without a place', async () => {
  const recorder = await open();
  await recorder.apply({ cameras: [settings('onvif')], holds: [] });
  await quiet(recorder);
  expect(await spansOf(recorder)).toEqual([]);
  expect(reportOf(recorder)?.motion).toMatchObject({
    source: 'onvif',
    events: { state: 'ok', endlessAlarms: 0 },
  });
  const beganUs = systemClock.nowUnixUs();
  simulator.events(SCENE).force(true);
  await eventually('it is kept', () => reportOf(recorder)?.recording.active === true);
  expect(reportOf(recorder)?.motion).toMatchObject({ active: true, level: 1 });
  await eventually('three seconds are kept', async () => {
    const [span] = await spansOf(recorder);
    return span !== undefined && span.toUnixUs - beganUs > 3e6;
  });
  simulator.events(SCENE).force(false);
  const endedUs = systemClock.nowUnixUs();
  await eventually('it ends', () => reportOf(recorder)?.recording.reason === 'no-motion');
  await eventually('its end is indexed', async () => {
    const gaps = await recorder.timeline.gaps(CAMERA, 0, Number.MAX_SAFE_INTEGER);
    return gaps.some((gap) => gap.reason === 'no-motion' && gap.startUnixUs > beganUs);
  });
  const spans = await spansOf(recorder);
  expect(spans).toHaveLength(1);
  const [span] = spans;
  expect(span?.fromUnixUs).toBeLessThanOrEqual(beganUs - 0.9e6);
  expect(span?.toUnixUs).toBeGreaterThanOrEqual(endedUs);

  const { items } = await recorder.timeline.motion({ cameras: [CAMERA], ...FOREVER, limit: 9 });
  expect(items).toHaveLength(1);
  const [event] = items;
  expect(event?.peak).toBe(1);
  expect(event?.cells.every((bits) => bits === 0)).toBe(true);
  expect(event?.endUnixUs).toBeGreaterThanOrEqual(endedUs - 1e6);
  // A search for a place neither leaves it out nor says that it was there.
  const cells = new Uint8Array(18);
  cells[3] = 4;
  const there = await recorder.timeline.motion({ cameras: [CAMERA], ...FOREVER, cells, limit: 9 });
  expect(there.items).toEqual(items);
}, 90_000);

test('while the camera’s events are away it records continuously and says why, and then no more', async () => {
  const recorder = await open();
  const [byEvents, byPicture] = [settings('onvif'), settings('video')];
  await simulator.onvif.stop();
  await recorder.apply({ cameras: [byEvents], holds: [] });
  await eventually('it records', () => reportOf(recorder)?.recording.active === true, 30_000);
  await eventually('it says why', () =>
    /^recording continuously: its events cannot be had: /.test(reportOf(recorder)?.reason ?? ''),
  );
  expect(reportOf(recorder)?.motion).toMatchObject({
    detector: 'failed',
    events: { state: 'failed' },
  });
  await recorder.apply({ cameras: [byPicture], holds: [] });
  await eventually(
    'the picture is looked at',
    () => reportOf(recorder)?.motion.detector === 'ok',
    30_000,
  );
  expect(reportOf(recorder)?.motion).toMatchObject({ source: 'video' });
  expect(reportOf(recorder)?.motion).not.toHaveProperty('events');
}, 90_000);

test('with both sources one that works is enough, and the other is said to be away', async () => {
  const recorder = await open();
  await recorder.apply({ cameras: [settings('both')], holds: [] });
  await quiet(recorder);
  simulator.events(SCENE).force(true);
  await eventually('it is kept', () => reportOf(recorder)?.recording.active === true);
  await simulator.onvif.stop();
  await eventually(
    'the picture is trusted',
    () => /^motion is looked for in the picture only: /.test(reportOf(recorder)?.reason ?? ''),
    30_000,
  );
  await quiet(recorder);
}, 90_000);

test('a recorder that cannot ask cameras says so and keeps everything', async () => {
  const recorder = await open({});
  await recorder.apply({ cameras: [settings('onvif')], holds: [] });
  await eventually('it records', () => reportOf(recorder)?.recording.active === true, 30_000);
  expect(reportOf(recorder)?.reason).toMatch(/^recording continuously: no ONVIF address/);
}, 60_000);

test('a camera that is no longer asked gets its place back', async () => {
  const recorder = await open();
  await recorder.apply({ cameras: [settings('onvif')], holds: [] });
  await eventually('the subscription', () => simulator.events(SCENE).subscriptionCount === 1);
  await recorder.apply({ cameras: [settings('video')], holds: [] });
  await eventually('it is given back', () => simulator.events(SCENE).subscriptionCount === 0);
}, 60_000);
