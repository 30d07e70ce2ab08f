// Store and timeline together: stop after the n-th step, for every n, as a killed process and as a
// power cut does; open again; and hold what is there to S1 and S2 of the chunk file.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore, foldGroups, verifyChunk, type ScannedChunk, type TrackWriter } from '#store';
import { Timeline } from '#timeline';
import { FaultyDisk } from '../libs/store/src/faulty-files.test-support.js';
import { CAMERA, realRecord } from '../libs/store/src/footage.test-support.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;
const ALL = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
const GROUPS = 4;

let parent: string;
let directory: string;
let clock: FakeClock;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nightjar-both-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

interface Recorder {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
}

async function openBoth(disk: FaultyDisk): Promise<Recorder> {
  const log = silentLog();
  const timeline = await Timeline.open({ directory: join(directory, 'index'), clock, log });
  try {
    const store = await ChunkStore.open({
      directories: [join(directory, 'store')],
      files: disk.files,
      chunkBytes: 1800,
      clock,
      log,
    });
    return { store, timeline };
  } catch (error) {
    await timeline.close();
    throw error;
  }
}

/** What a recorder does at its start: one commit for each chunk that recovery finds. */
async function recover({ store, timeline }: Recorder): Promise<ScannedChunk[]> {
  const found: ScannedChunk[] = [];
  const unsealed = await timeline.unsealedChunks();
  for await (const scanned of store.recover({ unsealed, find: (id) => timeline.chunk(id) })) {
    found.push(scanned);
    const first = scanned.records[0]?.record;
    const open =
      first === undefined
        ? undefined
        : await timeline.groupAt(CAMERA, 'main', first.groupStartUnixUs);
    await timeline.commit({ groups: foldGroups(scanned.records, open), chunks: [scanned.chunk] });
  }
  return found;
}

/** Records as a recorder does: write, sync, commit. Gives the sequences whose commit was confirmed. */
async function recordGroups(
  { store, timeline }: Recorder,
  options: { first: number; count: number; confirmed: number[] },
): Promise<void> {
  const writer = store.openTrack(TRACK);
  for (let group = options.first; group < options.first + options.count; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 3 }));
    if (group % 2 === 0) await flush(writer, timeline, options.confirmed);
    await writer.write(realRecord({ firstFrame: group * 5 + 3, frameCount: 2 }));
    await flush(writer, timeline, options.confirmed);
    clock.advance(1000);
  }
  await put(timeline, await writer.close(), options.confirmed);
}

async function flush(writer: TrackWriter, timeline: Timeline, confirmed: number[]): Promise<void> {
  await put(timeline, await writer.sync(), confirmed);
}

async function put(
  timeline: Timeline,
  { records, chunks }: Awaited<ReturnType<TrackWriter['sync']>>,
  confirmed: number[],
): Promise<void> {
  const first = records[0]?.record;
  const open =
    first === undefined
      ? undefined
      : await timeline.groupAt(CAMERA, 'main', first.groupStartUnixUs);
  await timeline.commit({ groups: foldGroups(records, open), chunks });
  confirmed.push(...records.map(({ record }) => record.sequence));
}

/** S1: every row can be read, whole. S2: what is on disk is intact, and all of it has its row. */
async function checkInvariants({ store, timeline }: Recorder): Promise<Set<number>> {
  const rows = await timeline.groups(CAMERA, 'main', ALL);
  const readable = new Set<number>();
  for (const row of rows) {
    const chunk = await timeline.chunk(row.chunkId);
    if (chunk === undefined) throw new Error('a group row without its chunk row');
    const records = await store.readRecords(chunk, row.offset, row.length);
    expect(records.reduce((sum, { frames }) => sum + frames.count, 0)).toBe(row.frameCount);
    expect(records[0]?.frames.isKey(0)).toBe(true);
    for (const { record } of records) readable.add(record.sequence);
  }
  const onDisk: unknown[] = [];
  for await (const { chunk, records, state } of store.scanAll()) {
    expect(state).toBe('intact');
    expect(await timeline.chunk(chunk.id)).toEqual(chunk);
    onDisk.push(...foldGroups(records));
  }
  expect(rows).toEqual(onDisk);
  return readable;
}

async function countSteps(): Promise<number> {
  directory = join(parent, 'whole');
  clock = new FakeClock();
  const disk = new FaultyDisk();
  const both = await openBoth(disk);
  await recordGroups(both, { first: 0, count: GROUPS, confirmed: [] });
  await both.timeline.close();
  return disk.steps.length;
}

test.each(['a killed process', 'a power cut'] as const)(
  'after %s at any step nothing that was confirmed is lost, and all rows can be played',
  async (end) => {
    const steps = await countSteps();
    expect(steps).toBeGreaterThan(20);
    for (let stopAt = 0; stopAt < steps; stopAt++) {
      directory = join(parent, `${stopAt}`);
      clock = new FakeClock();
      const disk = new FaultyDisk({ stopAt, tornBytes: stopAt * 11 });
      const confirmed: number[] = [];
      const before = await openBoth(disk).catch(() => undefined);
      if (before !== undefined) {
        const run = recordGroups(before, { first: 0, count: GROUPS, confirmed });
        // The last seal may fail without an error: only its chunk stays unsealed.
        await run.catch(() => undefined);
        await before.timeline.close();
      }
      expect(disk.hasStopped).toBe(true);
      await disk.kill();
      if (end === 'a power cut') await disk.cutPower();

      const after = await openBoth(new FaultyDisk());
      try {
        const found = await recover(after);
        expect(found.filter(({ state }) => !['intact', 'cut'].includes(state))).toEqual([]);
        const readable = await checkInvariants(after);
        for (const sequence of confirmed) expect(readable.has(sequence)).toBe(true);
        // It records on, and in the end every chunk is sealed and chained.
        for await (const chunk of after.store.sealRecovered()) {
          await after.timeline.commit({ chunks: [chunk] });
        }
        await recordGroups(after, { first: 100, count: 2, confirmed: [] });
        await checkInvariants(after);
        let previousSeal: string | undefined;
        for (const chunk of await after.timeline.chunksOf(CAMERA)) {
          const verified = await verifyChunk(join(directory, 'store', chunk.path));
          expect(verified).toMatchObject({ seal: 'valid', damaged: [] });
          expect(verified.previousSeal).toBe(previousSeal);
          previousSeal = verified.sealValue;
        }
      } finally {
        await after.timeline.close();
        await rm(directory, { recursive: true });
      }
    }
  },
  // Each step opens the two twice, on whatever disk the machine has.
  120_000,
);

test('an index that lags behind, or is lost, is made up for from the chunks', async () => {
  directory = join(parent, 'lag');
  clock = new FakeClock();
  const index = join(directory, 'index');
  const early = await openBoth(new FaultyDisk());
  await recordGroups(early, { first: 0, count: GROUPS, confirmed: [] });
  await early.timeline.close();
  await cp(index, join(parent, 'lagging'), { recursive: true });
  const late = await openBoth(new FaultyDisk());
  await recordGroups(late, { first: 100, count: GROUPS, confirmed: [] });
  const rows = await late.timeline.groups(CAMERA, 'main', ALL);
  expect(rows).toHaveLength(2 * GROUPS);
  await late.timeline.close();

  for (const state of ['lagging', 'lost']) {
    await rm(index, { recursive: true });
    if (state === 'lagging') await cp(join(parent, 'lagging'), index, { recursive: true });
    const after = await openBoth(new FaultyDisk());
    await recover(after);
    expect(await after.timeline.groups(CAMERA, 'main', ALL)).toEqual(rows);
    await checkInvariants(after);
    await after.timeline.close();
  }
});

test('a dropped chunk takes its rows, its spans and its file, and leaves word of it', async () => {
  directory = join(parent, 'drop');
  clock = new FakeClock();
  const both = await openBoth(new FaultyDisk());
  const { store, timeline } = both;
  await recordGroups(both, { first: 0, count: GROUPS, confirmed: [] });
  const chunks = await timeline.chunksOf(CAMERA);
  const [oldest, next] = chunks;
  if (oldest === undefined || next === undefined) throw new Error('expected several chunks');
  await timeline.dropChunk(oldest.id, {
    atUnixUs: clock.nowUnixUs(),
    ...TRACK,
    chunkPath: oldest.path,
    fromUnixUs: oldest.firstUnixUs,
    toUnixUs: oldest.lastUnixUs,
    bytes: oldest.sizeBytes,
    rule: 'age',
  });
  expect(await store.deleteChunk(oldest)).toBe(oldest.sizeBytes);
  const recordings = await timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  expect(recordings.map(({ fromUnixUs }) => fromUnixUs)).toEqual([next.firstUnixUs]);
  await checkInvariants(both);
  expect(await timeline.usage()).toMatchObject([{ chunks: chunks.length - 1 }]);
  expect(await timeline.deletions({ limit: 10 })).toHaveLength(1);
  await timeline.close();
});
