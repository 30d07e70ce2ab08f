// The past: across gaps, changes of format, damage; and retention with holds and a crash half-way.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasFfmpeg } from '../../../test/fixtures/encoded-video.js';
import { CAMERA, large, log, Rig, S, samplesOf } from './footage-rig.test-support.js';
import { Retention, type RetentionOptions } from './retention.js';

const rigs: Rig[] = [];
async function open(): Promise<Rig> {
  const rig = await new Rig().open();
  rigs.push(rig);
  return rig;
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.close();
    rmSync(rig.directory, { recursive: true, force: true });
  }
});

async function clipOf(rig: Rig, from: number, to: number) {
  const clip = await rig.playback.clip(rig.period(from, to));
  const parts: Buffer[] = [];
  for await (const part of clip.bytes) parts.push(part);
  return { file: Buffer.concat(parts), gaps: clip.gaps };
}

function expectPlays(rig: Rig, file: Buffer): void {
  if (!hasFfmpeg) return;
  const path = join(rig.directory, 'clip.mp4');
  writeFileSync(path, file);
  const args = ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-'];
  expect(spawnSync('ffmpeg', args, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
}

test.each([
  [0, 6, 60],
  [1.25, 3.75, 28],
  [2.05, 2.15, 2],
  [0.5, 1, 10],
])('a clip from %d to %d takes exactly that long', async (from, to, frames) => {
  const rig = await open();
  await rig.record(0, 6);
  const { file, gaps } = await clipOf(rig, from, to);
  expect(gaps).toEqual([]);
  const samples = samplesOf(file);
  expect(samples.count).toBe(frames);
  expect(samples.seconds).toBeCloseTo(to - from, 4);
  expectPlays(rig, file);
});

test('a clip goes on across a gap and a change of format, and says what is missing and why', async () => {
  const rig = await open();
  await rig.record(0, 4);
  await rig.timeline.commit({
    gaps: [
      { camera: CAMERA, startUnixUs: rig.t0 + 4 * S, endUnixUs: rig.t0 + 7 * S, reason: 'network' },
      {
        camera: CAMERA,
        startUnixUs: rig.t0 + 7 * S,
        endUnixUs: rig.t0 + 10 * S,
        reason: 'restart',
      },
    ],
  });
  await rig.record(10, 4, large);
  rig.clock.advance(60_000);
  const { file, gaps } = await clipOf(rig, 2, 20);
  expect(
    gaps.map((gap) => [(gap.fromUnixUs - rig.t0) / S, (gap.toUnixUs - rig.t0) / S, gap.reason]),
  ).toEqual([[4, 7, 'network'], [7, 10, 'restart'], [14, 20, 'unknown']]); // prettier-ignore
  expect(samplesOf(file).seconds).toBeCloseTo(6, 4);
  expect(file.toString('latin1').split('avc1')).toHaveLength(3);
  expectPlays(rig, file);
  await expect(rig.playback.clip(rig.period(5, 9))).rejects.toMatchObject({ code: 'not-found' });
});

test('every address of a playlist answers, and slices play behind their initialisation', async () => {
  const rig = await open();
  await rig.record(0, 6);
  await rig.record(10, 4, large);
  const text = await rig.playback.playlist(rig.period(1, 14));
  const inits = [...text.matchAll(/URI="init\.mp4\?track=main&from=(\d+)"/g)];
  const slices = [...text.matchAll(/slice\.m4s\?track=main&from=(\d+)&last=(\d+)&to=(\d+)/g)];
  expect(inits).toHaveLength(2);
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
  let count = 0;
  for (const [, ...numbers] of slices) {
    const [fromUnixUs = 0, lastUnixUs = 0, toUnixUs = 0] = numbers.map(Number);
    const init = await rig.playback.init({ camera: CAMERA, track: 'main', fromUnixUs: fromUnixUs });
    const parts = await rig.playback.slice({
      camera: CAMERA,
      track: 'main',
      fromUnixUs,
      lastUnixUs,
      toUnixUs,
    });
    count += samplesOf(Buffer.concat(parts)).count;
    expectPlays(rig, Buffer.concat([init, ...parts]));
  }
  expect(count).toBe(50 + 40);
});

test('a still is the frame at the moment, with what it needs to be decoded', async () => {
  const rig = await open();
  await rig.record(0, 3);
  const still = await rig.playback.still(CAMERA, rig.t0 + 1.45 * S);
  expect(((still?.frameUnixUs ?? 0) - rig.t0) / S).toBeCloseTo(1.4, 3);
  expect(samplesOf(Buffer.concat(still?.bytes ?? [])).count).toBe(5);
  expect(await rig.playback.still(CAMERA, rig.t0 - S)).toBeUndefined();
});

test('a damaged group is left out and noted, the rest plays', async () => {
  const rig = await open();
  await rig.record(0, 6);
  const groups = await rig.timeline.groups(CAMERA, 'main', { fromUnixUs: 0, toUnixUs: 9e15 });
  const last = groups.at(-1);
  const chunk = await rig.timeline.chunk(last?.chunkId ?? 0);
  truncateSync(join(rig.directory, 'store', chunk?.path ?? ''), (last?.offset ?? 0) + 500);
  const playback = rig.playback;
  const clip = await playback.clip(rig.period(0, 6));
  let seconds = 0;
  for await (const part of clip.bytes) seconds += samplesOf(part).seconds;
  expect(seconds).toBeCloseTo(5, 3);
  expect(playback.damagedGroups).toBe(1);
});

function retentionOf(
  rig: Rig,
  days: number,
  more: Partial<RetentionOptions> & { maxBytes?: number; minDays?: number } = {},
) {
  const { maxBytes, minDays, ...options } = more;
  const { store, timeline, clock } = rig;
  return new Retention({
    store,
    timeline,
    clock,
    log,
    cameras: () => new Map([[CAMERA, { retention: { days, maxBytes, minDays } }]]),
    isWriting: () => false,
    watermarks: () => ({ lowBytes: 0, criticalBytes: 0, stopBytes: 0 }),
    ...options,
  });
}

function filesOf(rig: Rig): string[] {
  return readdirSync(join(rig.directory, 'store'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h264'))
    .filter((name) => statSync(join(rig.directory, 'store', name)).isFile());
}

test('retention deletes whole chunks whose last frame is too old, file and rows and all', async () => {
  const rig = await open();
  await rig.record(0, 12);
  await rig.seal();
  const before = filesOf(rig).length;
  expect(before).toBeGreaterThan(2);
  rig.clock.advance(86_400_000 - 6_000);
  await retentionOf(rig, 1).run();
  const [span] = await rig.timeline.recordings(CAMERA, 0, 9e15);
  const chunks = await rig.timeline.chunksOf(CAMERA);
  const limit = rig.clock.nowUnixUs() - 86_400 * S;
  expect(filesOf(rig).length).toBe(chunks.length);
  expect(chunks.length).toBeLessThan(before);
  expect(chunks.every((chunk) => chunk.lastUnixUs >= limit)).toBe(true);
  expect(span?.fromUnixUs).toBeLessThanOrEqual(limit);
  const deletions = await rig.timeline.deletions({ limit: 100 });
  expect(deletions).toHaveLength(before - chunks.length);
  rig.clock.advance(86_400_000);
  await retentionOf(rig, 1).run();
  expect(filesOf(rig)).toEqual([]);
  expect(await rig.timeline.usage()).toEqual([]);
});

test('a hold beats age and space', async () => {
  const rig = await open();
  await rig.record(0, 12);
  await rig.seal();
  const held = rig.period(4, 5);
  await rig.timeline.putHolds([
    {
      id: CAMERA,
      cameras: [CAMERA],
      fromUnixMs: held.fromUnixUs / 1000,
      toUnixMs: held.toUnixUs / 1000,
    },
  ]);
  rig.clock.advance(10 * 86_400_000);
  await retentionOf(rig, 1, { maxBytes: 1 }).run();
  const chunks = await rig.timeline.chunksOf(CAMERA);
  expect(chunks.length).toBeGreaterThan(0);
  expect(
    chunks.every((row) => row.firstUnixUs <= held.toUnixUs && row.lastUnixUs >= held.fromUnixUs),
  ).toBe(true);
  await rig.timeline.putHolds([]);
  await retentionOf(rig, 1).run();
  expect(filesOf(rig)).toEqual([]);
});

test('too many bytes of a camera and too little free space take the oldest, but nothing within minDays', async () => {
  const rig = await open();
  await rig.record(0, 12);
  await rig.seal();
  const chunks = await rig.timeline.chunksOf(CAMERA);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  await retentionOf(rig, 30, { maxBytes: bytes - 1, minDays: 1 }).run();
  expect(filesOf(rig)).toHaveLength(chunks.length);
  await retentionOf(rig, 30, { maxBytes: bytes - 1 }).run();
  const left = await rig.timeline.chunksOf(CAMERA);
  expect(left.map((chunk) => chunk.id)).toEqual(chunks.slice(1).map((chunk) => chunk.id));
  rig.clock.advance(1000);
  const full = { lowBytes: 1e18, criticalBytes: 0, stopBytes: 0 };
  await retentionOf(rig, 30, { watermarks: () => full, minDays: 1 }).run();
  expect(filesOf(rig)).toHaveLength(left.length);
  await retentionOf(rig, 30, { watermarks: () => full }).run();
  expect(filesOf(rig)).toEqual([]);
});

test('a deletion that a crash cut short is finished at the next start', async () => {
  const rig = await open();
  await rig.record(0, 12);
  await rig.seal();
  const before = filesOf(rig).length;
  rig.clock.advance(2 * 86_400_000);
  const { store } = rig;
  // The process dies between the index and the file.
  const dying = new Proxy(store, {
    get: (target, name) => {
      if (name === 'deleteChunk') return () => new Promise(() => undefined);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
  void retentionOf(rig, 1, { store: dying }).run();
  while ((await rig.timeline.deletions({ limit: 10 })).length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(filesOf(rig)).toHaveLength(before);
  const retention = retentionOf(rig, 1);
  await retention.start();
  await retention.run();
  await retention.close();
  expect(filesOf(rig)).toEqual([]);
  expect(await rig.timeline.deletions({ limit: 100 })).toHaveLength(before);
});
