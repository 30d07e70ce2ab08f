// Bit rot: the scrub finds it at its own pace, and what is not damaged plays.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChunkRow, GroupRow } from '#timeline';
import { encodeVideo, hasFfmpeg } from '../../../test/fixtures/encoded-video.js';
import { DamageLedger } from './damage-ledger.js';
import { CAMERA, log, Rig, S, samplesOf, SwiftClock, video } from './footage-rig.test-support.js';
import { Retention } from './retention.js';
import { Scrub, type ScrubOptions } from './scrub.js';

const rigs: Rig[] = [];
const scrubs: Scrub[] = [];

afterEach(async () => {
  for (const scrub of scrubs.splice(0)) await scrub.close();
  for (const rig of rigs.splice(0)) {
    await rig.close();
    rmSync(rig.directory, { recursive: true, force: true });
  }
});

async function open(seconds = 6, source = video): Promise<Rig> {
  const rig = await new Rig().open();
  rigs.push(rig);
  await rig.record(0, seconds, source);
  await rig.seal();
  return rig;
}

const PERIOD_DAYS = 0.001;
const PERIOD_MS = PERIOD_DAYS * 86_400_000;

/** Starts a scrub that takes 79 s for a round, and rests then until its 86 s are over. */
async function scrubOf(rig: Rig, options: Partial<ScrubOptions> = {}) {
  const told: string[] = [];
  const { store, timeline, damage } = rig;
  const clock = new SwiftClock(rig.clock.nowUnixMs());
  const scrub = new Scrub({
    store,
    timeline,
    damage,
    clock,
    log,
    periodDays: PERIOD_DAYS,
    isBusy: () => false,
    onDamage: (chunk, message) => told.push(message),
    ...options,
  });
  scrubs.push(scrub);
  await scrub.start();
  let isFirst = true;
  const round = async () => {
    await clock.run(isFirst ? PERIOD_MS * 0.95 : PERIOD_MS);
    isFirst = false;
  };
  return { scrub, told, clock, round };
}

async function groupsOf(rig: Rig): Promise<GroupRow[]> {
  return rig.timeline.groups(CAMERA, 'main', { fromUnixUs: 0, toUnixUs: 9e15 });
}

async function pathOf(rig: Rig, chunkId: number): Promise<string> {
  const chunk = await rig.timeline.chunk(chunkId);
  return join(rig.directory, 'store', chunk?.path ?? '');
}

/** Changes one bit at `offset` of the file. */
function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
  writeFileSync(path, bytes);
}

async function clipOf(rig: Rig, to: number) {
  const clip = await rig.playback.clip(rig.period(0, to));
  const parts: Buffer[] = [];
  for await (const part of clip.bytes) parts.push(part);
  const gaps = clip.gaps.map((gap) => [
    (gap.fromUnixUs - rig.t0) / S,
    (gap.toUnixUs - rig.t0) / S,
    gap.reason,
  ]);
  return { seconds: samplesOf(Buffer.concat(parts)).seconds, gaps };
}

test('every sealed chunk is read once, and intact ones raise no word', async () => {
  const rig = await open();
  const chunks = await rig.timeline.chunksOf(CAMERA);
  expect(chunks.length).toBeGreaterThan(1);
  const { scrub, told, round } = await scrubOf(rig);
  await round();
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  expect(scrub.report()).toMatchObject({
    state: 'resting',
    chunks: chunks.length,
    bytes,
    totalBytes: bytes,
    damagedChunks: 0,
    brokenSeals: 0,
  });
  expect(told).toEqual([]);
  await round();
  expect(scrub.report().chunks).toBe(chunks.length);
});

test('a changed byte is found, told once, shown as a gap, and forgotten when it is mended', async () => {
  const rig = await open();
  const group = (await groupsOf(rig))[2];
  const path = await pathOf(rig, group?.chunkId ?? 0);
  const at = (group?.offset ?? 0) + (group?.length ?? 0) - 20;
  flip(path, at);
  const { scrub, told, round } = await scrubOf(rig);
  await round();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('1.0 s are damaged');
  expect(scrub.report().damagedChunks).toBe(1);
  const gaps = await rig.timeline.gaps(CAMERA, 0, 9e15);
  expect(gaps).toMatchObject([
    { startUnixUs: rig.t0 + 2 * S, endUnixUs: rig.t0 + 3 * S, reason: 'damaged' },
  ]);
  expect(await clipOf(rig, 6)).toEqual({ seconds: 5, gaps: [[2, 3, 'damaged']] });
  const playlist = await rig.playback.playlist(rig.period(0, 6));
  expect(playlist).not.toContain(`from=${group?.startUnixUs}&`);
  expect(playlist.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);

  // The next process knows it, too.
  const again = new DamageLedger(rig.timeline, log);
  await again.load();
  expect(again.size).toBe(1);

  await round();
  expect(told).toHaveLength(1);
  flip(path, at);
  await round();
  expect(scrub.report().damagedChunks).toBe(0);
  expect(await rig.timeline.gaps(CAMERA, 0, 9e15)).toEqual([]);
  expect(await clipOf(rig, 6)).toEqual({ seconds: 6, gaps: [] });
});

test('playback finds damage by itself, and loses only what follows it in its group', async () => {
  if (!hasFfmpeg) return;
  const source = encodeVideo({ seconds: 4, fps: 10, groupFrames: 20 });
  const rig = await open(8, source);
  const group = (await groupsOf(rig))[1];
  // The second of the two records of the group from 2 s to 4 s.
  flip(await pathOf(rig, group?.chunkId ?? 0), (group?.offset ?? 0) + (group?.length ?? 0) - 20);
  expect(await clipOf(rig, 8)).toEqual({ seconds: 7, gaps: [[3, 4, 'damaged']] });
  const playback = rig.playback;
  const text = await playback.playlist(rig.period(0, 8));
  const slices = [...text.matchAll(/from=(\d+)&last=(\d+)&to=(\d+)/g)];
  let seconds = 0;
  for (const [, ...numbers] of slices) {
    const [fromUnixUs = 0, lastUnixUs = 0, toUnixUs = 0] = numbers.map(Number);
    const address = { camera: CAMERA, track: 'main', fromUnixUs, lastUnixUs, toUnixUs } as const;
    seconds += samplesOf(Buffer.concat(await playback.slice(address))).seconds;
  }
  expect(seconds).toBeCloseTo(7, 3);
  const still = await playback.still(CAMERA, rig.t0 + 3.5 * S);
  expect(((still?.frameUnixUs ?? 0) - rig.t0) / S).toBeCloseTo(2.9, 3);
});

test('a chunk that is gone is damage; one that retention took is not', async () => {
  const rig = await open(12);
  const [first, second, third] = await rig.timeline.chunksOf(CAMERA);
  rmSync(join(rig.directory, 'store', first?.path ?? ''));
  const { scrub, told, round } = await scrubOf(rig);
  await round();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(first?.path);
  expect(scrub.report()).toMatchObject({ damagedChunks: 1, brokenSeals: 0 });

  // Deleted by rule in the middle of the chain, since the first one is held.
  const { store, timeline, clock } = rig;
  const { fromUnixUs, toUnixUs } = { fromUnixUs: rig.t0, toUnixUs: first?.lastUnixUs ?? 0 };
  const times = { fromUnixMs: fromUnixUs / 1000, toUnixMs: toUnixUs / 1000 - 1 };
  await timeline.putHolds([{ id: CAMERA, cameras: [CAMERA], ...times }]);
  const days = (clock.nowUnixUs() - (second?.lastUnixUs ?? 0) - 1) / 86_400e6;
  const retention = new Retention({
    store,
    timeline,
    clock,
    log,
    cameras: () => new Map([[CAMERA, { retention: { days } }]]),
    isWriting: () => false,
    watermarks: () => ({ lowBytes: 0, criticalBytes: 0, stopBytes: 0 }),
  });
  await retention.run();
  expect((await timeline.chunksOf(CAMERA)).map(({ id }) => id).slice(0, 2)).toEqual([
    first?.id,
    third?.id,
  ]);
  await round();
  expect(scrub.report().brokenSeals).toBe(0);
});

test('a chunk that was taken out without a word breaks the chain', async () => {
  const rig = await open(12);
  const [, second] = await rig.timeline.chunksOf(CAMERA);
  rmSync(join(rig.directory, 'store', second?.path ?? ''));
  // As after an index that was rebuilt from what is left.
  const { camera, track, firstUnixUs, lastUnixUs, sizeBytes, path } = second as ChunkRow;
  const times = { fromUnixUs: firstUnixUs, toUnixUs: lastUnixUs, bytes: sizeBytes };
  const deletion = { atUnixUs: rig.clock.nowUnixUs(), camera, track, chunkPath: path, ...times };
  await rig.timeline.dropChunk(second?.id ?? 0, { ...deletion, rule: 'missing' });
  const { scrub, told, round } = await scrubOf(rig);
  await round();
  expect(scrub.report()).toMatchObject({ damagedChunks: 0, brokenSeals: 1 });
  expect(told[0]).toContain('the chunk that was sealed before it is gone');
});

test('the next process goes on behind the last chunk that was read', async () => {
  const rig = await open(12);
  const ids: number[] = [];
  const store = new Proxy(rig.store, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      if (name !== 'verify') return (value as () => unknown).bind(target);
      return (chunk: ChunkRow, turn: () => Promise<void>) => {
        ids.push(chunk.id);
        return target.verify(chunk, turn);
      };
    },
  });
  const all = (await rig.timeline.chunksOf(CAMERA)).map(({ id }) => id);
  const first = await scrubOf(rig, { store });
  await first.clock.run(500);
  await first.scrub.close();
  expect(ids).toEqual(all.slice(0, 1));
  const second = await scrubOf(rig, { store });
  expect(second.scrub.report()).toMatchObject({ state: 'reading', chunks: 1 });
  await second.round();
  expect(ids).toEqual(all);
  expect(second.scrub.report()).toMatchObject({ state: 'resting', chunks: all.length });
});

test('it keeps below its speed and lets others go first, but not for ever', async () => {
  const rig = await open(12);
  const bytes = (await rig.timeline.chunksOf(CAMERA)).reduce((sum, row) => sum + row.sizeBytes, 0);
  let isBusy = true;
  const { scrub, clock } = await scrubOf(rig, {
    periodDays: 0.0001,
    maxBytesPerSecond: bytes / 100,
    isBusy: () => isBusy,
  });
  await clock.run(1900);
  expect(scrub.report()).toMatchObject({ state: 'reading', chunks: 0 });
  await clock.run(60_000);
  expect(scrub.report().chunks).toBeGreaterThan(0);
  isBusy = false;
  // 8.64 s are wanted, 100 s are what the bound allows.
  await clock.run(30_000);
  expect(scrub.report().completedAtUnixUs).toBeUndefined();
  await clock.run(60_000);
  expect(scrub.report().completedAtUnixUs).toBeGreaterThan(0);
});

test('switched off, it reads nothing', async () => {
  const rig = await open();
  const { scrub } = await scrubOf(rig, { periodDays: 0 });
  expect(scrub.report()).toMatchObject({ state: 'off', chunks: 0 });
});
