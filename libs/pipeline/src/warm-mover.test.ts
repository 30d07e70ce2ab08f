// Old chunks move to the warm tier and play as before; crashes, lost disks and retention in between.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NightjarError } from '#base';
import { ALL_SHARDS, nodeFiles, type ChunkFiles } from '#store';
import { CAMERA, log, Rig, S, SwiftClock } from './footage-rig.test-support.js';
import { Retention } from './retention.js';
import { Scrub } from './scrub.js';
import { WarmMover, type WarmMoverOptions } from './warm-mover.js';

const DAY = 86_400_000;
const rigs: Rig[] = [];
const movers: WarmMover[] = [];

afterEach(async () => {
  for (const mover of movers.splice(0)) await mover.close();
  for (const rig of rigs.splice(0)) {
    await rig.close();
    rmSync(rig.directory, { recursive: true, force: true });
  }
});

const warmPaths = (rig: Rig) =>
  Array.from({ length: ALL_SHARDS }, (_, index) => join(rig.directory, `w${index}`));

async function open(seconds = 6): Promise<Rig> {
  const rig = await new Rig().open();
  rigs.push(rig);
  await rig.record(0, seconds);
  await rig.seal();
  rig.clock.advance(2 * DAY);
  await rig.store.close();
  await rig.openStore({ warm: { directories: warmPaths(rig) } });
  return rig;
}

async function moverOf(rig: Rig, options: Partial<WarmMoverOptions> = {}) {
  const { store, timeline } = rig;
  const clock = new SwiftClock(rig.clock.nowUnixMs());
  const mover = new WarmMover({
    store,
    timeline,
    clock,
    log,
    inHand: new Set(),
    isBusy: () => false,
    ...options,
  });
  movers.push(mover);
  await mover.start();
  return { mover, clock };
}

async function settled(rig: Rig, options: Partial<WarmMoverOptions> = {}): Promise<WarmMover> {
  const { mover, clock } = await moverOf(rig, options);
  await clock.run(30_000);
  return mover;
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.endsWith('.json') && statSync(join(path, name)).isFile(),
  );
}

const hotFiles = (rig: Rig) => filesBelow(join(rig.directory, 'store'));
const shards = (rig: Rig) => warmPaths(rig).flatMap((path) => filesBelow(path));

async function clipOf(rig: Rig): Promise<Buffer> {
  const { bytes } = await rig.playback.clip(rig.period(0, 6));
  const parts: Buffer[] = [];
  for await (const part of bytes) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function retentionOf(rig: Rig, days: number, minDays?: number): Retention {
  const { store, timeline, clock } = rig;
  return new Retention({
    store,
    timeline,
    clock,
    log,
    cameras: () => new Map([[CAMERA, { retention: { days, minDays } }]]),
    isWriting: () => false,
    watermarks: () => ({ lowBytes: 0, criticalBytes: 0, stopBytes: 0 }),
  });
}

test('what is old enough moves, and plays, is searched and is accounted for as before', async () => {
  const rig = await open();
  const before = {
    clip: await clipOf(rig),
    list: await rig.playback.playlist(rig.period(0, 6)),
    usage: await rig.timeline.usage(),
    spans: await rig.timeline.recordings(CAMERA, 0, 9e15),
  };
  const playback = rig.playback;
  await playback.still(CAMERA, rig.t0 + S);
  const chunks = await rig.timeline.chunksOf(CAMERA);
  const young = await settled(rig, { afterDays: 3 });
  expect(young.report()).toMatchObject({ state: 'idle', movedChunks: 0 });
  await young.close();
  const mover = await settled(rig);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  expect(mover.report()).toMatchObject({
    state: 'idle',
    bytes,
    chunks: chunks.length,
    movedChunks: chunks.length,
  });
  expect(hotFiles(rig)).toEqual([]);
  expect(shards(rig)).toHaveLength(ALL_SHARDS * chunks.length);
  expect((await clipOf(rig)).equals(before.clip)).toBe(true);
  expect(await rig.playback.playlist(rig.period(0, 6))).toBe(before.list);
  expect(await rig.timeline.usage()).toEqual(before.usage);
  expect(await rig.timeline.recordings(CAMERA, 0, 9e15)).toEqual(before.spans);
  // A viewer who has begun before the move goes on.
  expect(await playback.still(CAMERA, rig.t0 + 5 * S)).toBeDefined();
  expect(playback.damagedGroups).toBe(0);
});

/** Real files up to a step, none from then on: as a process that dies there. */
function dyingAt(step: number, removal = 'none'): ChunkFiles {
  let steps = 0;
  let isDead = false;
  const next = () => {
    isDead ||= steps++ >= step;
    if (isDead) throw new NightjarError('unavailable', 'stopped');
  };
  return {
    ...nodeFiles,
    create: async (path) => {
      next();
      const file = await nodeFiles.create(path);
      return {
        write: (buffers, position) =>
          Promise.resolve()
            .then(next)
            .then(() => file.write(buffers, position)),
        read: (buffer, position) => file.read(buffer, position),
        sync: () =>
          Promise.resolve()
            .then(next)
            .then(() => file.sync()),
        truncate: (sizeBytes) => file.truncate(sizeBytes),
        sizeBytes: () => file.sizeBytes(),
        close: () => file.close(),
      };
    },
    remove: async (path) => {
      isDead ||= path.startsWith(removal);
      next();
      return nodeFiles.remove(path);
    },
    makeDirectory: (path) =>
      Promise.resolve()
        .then(next)
        .then(() => nodeFiles.makeDirectory(path)),
    syncDirectory: (path) =>
      Promise.resolve()
        .then(next)
        .then(() => nodeFiles.syncDirectory(path)),
  };
}

test('stopped at any step of a move, the next start has one copy of the chunk, whole', async () => {
  const rig = await open(1);
  const [chunk] = await rig.timeline.chunksOf(CAMERA);
  const clip = await clipOf(rig);
  const warm = { directories: warmPaths(rig) };
  const restarted = async (files: ChunkFiles) => {
    await rig.openStore({ warm, files });
    const mover = await settled(rig);
    const isMoved = mover.report()?.movedChunks === 1;
    await mover.close();
    await rig.openStore({ warm });
    const next = await settled(rig, { afterDays: 1000 });
    await next.close();
    const row = await rig.timeline.chunk(chunk?.id ?? 0);
    expect((await clipOf(rig)).equals(clip)).toBe(true);
    return { isMoved, isWarm: row?.store === rig.store.warm?.id };
  };
  // Every step of the first shards, then some of each: they repeat.
  for (let step = 0; step < 95; step += step < 30 ? 1 : 7) {
    expect(await restarted(dyingAt(step))).toEqual({ isMoved: false, isWarm: false });
    expect([hotFiles(rig).length, shards(rig).length]).toEqual([1, 0]);
  }
  // Behind the switch of the index the next start goes on, not back.
  const atTheLast = dyingAt(Infinity, join(rig.directory, 'store'));
  expect(await restarted(atTheLast)).toEqual({ isMoved: false, isWarm: true });
  expect([hotFiles(rig).length, shards(rig).length]).toEqual([0, ALL_SHARDS]);
}, 120_000);

test('retention takes from the warm tier exactly what is due, and holds keep theirs', async () => {
  const rig = await open(12);
  await settled(rig);
  const chunks = await rig.timeline.chunksOf(CAMERA);
  expect(chunks.every((row) => row.store === rig.store.warm?.id)).toBe(true);
  const [first, second, third] = chunks;
  const times = {
    fromUnixMs: (second?.firstUnixUs ?? 0) / 1000,
    toUnixMs: (second?.firstUnixUs ?? 0) / 1000 + 1,
  };
  await rig.timeline.putHolds([{ id: CAMERA, cameras: [CAMERA], ...times }]);
  const days = (rig.clock.nowUnixUs() - (third?.lastUnixUs ?? 0) - 1) / 86_400e6;
  await retentionOf(rig, days).run();
  const left = await rig.timeline.chunksOf(CAMERA);
  const held = left.filter(({ id }) => id === first?.id || id === second?.id);
  expect(held.map(({ id }) => id)).toContain(second?.id);
  expect(left.map(({ id }) => id)).not.toContain(third?.id);
  expect(left.length).toBeGreaterThan(1);
  expect(shards(rig)).toHaveLength(ALL_SHARDS * left.length);
  // Not a byte of it is left anywhere, so nothing can be computed from the others.
  expect(shards(rig).some((name) => name.includes(String(third?.id)))).toBe(false);
  for (const row of left) {
    const { damaged, seal } = await rig.store.verify(row);
    expect({ damaged, seal }).toEqual({ damaged: [], seal: 'valid' });
  }
});

test('with a disk away footage plays and expires; when it is back it is mended and cleaned', async () => {
  const rig = await open(12);
  await (await settled(rig)).close();
  const all = warmPaths(rig);
  const [first, second] = await rig.timeline.chunksOf(CAMERA);
  const known = new Map(rig.store.warm?.directories.map(({ path, id }) => [path, id ?? '']));
  const away = (paths: string[]): ChunkFiles => ({
    ...nodeFiles,
    readText: (path) =>
      paths.some((gone) => path.startsWith(`${gone}/`))
        ? Promise.resolve(undefined)
        : nodeFiles.readText(path),
  });
  const gone = all.slice(3, 6);
  await rig.openStore({ warm: { directories: all, expected: known }, files: away(gone) });
  expect(rig.store.warm?.fault).toContain('3 of 14 directories are away');
  expect((await clipOf(rig)).length).toBeGreaterThan(0);
  expect(rig.store.warm?.counters.reconstructedReads).toBeGreaterThan(0);
  const days = (rig.clock.nowUnixUs() - (first?.lastUnixUs ?? 0) - 1) / 86_400e6;
  await retentionOf(rig, days).run();
  expect(await rig.timeline.chunk(first?.id ?? 0)).toBeUndefined();
  expect(shards(rig).filter((name) => name.includes(String(first?.id)))).toHaveLength(3);

  // One of them comes back empty, by the word of a person; the others as they were.
  for (const name of filesBelow(all[4] ?? '')) rmSync(join(all[4] ?? '', name));
  await rig.openStore({ warm: { directories: all, expected: known } });
  const mover = await settled(rig, { afterDays: 1000 });
  const left = await rig.timeline.chunksOf(CAMERA);
  expect(left.map(({ id }) => id)).toContain(second?.id);
  expect(mover.report()).toMatchObject({ chunks: left.length, mendedShards: left.length });
  expect(shards(rig)).toHaveLength(ALL_SHARDS * left.length);
  expect(shards(rig).filter((name) => name.includes(String(first?.id)))).toEqual([]);

  // With five away nothing is deleted by halves.
  await mover.close();
  await rig.openStore({
    warm: { directories: all, expected: known },
    files: away(all.slice(0, 5)),
  });
  await retentionOf(rig, 0.001).run();
  expect(await rig.timeline.chunksOf(CAMERA)).toHaveLength(left.length);
  expect(shards(rig)).toHaveLength(ALL_SHARDS * left.length);
});

test('the scrub reads parity, too, and writes what is lost anew', async () => {
  const rig = await open();
  await (await settled(rig)).close();
  const parity = warmPaths(rig)
    .flatMap((path) => filesBelow(path).map((name) => join(path, name)))
    .find((path) => path.endsWith('.13'));
  rmSync(parity ?? '');
  const { store, timeline, damage } = rig;
  const clock = new SwiftClock(rig.clock.nowUnixMs());
  const told: string[] = [];
  const onDamage = (_: unknown, message: string) => told.push(message);
  const options = { store, timeline, damage, clock, log, isBusy: () => false, onDamage };
  const scrub = new Scrub({ ...options, periodDays: 0.001 });
  await scrub.start();
  await clock.run(82_000);
  expect(scrub.report()).toMatchObject({ state: 'resting', damagedChunks: 0 });
  expect(store.warm?.counters.mendedShards).toBe(1);
  expect(statSync(parity ?? '').size).toBeGreaterThan(1024);
  expect(told).toEqual([]);
  await scrub.close();
});

test('says how many stripes are whole, what each directory lacks, and how far the mending is', async () => {
  const rig = await open(12);
  await (await settled(rig)).close();
  const all = warmPaths(rig);
  const known = new Map(rig.store.warm?.directories.map(({ path, id }) => [path, id ?? '']));
  const count = (await rig.timeline.chunksOf(CAMERA)).length;
  expect(count).toBeGreaterThan(2);
  const clip = await clipOf(rig);
  const lose = (paths: readonly string[]) => {
    for (const path of paths) {
      for (const name of filesBelow(path)) rmSync(join(path, name));
    }
  };
  const away = (paths: readonly string[]): ChunkFiles => ({
    ...nodeFiles,
    readText: (path) =>
      paths.some((gone) => path.startsWith(`${gone}/`))
        ? Promise.resolve(undefined)
        : nodeFiles.readText(path),
  });
  const lost = all.slice(5, 9);
  lose(lost);
  await rig.openStore({ warm: { directories: all, expected: known }, files: away(lost) });
  const waiting = await settled(rig, { afterDays: 1000 });
  expect(waiting.report()).toMatchObject({
    stripes: { whole: 0, degraded: count, lost: 0 },
    missingShards: all.map((path) => (lost.includes(path) ? count : 0)),
    ...{ mendedShards: 0, lostStripes: 0 },
  });
  expect(waiting.report()).not.toHaveProperty('mending');
  expect((await clipOf(rig)).equals(clip)).toBe(true);
  await waiting.close();

  // Their disks are back, empty: every read is a step that can be looked at.
  await rig.openStore({ warm: { directories: all, expected: known } });
  const seen: unknown[] = [];
  const looking = await moverOf(rig, {
    afterDays: 1000,
    isBusy: () => {
      const { mending, stripes } = looking.mover.report() ?? {};
      seen.push([mending, stripes?.degraded]);
      return false;
    },
  });
  await looking.clock.run(30_000);
  for (let done = 0; done < count; done++) {
    expect(seen).toContainEqual([{ done, total: count }, count - done]);
  }
  expect(looking.mover.report()).toMatchObject({
    ...{ state: 'idle', stripes: { whole: count, degraded: 0, lost: 0 } },
    ...{ missingShards: all.map(() => 0), mendedShards: 4 * count },
  });
  expect((await clipOf(rig)).equals(clip)).toBe(true);
  await looking.mover.close();

  // A fifth is too many.
  const names = all.slice(0, 5).map((path) => join(path, filesBelow(path)[0] ?? ''));
  for (const name of names) rmSync(name);
  const lostOne = (await rig.timeline.chunksOf(CAMERA)).find((chunk) =>
    names.every((name) => name.includes(chunk.path)),
  );
  if (lostOne === undefined) throw new Error('expected five shards of one stripe');
  const broken = await settled(rig, { afterDays: 1000 });
  expect(broken.report()).toMatchObject({
    stripes: { whole: count - 1, degraded: 0, lost: 1 },
    lostStripes: 1,
  });
  // Deleted, it is missed no more.
  broken.noteDeleted(lostOne);
  expect(broken.report()).toMatchObject({
    stripes: { whole: count - 1, degraded: 0, lost: 0 },
    chunks: count - 1,
  });
});

test('a chunk that is sealed after it came by moves, too', async () => {
  const rig = await open();
  const chunks = await rig.timeline.chunksOf(CAMERA);
  await rig.timeline.commit({ chunks: chunks.map((chunk) => ({ ...chunk, sealed: false })) });
  const { mover, clock } = await moverOf(rig);
  await clock.run(5000);
  expect(mover.report()).toMatchObject({ chunks: 0, movedChunks: 0 });
  await rig.timeline.commit({ chunks });
  await clock.run(60_000);
  expect(mover.report()).toMatchObject({ chunks: chunks.length, movedChunks: chunks.length });
});
