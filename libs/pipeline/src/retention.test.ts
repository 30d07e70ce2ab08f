// What goes and what stays: random footage, holds and rules against the words of issue and README.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import type { TrackName } from '#media';
import { ChunkStore } from '#store';
import { Timeline, type ChunkRow, type GroupRow, type HoldRow, type MotionRow } from '#timeline';
import { retentionEffect } from './retention-effect.js';
import { Retention, type Watermarks } from './retention.js';
import { DAY_US, type RetentionPolicy } from './retention-policy.js';

const CAMERAS = ['7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11', '0b9a40f1-5f6e-4a39-9a5d-9f1fb3a8c001'];
const HOUR_US = DAY_US / 24;
const log = silentLog();

interface World {
  readonly chunks: readonly ChunkRow[];
  readonly groups: readonly GroupRow[];
  readonly motion: readonly MotionRow[];
  readonly holds: readonly HoldRow[];
  readonly policies: ReadonlyMap<string, RetentionPolicy>;
}

let directory: string;
let clock: FakeClock;
let timeline: Timeline;
let store: ChunkStore;

async function open(): Promise<void> {
  timeline = await Timeline.open({ directory: join(directory, 'index'), clock, log });
  store = await ChunkStore.open({ directories: [join(directory, 'store')], clock, log });
}

async function close(): Promise<void> {
  await store.close();
  await timeline.close();
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-retention-'));
  clock = new FakeClock();
  await open();
});

afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true, force: true });
});

/** The same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

const fileOf = (chunk: ChunkRow) => join(directory, 'store', chunk.path);

type Span = readonly [fromUs: number, toUs: number];

function chunkOf(camera: string, track: TrackName, [fromUs, toUs]: Span, id: number) {
  const date = new Date(fromUs / 1000).toISOString().slice(0, 10);
  const codec = track === 'audio' ? 'aac' : 'h264';
  return {
    ...{ id, camera, track, codec, sealed: true, store: store.directories[0]?.id ?? '' },
    path: `${camera}/${track}/${date}/000000-${id}.${codec}`,
    ...{ firstUnixUs: fromUs, lastUnixUs: toUs, sizeBytes: 1000 },
  } as ChunkRow;
}

function groupsOf(chunk: ChunkRow, count: number): GroupRow[] {
  const durationUs = Math.floor((chunk.lastUnixUs - chunk.firstUnixUs) / count);
  const { camera, track, id: chunkId } = chunk;
  return Array.from({ length: count }, (_, index) => ({
    ...{ camera, track, chunkId, durationUs, run: 1, length: 10, frameCount: 1, startDts90k: 0 },
    startUnixUs: chunk.firstUnixUs + index * durationUs,
    offset: index * 10,
  }));
}

function randomWorld(seed: number): World {
  const random = randomOf(seed);
  const nowUs = clock.nowUnixUs();
  const [chunks, groups, motion, holds]: [ChunkRow[], GroupRow[], MotionRow[], HoldRow[]] = [
    [],
    [],
    [],
    [],
  ];
  const policies = new Map<string, RetentionPolicy>();
  let id = 1000;
  for (const camera of CAMERAS) {
    const days = 2 + random(6);
    policies.set(camera, {
      days,
      ...(random(2) ? { motionDays: days + random(5) } : {}),
      ...(random(2) ? { lowresDays: 2 + random(9) } : {}),
      ...(random(2) ? { minDays: random(3) } : {}),
      ...(random(3) === 0 ? { maxBytes: 1000 * (1 + random(12)) } : {}),
      ...(random(3) === 0 ? { whenFull: 'stop-recording' as const } : {}),
    });
    for (const track of ['main', 'sub', 'audio'] as const) {
      let at = nowUs - 14 * DAY_US;
      while (at < nowUs - HOUR_US) {
        const end = Math.min(at + (1 + random(20)) * HOUR_US, nowUs);
        const chunk = chunkOf(camera, track, [at, end], id++);
        chunks.push(chunk);
        groups.push(...groupsOf(chunk, 1 + random(4)));
        // Overlaps now and then, as when a clock went back, and holes.
        at = end + (random(12) - 2) * HOUR_US;
      }
    }
    for (let at = nowUs - 14 * DAY_US; at < nowUs; at += (4 + random(60)) * HOUR_US) {
      const endUnixUs = Math.min(nowUs, at + random(3) * HOUR_US);
      motion.push({ camera, startUnixUs: at, endUnixUs, peak: 1, cells: new Uint8Array(18) });
    }
    for (let index = 0; index < random(3); index++) {
      const fromUnixMs = Math.round((nowUs - random(14 * 24) * HOUR_US) / 1000);
      const toUnixMs = fromUnixMs + random(20) * 3_600_000;
      const uuid = `7d1f6c1e-93a1-4c5e-8a39-${(id * 10 + index).toString().padStart(12, '0')}`;
      holds.push({ id: uuid, cameras: [camera], fromUnixMs, toUnixMs });
    }
  }
  return { chunks, groups, motion, holds, policies };
}

async function settle(world: World): Promise<void> {
  for (const chunk of world.chunks) {
    mkdirSync(dirname(fileOf(chunk)), { recursive: true });
    writeFileSync(fileOf(chunk), Buffer.alloc(chunk.sizeBytes));
  }
  await timeline.commit({ chunks: world.chunks, groups: world.groups, motion: world.motion });
  await timeline.putHolds(world.holds);
}

const NO_SPACE: Watermarks = { lowBytes: 1e15, criticalBytes: 1e15, stopBytes: 0 };
const SPACE: Watermarks = { lowBytes: 0, criticalBytes: 0, stopBytes: 0 };

async function run(world: World, marks: Watermarks): Promise<Retention> {
  const retention = new Retention({
    ...{ store, timeline, clock, log, watermarks: () => marks, isWriting: () => false },
    cameras: () => new Map([...world.policies].map(([id, policy]) => [id, { retention: policy }])),
  });
  await retention.run();
  await retention.close();
  return retention;
}

/** The words once more, group by group, by another way than the code's. */
function mustStay(world: World, chunk: ChunkRow): boolean {
  const policy = world.policies.get(chunk.camera) as RetentionPolicy;
  const nowUs = clock.nowUnixUs();
  const isYounger = (days: number) => chunk.lastUnixUs >= nowUs - days * DAY_US;
  const isHeld = world.holds.some(
    ({ cameras, fromUnixMs, toUnixMs }) =>
      cameras.includes(chunk.camera) &&
      chunk.firstUnixUs <= toUnixMs * 1000 &&
      chunk.lastUnixUs >= fromUnixMs * 1000,
  );
  return isHeld || isYounger(policy.minDays ?? 0);
}

function isExpired(world: World, chunk: ChunkRow): boolean {
  const {
    days,
    motionDays = days,
    lowresDays = days,
  } = world.policies.get(chunk.camera) as RetentionPolicy;
  const moved = world.groups
    .filter(({ chunkId }) => chunkId === chunk.id)
    .some((group) =>
      world.motion.some(
        ({ camera, startUnixUs, endUnixUs }) =>
          camera === chunk.camera &&
          startUnixUs < group.startUnixUs + group.durationUs &&
          Math.max(endUnixUs, startUnixUs + 1) > group.startUnixUs,
      ),
    );
  const keep = chunk.track === 'sub' ? lowresDays : moved ? motionDays : days;
  return chunk.lastUnixUs < clock.nowUnixUs() - keep * DAY_US;
}

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'deletes what is over its time, and nothing that must stay (world %i)',
  async (seed) => {
    const world = randomWorld(seed);
    await settle(world);
    await run(world, SPACE);
    const limited = (camera: string) => world.policies.get(camera)?.maxBytes !== undefined;
    for (const chunk of world.chunks) {
      const isThere = existsSync(fileOf(chunk));
      expect((await timeline.chunk(chunk.id)) !== undefined).toBe(isThere);
      if (mustStay(world, chunk)) expect(isThere).toBe(true);
      else if (isExpired(world, chunk)) expect(isThere).toBe(false);
      else if (!limited(chunk.camera)) expect(isThere).toBe(true);
    }
    for (const [camera, { maxBytes = Infinity }] of world.policies) {
      const left = await timeline.chunksOf(camera);
      const bytes = left.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
      expect(bytes <= maxBytes || left.every((chunk) => mustStay(world, chunk))).toBe(true);
    }
    const gone = world.chunks.filter((chunk) => !existsSync(fileOf(chunk)));
    const told = await timeline.deletions({ limit: 10_000 });
    expect(told.map(({ chunkPath }) => chunkPath).sort()).toEqual(
      gone.map(({ path }) => path).sort(),
    );
  },
);

test.each([20, 21, 22, 23])(
  'a full disk takes all that may go, and says that it is stuck (world %i)',
  async (seed) => {
    const world = randomWorld(seed);
    await settle(world);
    const retention = await run(world, NO_SPACE);
    for (const chunk of world.chunks) {
      const { whenFull, maxBytes } = world.policies.get(chunk.camera) as RetentionPolicy;
      const isThere = existsSync(fileOf(chunk));
      if (mustStay(world, chunk)) expect(isThere).toBe(true);
      else if (whenFull !== 'stop-recording' || isExpired(world, chunk))
        expect(isThere).toBe(false);
      else if (maxBytes === undefined) expect(isThere).toBe(true);
    }
    expect(retention.alarms).toEqual([expect.stringContaining('nothing more may be deleted')]);
  },
);

test('movement keeps a chunk for its own days, and the deletion says so', async () => {
  const nowUs = clock.nowUnixUs();
  const [camera = ''] = CAMERAS;
  const old = chunkOf(camera, 'main', [nowUs - 5 * DAY_US, nowUs - 5 * DAY_US + HOUR_US], 1);
  const world: World = {
    chunks: [old],
    groups: groupsOf(old, 4),
    motion: [
      {
        ...{ camera, peak: 1, cells: new Uint8Array(18) },
        startUnixUs: old.firstUnixUs + 5,
        endUnixUs: old.firstUnixUs + 9,
      },
    ],
    holds: [],
    policies: new Map([[camera, { days: 2, motionDays: 6 }]]),
  };
  await settle(world);
  await run(world, SPACE);
  expect(existsSync(fileOf(old))).toBe(true);
  clock.advance(86_400_000 + 3_600_001);
  await run(world, SPACE);
  expect(existsSync(fileOf(old))).toBe(false);
  expect(await timeline.deletions({ limit: 10 })).toEqual([
    expect.objectContaining({ rule: 'motion-age', chunkPath: old.path, bytes: 1000 }),
  ]);
});

test('what is known of held footage stays as long as it: movement and gaps', async () => {
  const nowUs = clock.nowUnixUs();
  const [camera = ''] = CAMERAS;
  const held = chunkOf(camera, 'main', [nowUs - 9 * DAY_US, nowUs - 9 * DAY_US + HOUR_US], 1);
  const other = chunkOf(camera, 'main', [nowUs - 8 * DAY_US, nowUs - 8 * DAY_US + HOUR_US], 2);
  const at = held.firstUnixUs + 60_000_000;
  const hold: HoldRow = {
    ...{ id: '7d1f6c1e-93a1-4c5e-8a39-000000000001', cameras: [camera] },
    ...{ fromUnixMs: at / 1000, toUnixMs: at / 1000 + 1 },
  };
  const event = { camera, startUnixUs: at, endUnixUs: at + 9, peak: 1, cells: new Uint8Array(18) };
  const world: World = {
    chunks: [held, other],
    groups: [...groupsOf(held, 4), ...groupsOf(other, 4)],
    ...{ motion: [event], holds: [hold], policies: new Map([[camera, { days: 2 }]]) },
  };
  await settle(world);
  await timeline.commit({
    gaps: [{ camera, startUnixUs: at, endUnixUs: at + 1000, reason: 'damaged' }],
  });
  const known = async () => [
    (await timeline.motion({ cameras: [camera], fromUnixUs: 0, toUnixUs: nowUs, limit: 9 })).items
      .length,
    (await timeline.gaps(camera, 0, nowUs)).length,
  ];
  await run(world, SPACE);
  expect([existsSync(fileOf(held)), existsSync(fileOf(other))]).toEqual([true, false]);
  expect(await known()).toEqual([1, 1]);
  await timeline.putHolds([]);
  await run({ ...world, holds: [] }, SPACE);
  expect(existsSync(fileOf(held))).toBe(false);
  expect(await known()).toEqual([0, 0]);
});

/** The real thing up to its `count`-th change; then nothing more, as when the process dies. */
function stopping<T extends object>(
  target: T,
  names: readonly string[],
  budget: { left: number },
): T {
  return new Proxy(target, {
    get(real, name) {
      const value: unknown = Reflect.get(real, name, real);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]) => {
        if (names.includes(String(name)) && --budget.left < 0) {
          return Promise.reject(new Error('the process died'));
        }
        return (value as (...values: unknown[]) => unknown).apply(real, values);
      };
    },
  });
}

test('a deletion that dies half-way is finished at the next start, and told once', async () => {
  const [camera = ''] = CAMERAS;
  const policies = new Map([[camera, { days: 2 }]]);
  const cameras = () => new Map([[camera, { retention: { days: 2 } }]]);
  const options = () => ({
    ...{ clock, log, cameras, watermarks: () => SPACE },
    isWriting: () => false,
  });
  let deaths = 0;
  for (let count = 0; count < 14; count++) {
    const startUs = clock.nowUnixUs() - 4 * DAY_US;
    const chunks = [0, 1, 2].map((index) =>
      chunkOf(
        camera,
        'main',
        [startUs + index * HOUR_US, startUs + (index + 1) * HOUR_US - 1],
        count * 10 + index + 1,
      ),
    );
    const groups = chunks.flatMap((chunk) => groupsOf(chunk, 2));
    await settle({ chunks, groups, motion: [], holds: [], policies });
    const before = (await timeline.deletions({ limit: 1000 })).length;

    const budget = { left: count };
    const dying = new Retention({
      ...options(),
      timeline: stopping(timeline, ['putSetting', 'dropChunk', 'forget', 'commit'], budget),
      store: stopping(store, ['deleteChunk'], budget),
    });
    await dying.run();
    await dying.close();
    if (budget.left < 0) deaths += 1;

    await close();
    await open();
    const next = new Retention({ ...options(), timeline, store });
    await next.start();
    await next.run();
    await next.close();
    for (const chunk of chunks) {
      expect([existsSync(fileOf(chunk)), await timeline.chunk(chunk.id)]).toEqual([
        false,
        undefined,
      ]);
    }
    const told = (await timeline.deletions({ limit: 1000 })).slice(before);
    expect(told.map(({ chunkPath }) => chunkPath).sort()).toEqual(
      chunks.map(({ path }) => path).sort(),
    );
    expect(await timeline.getSetting('retention/unfinished')).toBeUndefined();
    expect(await timeline.recordings(camera, startUs, startUs + DAY_US)).toEqual([]);
  }
  expect(deaths).toBeGreaterThan(8);
});

test.each([30, 31, 32, 33, 34, 35])(
  'shows of a change exactly what it then deletes (world %i)',
  async (seed) => {
    const world = randomWorld(seed);
    await settle(world);
    await run(world, SPACE);
    const next = randomWorld(seed + 1000).policies;
    const nowUnixUs = clock.nowUnixUs();
    const before = (await timeline.deletions({ limit: 10_000 })).length;
    const shown = await Promise.all(
      CAMERAS.map((camera) =>
        retentionEffect({
          ...{ timeline, camera, nowUnixUs, now: world.policies.get(camera) },
          next: next.get(camera) as RetentionPolicy,
        }),
      ),
    );
    await run({ ...world, policies: next }, SPACE);
    const gone = (await timeline.deletions({ limit: 10_000 })).slice(before);
    for (const [index, camera] of CAMERAS.entries()) {
      const own = gone.filter((row) => row.camera === camera);
      const { bytes, chunks, fromUnixUs, toUnixUs } = shown[index] ?? {};
      expect([bytes, chunks]).toEqual([own.length * 1000, own.length]);
      if (own.length === 0) continue;
      expect(fromUnixUs).toBe(Math.min(...own.map((row) => row.fromUnixUs)));
      expect(toUnixUs).toBe(Math.max(...own.map((row) => row.toUnixUs)));
    }
  },
);
