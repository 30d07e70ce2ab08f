// Six good cameras beside one of each hostile kind on one recorder: the good ones lose no frame.
// `npm run load -- hostile` does it with fifty, for a minute, in processes of their own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { Recorder, type CameraSettings } from '#pipeline';
import { makeClip, Simulator } from '../apps/simulator/src/index.js';
import { HOSTILE_KINDS, startHostileCamera, type HostileCamera } from './load/hostile-cameras.js';

const GOOD = 6;
const SECONDS = 8;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function settings(number: number, url: string): CameraSettings {
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    name: `Camera ${number}`,
    streams: { main: url },
    transport: 'tcp',
    recording: { mode: 'continuous', preRollSeconds: 2, postRollSeconds: 2 },
    retention: { days: 30 },
    motion: { sensitivity: 0.5 },
  };
}

test('hostile cameras cost the good ones nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-hostile-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  const clip = await makeClip('static');
  const simulator = await Simulator.start({ clips: { clip } });
  cleanups.push(() => simulator.close());
  const hostile: HostileCamera[] = await Promise.all(HOSTILE_KINDS.map(startHostileCamera));
  cleanups.push(() => Promise.all(hostile.map((camera) => camera.close())));
  const recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log: silentLog(),
    motionProcesses: 1,
  });
  cleanups.push(() => recorder.close());
  const good = Array.from({ length: GOOD }, (_, index) => settings(index, simulator.url('clip')));
  const bad = hostile.map(({ url }, index) => settings(GOOD + index, url));
  await recorder.apply({ cameras: [...good, ...bad], holds: [] });

  const framesOf = ({ id }: CameraSettings) => recorder.report(id)?.tracks[0]?.frames ?? 0;
  await eventually('frames of all', () => good.every((camera) => framesOf(camera) > 0), 20_000);
  await eventually(
    `${SECONDS} seconds of all`,
    () => good.every((camera) => framesOf(camera) > SECONDS * 10),
    90_000,
  );
  expect(hostile.every(({ connections }) => connections > 0)).toBe(true);
  for (const { id } of good) {
    const [track] = recorder.report(id)?.tracks ?? [];
    expect(track).toMatchObject({ connects: 1, lostPackets: 0, dropped: {}, disconnects: {} });
    const forever = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
    const groups = await eventually(
      'five groups are safe',
      async () => {
        const found = await recorder.timeline.groups(id, 'main', forever);
        return found.length > 4 ? found : undefined;
      },
      60_000,
    );
    // Each group is whole: ten frames in a second, one group behind the other.
    const whole = groups.slice(0, -1);
    expect(new Set(whole.map(({ frameCount }) => frameCount))).toEqual(new Set([10]));
    const steps = groups
      .slice(1)
      .map((group, i) => group.startDts90k - (groups[i]?.startDts90k ?? 0));
    expect(new Set(steps)).toEqual(new Set([90_000]));
  }
  const reasons = new Set(
    bad.flatMap(({ id }) => Object.keys(recorder.report(id)?.tracks[0]?.disconnects ?? {})),
  );
  expect(reasons).toContain('protocol');
  expect(reasons).toContain('closed-by-camera');
}, 300_000);
