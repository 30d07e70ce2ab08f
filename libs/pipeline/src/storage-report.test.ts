// Forecasts and what goes next, by every rule, from the index of a real store.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import type { TrackName } from '#media';
import { ChunkStore, STORE_IDENTITY_FILE } from '#store';
import { rememberDirectories, Timeline, type ChunkRow } from '#timeline';
import type { Elsewhere } from './camera-share.js';
import { DAY_US, type RetentionPolicy } from './retention-policy.js';
import { Retention } from './retention.js';
import { reportStorage, type StorageReport } from './storage-report.js';

const [A, B, C] = [1, 2, 3].map((last) => `7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a1${last}`) as [
  string,
  string,
  string,
];
/** Much more than a test machine's disk changes meanwhile. */
const TB = 1e12;
const log = silentLog();
const directory = mkdtempSync(join(tmpdir(), 'nightjar-report-'));
const clock = new FakeClock();

let timeline: Timeline;
let store: ChunkStore;
let freeBytes = 0;
let nextId = 1;

beforeEach(async () => {
  const below = mkdtempSync(join(directory, 'store-'));
  timeline = await Timeline.open({ directory: join(below, 'index'), clock, log });
  store = await ChunkStore.open({ directories: [join(below, 's')], clock, log });
  freeBytes = store.directories[0]?.freeBytes ?? 0;
});

afterEach(async () => {
  await store.close();
  await timeline.close();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function add(
  camera: string,
  agoDays: number,
  sizeBytes: number,
  track: TrackName = 'main',
): Promise<ChunkRow> {
  const firstUnixUs = clock.nowUnixUs() - agoDays * DAY_US;
  const id = nextId++;
  const chunk: ChunkRow = {
    ...{ id, camera, track, codec: 'h264', sealed: true, sizeBytes },
    store: store.directories[0]?.id ?? '',
    path: `${camera}/${track}/2026-01-01/000000-${id}.h264`,
    ...{ firstUnixUs, lastUnixUs: firstUnixUs + DAY_US / 24 },
  };
  await timeline.commit({ chunks: [chunk] });
  return chunk;
}

/** With so much room above the low mark; `low` above it, and as much again to the stop. */
async function report(
  policies: ReadonlyMap<string, RetentionPolicy>,
  o: { roomBytes: number; perDay?: number; elsewhere?: readonly Elsewhere[] },
): Promise<StorageReport> {
  const { roomBytes, perDay = TB, elsewhere = [] } = o;
  const cameras = () => new Map([...policies].map(([id, retention]) => [id, { retention }]));
  const retention = new Retention({
    ...{ store, timeline, clock, log, cameras, isWriting: () => false },
    elsewhere: () => Promise.resolve(new Map([[A, elsewhere]])),
    watermarks: () => ({
      lowBytes: freeBytes - roomBytes,
      criticalBytes: freeBytes - roomBytes,
      stopBytes: freeBytes - 2 * roomBytes,
    }),
  });
  return reportStorage({
    ...{ clock, store, timeline, retention },
    scrub: { report: () => ({}) as never },
    warm: { report: () => undefined },
    retentionOf: (camera) => policies.get(camera),
    writeRates: () => new Map([...policies.keys()].map((id) => [id, perDay / 86_400])),
  });
}

const of = (told: StorageReport, camera: string) => {
  const found = told.cameras.find(({ id }) => id === camera);
  if (found === undefined) throw new Error('the camera is missing');
  return found;
};
const inDays = (told: StorageReport) =>
  told.nextDeletions.map(({ camera, rule, atUnixUs }) => [
    camera,
    rule,
    Math.round((atUnixUs - clock.nowUnixUs()) / DAY_US),
  ]);

test('low resolution and movement have forecasts of their own', async () => {
  for (let index = 0; index < 4; index++) await add(A, 2 - index / 4, 8);
  for (let index = 0; index < 4; index++) await add(A, 2 - index / 4, 2, 'sub');
  const moved = await add(A, 0.5, 10);
  await timeline.commit({
    groups: [
      {
        ...{ camera: A, track: 'main', chunkId: moved.id, startUnixUs: moved.firstUnixUs },
        ...{ durationUs: 1e6, run: 1, length: 1, frameCount: 1, startDts90k: 0, offset: 0 },
      },
    ],
    motion: [
      {
        ...{ camera: A, startUnixUs: moved.firstUnixUs, endUnixUs: moved.firstUnixUs + 10 },
        ...{ peak: 1, cells: new Uint8Array(18) },
      },
    ],
  });
  // Of 50 bytes 8 are of the sub stream, and 10 have movement.
  const policy = { days: 7, motionDays: 30, lowresDays: 60 };
  const free = of(await report(new Map([[A, policy]]), { roomBytes: 1000 * TB }), A);
  expect(free).toMatchObject({
    ...{ forecastDays: 7, forecastMotionDays: 30, forecastLowresDays: 60, limitedBy: 'age' },
    brings: [
      { kind: 'all', days: 7, bytesPerDay: 0.64 * TB },
      { kind: 'motion', days: 30, bytesPerDay: 0.2 * TB },
      { kind: 'lowres', days: 60, bytesPerDay: 0.16 * TB },
    ],
  });
  // All of it would take 4.48 + 6 + 9.6 TB: with 4.8 less the sub stream reaches 30 days.
  const tight = of(await report(new Map([[A, policy]]), { roomBytes: 15.28 * TB }), A);
  expect(tight.forecastDays).toBe(7);
  // The disk's real free space changes a little meanwhile.
  expect(tight.forecastMotionDays).toBeCloseTo(30, 1);
  expect(tight.forecastLowresDays).toBeCloseTo(30, 1);
  expect(tight.limitedBy).toBe('disk-space');
});

test('names what goes for bytes, for space and by age, with the rule that comes first', async () => {
  await add(A, 3, 4 * TB);
  await add(B, 5, 1 * TB);
  await add(C, 9, 1 * TB);
  const policies = new Map<string, RetentionPolicy>([
    [A, { days: 30, maxBytes: 6 * TB }],
    [B, { days: 90 }],
    [C, { days: 90, whenFull: 'stop-recording' }],
  ]);
  // Three bring 1 TB a day each into room for 12.
  const told = await report(policies, { roomBytes: 12 * TB });
  expect(inDays(told)).toEqual([
    [A, 'camera-bytes', 2],
    [B, 'disk-space', 4],
    [C, 'age', 81],
  ]);
  const without = await report(new Map([...policies].slice(0, 2)), { roomBytes: 12 * TB });
  expect(of(without, A)).toMatchObject({ limitedBy: 'camera-bytes' });
  expect(of(without, A).forecastDays).toBeCloseTo(6, 2);
  expect(of(without, B)).toMatchObject({ limitedBy: 'disk-space' });
  expect(of(without, B).forecastDays).toBeCloseTo(12, 1);
  expect(without).not.toHaveProperty('stopsInDays');
  // What C keeps by its rules, 90 TB, does not fit: it is going to stop.
  expect(told.stopsInDays).toBeCloseTo(8, 1);

  const young = new Map(policies).set(B, { days: 90, minDays: 11 });
  expect(inDays(await report(young, { roomBytes: 12 * TB }))).toContainEqual([B, 'disk-space', 6]);
  const plenty = await report(policies, { roomBytes: 1000 * TB });
  expect(inDays(plenty)).toContainEqual([B, 'age', 85]);
  expect(plenty).not.toHaveProperty('stopsInDays');
  // The disk is low already.
  expect(inDays(await report(policies, { roomBytes: -TB }))).toContainEqual([B, 'disk-space', 0]);
});

test('bytes of other recorders count, and their older footage goes before this', async () => {
  await add(A, 3, 4 * TB);
  const policies = new Map([[A, { days: 30, maxBytes: 6 * TB }]]);
  const younger = [{ bytes: 3 * TB, oldestUnixUs: clock.nowUnixUs() - DAY_US }];
  const older = [{ bytes: 3 * TB, oldestUnixUs: clock.nowUnixUs() - 20 * DAY_US }];
  const rules = async (elsewhere: readonly Elsewhere[]) =>
    inDays(await report(policies, { roomBytes: 1000 * TB, elsewhere }));
  expect(await rules(younger)).toEqual([[A, 'camera-bytes', 0]]);
  expect(await rules(older)).toEqual([[A, 'camera-bytes', 2]]);
});

test('a held chunk is passed over; a camera that is gone brings nothing', async () => {
  const held = await add(A, 20, TB);
  await add(A, 10, TB);
  const fromUnixMs = held.firstUnixUs / 1000;
  const id = '0b9a40f1-5f6e-4a39-9a5d-9f1fb3a8c001';
  await timeline.putHolds([{ id, cameras: [A], fromUnixMs, toUnixMs: fromUnixMs + 1 }]);
  const policies = new Map([[A, { days: 30 }]]);
  const told = await report(policies, { roomBytes: 1000 * TB, perDay: 0 });
  expect(inDays(told)).toEqual([[A, 'age', 20]]);
  // The average of the time that is there: 2 TB in 20 days.
  expect(of(told, A).bytesPerDay).toBe(0.1 * TB);
});

test('footage is told of the disk that it lies on, also of one that is not there', async () => {
  const { id = '' } = store.directories[0] ?? {};
  const path = join(directory, 'other');
  const gone = '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c11';
  mkdirSync(path);
  writeFileSync(join(path, STORE_IDENTITY_FILE), JSON.stringify({ id, version: 1 }));
  await store.close();
  store = await ChunkStore.open({
    ...{ directories: [store.directories[0]?.path ?? '', path], clock, log },
    expected: new Map([[path, gone]]),
  });
  await rememberDirectories(timeline, 'store', [{ path, id: gone }]);
  await add(A, 3, 4000);
  const there = await add(A, 2, 500);
  await timeline.commit({ chunks: [{ ...there, store: gone }] });
  const told = await report(new Map([[A, { days: 30 }]]), { roomBytes: TB });
  expect(told.disks.map(({ state, footageBytes }) => [state, footageBytes])).toEqual([
    ['ok', 4000],
    ['failed', 500],
  ]);
});
