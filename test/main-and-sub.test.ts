// A camera's two streams on a real recorder: the small one always and the large one around movement,
// played as one; movement looked for in the small one, and in the large one while that is away.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { Playback, Recorder, type CameraSettings } from '#pipeline';
import { makeClip, Simulator } from '../apps/simulator/src/index.js';
import { hasFfmpeg } from './fixtures/encoded-video.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const S = 1_000_000;
const log = silentLog();
const directory = mkdtempSync(join(tmpdir(), 'nightjar-main-and-sub-'));

let simulator: Simulator;
let recorder: Recorder;

beforeAll(async () => {
  // The last four seconds of a walk, then nothing for fourteen, over and over.
  const seen = { fromSeconds: 12, seconds: 18 };
  simulator = await Simulator.start({
    clips: {
      large: await makeClip('gate', { ...seen, width: 640, height: 360 }),
      small: await makeClip('gate', { ...seen, width: 320, height: 180 }),
      moving: await makeClip('gate', { fromSeconds: 5 }),
    },
  });
  recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log,
    motionProcesses: 1,
  });
}, 120_000);

afterAll(async () => {
  await recorder?.close();
  await simulator?.close();
  rmSync(directory, { recursive: true, force: true });
});

function camera(main: string, sub: string, mode: 'motion' | 'motion+lowres'): CameraSettings {
  return {
    id: CAMERA,
    name: 'Gate',
    streams: { main: simulator.url(main), sub: simulator.url(sub) },
    transport: 'tcp',
    recording: { mode, preRollSeconds: 2, postRollSeconds: 2 },
    retention: { days: 30 },
    motion: { sensitivity: 0.5 },
  };
}

async function spansOf(track: 'main' | 'sub') {
  const spans = await recorder.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  return spans.filter((span) => span.track === track);
}

/** The width of the picture, by a decoder that knows nothing of us. */
function widthsIn(bytes: Buffer): string {
  const path = join(directory, 'clip.mp4');
  writeFileSync(path, bytes);
  const flags = ['-v', 'error', '-show_entries', 'frame=width', '-of', 'csv=p=0', path];
  const { stdout, stderr } = spawnSync('ffprobe', flags, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return [...new Set(stdout.trim().split(/\D+/))].join();
}

test('the small stream is kept without a gap, the large one around movement, and both play as one', async () => {
  await recorder.apply({ cameras: [camera('large', 'small', 'motion+lowres')], holds: [] });
  // Two movements with a stillness between them, whole.
  await eventually(
    'main was kept, ended, and began again',
    async () => {
      const main = await spansOf('main');
      const still = main.findIndex((span, at) => {
        const next = main[at + 1];
        return next !== undefined && next.fromUnixUs - span.toUnixUs > 5 * S;
      });
      return still >= 0;
    },
    100_000,
  );
  const main = await spansOf('main');
  const at = main.findIndex(
    (span, index) => (main[index + 1]?.fromUnixUs ?? 0) - span.toUnixUs > 5 * S,
  );
  const stillFromUs = main[at]?.toUnixUs ?? 0;
  const stillToUs = main[at + 1]?.fromUnixUs ?? 0;
  const sub = await spansOf('sub');
  expect(sub).toHaveLength(1);
  expect(sub[0]?.fromUnixUs).toBeLessThan(stillFromUs);
  expect(sub[0]?.toUnixUs).toBeGreaterThan(stillToUs);
  // No hole within either: a span that is one in the timeline is one in the groups.
  const groups = await recorder.timeline.groups(CAMERA, 'sub', {
    fromUnixUs: stillFromUs,
    toUnixUs: stillToUs,
  });
  groups.slice(1).forEach((group, index) => {
    expect(group.startDts90k - (groups[index]?.startDts90k ?? 0)).toBe(90_000);
  });
  expect(groups.length).toBeGreaterThanOrEqual(5);
  // Each time that main was kept has a movement in it.
  const { items } = await recorder.timeline.motion({
    cameras: [CAMERA],
    fromUnixUs: 0,
    toUnixUs: stillToUs + 60 * S,
    limit: 100,
  });
  const kept = main[at];
  expect(
    items.some(
      ({ startUnixUs, endUnixUs }) =>
        startUnixUs < (kept?.toUnixUs ?? 0) && endUnixUs > (kept?.fromUnixUs ?? Infinity),
    ),
  ).toBe(true);
  // None within the stillness but what the pre-roll before the next one covers.
  expect(
    items.some(({ startUnixUs }) => startUnixUs > stillFromUs && startUnixUs < stillToUs),
  ).toBe(false);
  expect(recorder.report(CAMERA)?.reason).toBeUndefined();

  const { timeline, store } = recorder;
  const playback = new Playback({ timeline, store, clock: systemClock, log });
  const still = { camera: CAMERA, fromUnixUs: stillFromUs + S, toUnixUs: stillFromUs + 4 * S };
  const text = await playback.playlist(still);
  expect(text).toContain('track=sub');
  expect(text).not.toContain('track=main');
  const clip = await playback.clip(still);
  const parts: Buffer[] = [];
  for await (const part of clip.bytes) parts.push(part);
  // What is not there in the large picture is there all the same.
  if (hasFfmpeg) expect(widthsIn(Buffer.concat(parts))).toBe('320');
  const picture = await playback.still(CAMERA, still.fromUnixUs + S);
  expect(still.fromUnixUs + S - (picture?.frameUnixUs ?? 0)).toBeLessThan(150_000);

  const whole = { ...still, fromUnixUs: stillFromUs - S, toUnixUs: stillToUs + S };
  const both = await playback.playlist(whole);
  const tracks = [...both.matchAll(/slice\.m4s\?[^\n]*track=(main|sub)/g)].map(
    ([, track]) => track,
  );
  const changes = tracks.filter((track, index) => track !== tracks[index - 1]);
  expect(changes).toEqual(['main', 'sub', 'main']);
}, 160_000);

test('movement is looked for in the small stream, and in the large one while that is away', async () => {
  await recorder.apply({ cameras: [camera('moving', 'small', 'motion')], holds: [] });
  await eventually(
    'the detector works',
    () => recorder.report(CAMERA)?.motion.detector === 'ok',
    30_000,
  );
  simulator.stream('small').stop();
  const sentence = () => recorder.report(CAMERA)?.reason ?? '';
  await eventually(
    'everything is kept meanwhile',
    () => /recording continuously: the sub stream/.test(sentence()),
    30_000,
  );
  await eventually(
    'the large one is looked at',
    () => {
      const { detector, active } = recorder.report(CAMERA)?.motion ?? {};
      return detector === 'ok' && active === true && /in the main stream$/.test(sentence());
    },
    60_000,
  );
  simulator.stream('small').start();
  await eventually('all is as declared', () => sentence() === '', 60_000);
  await eventually(
    'the small one is looked at again',
    () => recorder.report(CAMERA)?.motion.detector === 'ok',
    30_000,
  );
}, 160_000);
