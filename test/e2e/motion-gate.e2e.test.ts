// Mode motion: what moves is kept whole, what is still writes nothing.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera, MotionAnswer } from '#contract';
import { Installation } from './installation.js';
import { HAS_GSTREAMER, sharedFootage, startGstreamer, type Peer } from './peers.js';
import { startSimulatedCamera } from './simulated-camera.js';

interface Interval {
  readonly from: number;
  readonly to: number;
}

const GATE = sharedFootage('gate-labelled.mp4');
const LABELS = sharedFootage('gate-labelled.json');
/** The pre-roll begins at a key frame, two seconds apart, and the detector takes its moment. */
const LEAD_SECONDS = 5 + 2 + 1;
/** The post-roll, a group, and the time an event needs to be seen as ended. */
const TAIL_SECONDS = 10 + 2 + 4;

describe('mode motion', () => {
  let installation: Installation;
  const sources: Peer[] = [];

  beforeAll(async () => {
    installation = await Installation.start();
  });
  afterAll(async () => {
    await installation?.close();
    for (const source of sources) await source.close();
  });

  test('a still scene writes not one byte of footage, and says why', async () => {
    const source = await startSimulatedCamera('yard');
    sources.push(source);
    const camera = await installation.addCamera('Yard', source.url);
    const online = await eventually('the camera is online', async () => {
      const status = await installation.status(camera.id);
      return status.state === 'online' && status.motion.detector === 'ok' ? Date.now() : undefined;
    });
    await eventually('25 s of stillness', () => Date.now() > online + 25_000, 30_000);
    expect(footageBytes(installation, camera)).toBe(0);
    const { recordings, gaps } = await installation.timeline(camera.id, online, Date.now());
    expect(recordings).toEqual([]);
    expect(gaps.map((gap) => gap.reason)).toEqual(['no-motion']);
    expect((await installation.status(camera.id)).recording).toMatchObject({
      active: false,
      mode: 'motion',
      reason: 'no-motion',
    });
  }, 90_000);

  const labelled = HAS_GSTREAMER && GATE !== undefined && LABELS !== undefined ? test : test.skip;
  labelled(
    'labelled footage: each interval is kept whole, the rest is not kept (needs shared/footage)',
    async () => {
      const { motion } = JSON.parse(readFileSync(LABELS!, 'utf8')) as { motion: Interval[] };
      const source = await startGstreamer(GATE!);
      sources.push(source);
      const camera = await installation.addCamera('Gate', source.url);
      // The server plays the file from its start for the first who asks.
      const startedAt = await eventually('the first frame', async () => {
        const { lastFrameAt } = await installation.status(camera.id);
        return lastFrameAt === undefined ? undefined : Date.parse(lastFrameAt);
      });
      const last = motion.at(-1)!;
      const endAt = startedAt + (last.to + TAIL_SECONDS) * 1000;
      await eventually('the footage has played', () => Date.now() > endAt + 1000, 200_000);

      const { recordings, gaps } = await installation.timeline(camera.id, startedAt, endAt);
      const kept = recordings
        .filter((span) => span.track === 'main')
        .map((span) => ({
          from: (Date.parse(span.from) - startedAt) / 1000,
          to: (Date.parse(span.to) - startedAt) / 1000,
        }));
      for (const { from, to } of motion) {
        expect(kept.filter((span) => span.from <= from && span.to >= to)).toHaveLength(1);
      }
      for (const span of kept) {
        const reasons = motion.filter(
          ({ from, to }) => span.from >= from - LEAD_SECONDS && span.from <= to,
        );
        expect(reasons.length).toBeGreaterThan(0);
        const latest = Math.max(
          ...motion.filter(({ from }) => from - LEAD_SECONDS <= span.to).map(({ to }) => to),
        );
        expect(span.to).toBeLessThanOrEqual(latest + TAIL_SECONDS);
      }
      expect(new Set(gaps.map((gap) => gap.reason))).toEqual(new Set(['no-motion']));

      const found = await installation.json<MotionAnswer>(
        'GET',
        `/api/motion?cameras=${camera.id}&from=${startedAt}&to=${endAt}`,
      );
      for (const { from, to } of motion) {
        const inside = found.items.filter(
          (event) =>
            Date.parse(event.from) <= startedAt + to * 1000 &&
            Date.parse(event.to) >= startedAt + from * 1000,
        );
        expect(inside.length).toBeGreaterThan(0);
      }
      const nowhere = await installation.json<MotionAnswer>(
        'GET',
        `/api/motion?cameras=${camera.id}&from=${startedAt}&to=${endAt}&minLevel=1`,
      );
      expect(nowhere.items.every((event) => event.peak >= 1)).toBe(true);
    },
    260_000,
  );
});

function footageBytes(installation: Installation, camera: Camera): number {
  const directory = join(installation.dataDir, 'store');
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes(camera.id))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
