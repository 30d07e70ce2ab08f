// `maxBytes` over several recorders: together they keep the newest that fits, wherever it lies.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore } from '#store';
import { Timeline, type ChunkRow } from '#timeline';
import type { AskElsewhere } from './camera-share.js';
import { DAY_US, type RetentionPolicy } from './retention-policy.js';
import { Retention } from './retention.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const HOUR_US = DAY_US / 24;
const SIZE = 1000;
const log = silentLog();

/** A recorder with its index and its disk. */
class Site {
  readonly directory = mkdtempSync(join(tmpdir(), 'nightjar-share-'));
  timeline!: Timeline;
  store!: ChunkStore;
  retention!: Retention;

  async open(clock: FakeClock, policy: RetentionPolicy, elsewhere?: AskElsewhere): Promise<this> {
    const options = { clock, log };
    this.timeline = await Timeline.open({ directory: join(this.directory, 'index'), ...options });
    this.store = await ChunkStore.open({ directories: [join(this.directory, 's')], ...options });
    this.retention = new Retention({
      ...{ ...options, timeline: this.timeline, store: this.store, elsewhere },
      cameras: () => new Map([[CAMERA, { retention: policy }]]),
      isWriting: () => false,
      watermarks: () => ({ lowBytes: 0, criticalBytes: 0, stopBytes: 0 }),
    });
    return this;
  }

  async add(id: number, fromUs: number): Promise<void> {
    const chunk: ChunkRow = {
      ...{ id, camera: CAMERA, track: 'main', codec: 'h264', sealed: true, sizeBytes: SIZE },
      store: this.store.directories[0]?.id ?? '',
      path: `${CAMERA}/main/${new Date(fromUs / 1000).toISOString().slice(0, 10)}/000000-${id}.h264`,
      ...{ firstUnixUs: fromUs, lastUnixUs: fromUs + HOUR_US - 1 },
    };
    const file = join(this.directory, 's', chunk.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.alloc(SIZE));
    await this.timeline.commit({ chunks: [chunk] });
  }

  async ids(): Promise<number[]> {
    return (await this.timeline.chunksOf(CAMERA)).map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.retention.close();
    await this.store.close();
    await this.timeline.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let sites: Site[] = [];
let clock: FakeClock;

afterEach(async () => {
  for (const site of sites) await site.close();
});

/** `layout`: by hour, oldest first, the site that has the chunk; ids count the hours. */
async function settle(layout: readonly number[], policy: RetentionPolicy): Promise<void> {
  clock = new FakeClock();
  const count = Math.max(...layout) + 1;
  sites = Array.from({ length: count }, () => new Site());
  for (const site of sites) {
    const others = sites.filter((other) => other !== site);
    await site.open(clock, policy, async (cameras) => {
      const shares = await Promise.all(others.map((other) => other.retention.shares(cameras)));
      return new Map([[CAMERA, shares.flat()]]);
    });
  }
  const startUs = clock.nowUnixUs() - (layout.length + 1) * HOUR_US;
  for (const [hour, site] of layout.entries()) {
    await sites[site]?.add(hour + 1, startUs + hour * HOUR_US);
  }
}

async function pass(rounds = 1): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const site of sites) await site.retention.run();
  }
}

const kept = async () => {
  const ids = await Promise.all(sites.map((site) => site.ids()));
  return ids.flat().sort((a, b) => a - b);
};

test.each([
  ['moved once', [0, 0, 0, 0, 0, 1, 1, 1], 4],
  ['moved once, and the former has nothing that may stay', [0, 0, 0, 1, 1, 1, 1, 1], 4],
  ['moved to and fro', [0, 1, 0, 0, 2, 1, 1, 0, 2, 0, 1], 3],
  ['there is room', [0, 1, 0], 3],
])('keeps the newest of all recorders: %s', async (_name, layout, chunks) => {
  await settle(layout, { days: 30, maxBytes: chunks * SIZE });
  await pass(layout.length);
  const all = layout.map((_, hour) => hour + 1);
  expect(await kept()).toEqual(all.slice(-chunks));
});

test('both at once delete no more than must go', async () => {
  await settle([0, 1, 0, 1, 0, 1, 0, 1], { days: 30, maxBytes: 5 * SIZE });
  for (let round = 0; round < 6; round++) {
    await Promise.all(sites.map((site) => site.retention.run()));
  }
  expect(await kept()).toEqual([4, 5, 6, 7, 8]);
});

test('what is held stays and counts; the oldest of the others goes for it', async () => {
  await settle([0, 0, 1, 1, 1], { days: 30, maxBytes: 3 * SIZE });
  const heldUs = clock.nowUnixUs() - 6 * HOUR_US;
  await sites[0]?.timeline.putHolds([
    {
      id: '0b9a40f1-5f6e-4a39-9a5d-9f1fb3a8c001',
      cameras: [CAMERA],
      fromUnixMs: heldUs / 1000,
      toUnixMs: heldUs / 1000 + 1,
    },
  ]);
  await pass(4);
  expect(await kept()).toEqual([1, 4, 5]);
});

test('by what was heard last the oldest waits for whoever has it; one alone never has too much', async () => {
  const policy = { days: 30, maxBytes: 3 * SIZE };
  await settle([0], policy);
  const site = await new Site().open(clock, policy, () =>
    // As of an hour ago, older than anything here.
    Promise.resolve(new Map([[CAMERA, [{ bytes: 2 * SIZE, oldestUnixUs: 1 }]]])),
  );
  sites.push(site);
  const startUs = clock.nowUnixUs() - 10 * HOUR_US;
  for (let hour = 0; hour < 3; hour++) await site.add(10 + hour, startUs + hour * HOUR_US);
  await site.retention.run();
  expect(await site.ids()).toEqual([10, 11, 12]);
  for (let hour = 3; hour < 5; hour++) await site.add(10 + hour, startUs + hour * HOUR_US);
  await site.retention.run();
  expect(await site.ids()).toEqual([12, 13, 14]);
});
