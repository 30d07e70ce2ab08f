import { ClassicLevel } from 'classic-level';
import { directory, open, reopen, timeline } from './open-timeline.test-support.js';
import { encodeGroup } from './row-codec.js';
import type { ChunkRow, GapRow, GroupRow, NewDeletion } from './rows.js';
import { coalesce } from './spans.js';

const { jest } = import.meta;
const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const OTHER = '1b0c7c52-4a0e-4f7b-9f6d-5a3f2e1d0c9b';
const STORE = '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c10';
const HOLD = 'c0ffee00-1234-4abc-8def-001122334455';
const T0 = 1_767_225_600_000_000;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

function group(startSeconds: number, more: Partial<GroupRow> = {}): GroupRow {
  return {
    camera: CAMERA,
    track: 'main',
    startUnixUs: T0 + startSeconds * SECOND,
    durationUs: 2 * SECOND,
    run: 1,
    chunkId: T0,
    offset: Math.round(startSeconds) * 1000,
    length: 1000,
    frameCount: 50,
    startDts90k: -5,
    ...more,
  };
}

function chunk(id: number, [from, to]: readonly [number, number], more: Partial<ChunkRow> = {}) {
  const row: ChunkRow = {
    id,
    store: STORE,
    path: `${CAMERA}/main/2026-01-01/000000-${id}.h264`,
    camera: CAMERA,
    track: 'main',
    codec: 'h264',
    firstUnixUs: T0 + from * SECOND,
    lastUnixUs: T0 + to * SECOND,
    sizeBytes: 10_000,
    sealed: true,
    sha256: 'ab'.repeat(32),
    ...more,
  };
  return row;
}

function deletion(more: Partial<NewDeletion> = {}): NewDeletion {
  return {
    atUnixUs: T0,
    camera: CAMERA,
    track: 'main',
    chunkPath: 'x',
    fromUnixUs: T0,
    toUnixUs: T0 + SECOND,
    bytes: 10_000,
    rule: 'age',
    ...more,
  };
}

const seconds = (spans: readonly { fromUnixUs: number; toUnixUs: number }[]) =>
  spans.map((span) => [(span.fromUnixUs - T0) / SECOND, (span.toUnixUs - T0) / SECOND]);

test('groups come back, grow in place, and are found by any moment within', async () => {
  await timeline.commit({ groups: [group(0), group(2), group(4, { track: 'sub' })] });
  await timeline.commit({ groups: [group(2, { durationUs: 3 * SECOND, length: 1500 })] });
  await reopen();
  const range = { fromUnixUs: T0 + SECOND, toUnixUs: T0 + 3 * SECOND };
  const rows = await timeline.groups(CAMERA, 'main', range);
  expect(rows).toEqual([group(0), group(2, { durationUs: 3 * SECOND, length: 1500 })]);
  expect(await timeline.groups(CAMERA, 'main', { ...range, reverse: true, limit: 1 })).toEqual([
    rows[1],
  ]);
  expect(await timeline.groups(CAMERA, 'main', { ...range, limit: 1 })).toEqual([rows[0]]);
  expect(await timeline.groupAt(CAMERA, 'main', T0 + 4.9 * SECOND)).toEqual(rows[1]);
  expect(await timeline.groupAt(CAMERA, 'main', T0 + 2 * SECOND)).toEqual(rows[1]);
  expect(await timeline.groupAt(CAMERA, 'main', T0 + 5 * SECOND)).toBeUndefined();
  expect(await timeline.groupAt(CAMERA, 'main', T0 - 1)).toBeUndefined();
  expect(await timeline.groupAt(OTHER, 'main', T0)).toBeUndefined();
});

test('two groups that begin at the same moment in two chunks are both kept', async () => {
  await timeline.commit({ groups: [group(0), group(0, { chunkId: T0 + 7 })] });
  const rows = await timeline.groups(CAMERA, 'main', { fromUnixUs: T0, toUnixUs: T0 + 1 });
  expect(rows.map((row) => row.chunkId)).toEqual([T0, T0 + 7]);
});

test('a group row takes less than 24 bytes', () => {
  const large = { run: 9999, offset: 9_999_999, length: 2_000_000, startDts90k: 2 ** 33 };
  expect(encodeGroup(group(0, { ...large, durationUs: 60 * SECOND })).length).toBeLessThan(24);
});

test('recordings are coalesced over jitter, in any order of arrival, and cut to the question', async () => {
  for (const start of [10, 0, 2.5, 4.4, 20, 6]) await timeline.commit({ groups: [group(start)] });
  await reopen();
  const spans = await timeline.recordings(CAMERA, T0 + SECOND, T0 + 21 * SECOND);
  expect(seconds(spans)).toEqual([
    [1, 8],
    [10, 12],
    [20, 21],
  ]);
});

test('a span that grows for hours is exact at every moment, and after a restart at any of them', async () => {
  for (let at = 0; at < 200; at++) {
    // Every tenth group is long and comes in two pieces, as long groups of a camera do.
    const start = at * 20;
    const durationUs = (at % 10 === 0 ? 9 : 20) * SECOND;
    await timeline.commit({ groups: [group(start, { durationUs })] });
    if (at % 10 === 0)
      await timeline.commit({ groups: [group(start, { durationUs: 20 * SECOND })] });
    if (at % 33 === 0) await reopen();
    const found = await timeline.recordings(CAMERA, T0, T0 + DAY);
    expect(seconds(found)).toEqual([[0, start + 20]]);
  }
  await timeline.commit({ groups: [group(5000)] });
  await reopen();
  expect(seconds(await timeline.recordings(CAMERA, T0 + 3999 * SECOND, T0 + DAY))).toEqual([
    [3999, 4000],
    [5000, 5002],
  ]);
});

test('spans, groups and usage agree with a plain model under random commits, drops and restarts', async () => {
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const model = new Map<number, GroupRow[]>();
  for (let step = 0; step < 120; step++) {
    const choice = random(10);
    if (choice < 7) {
      const id = T0 + step;
      const from = random(300);
      // Long ones go by range, unless another lies among them.
      const length = 1 + random(step % 2 === 0 ? 6 : 20);
      const rows = Array.from({ length }, (_, index) =>
        group(from + index * 2 + random(3), { chunkId: id, offset: index * 1000, durationUs: 2e6 }),
      ).sort((a, b) => a.startUnixUs - b.startUnixUs);
      const unique = rows.filter((row, at) => rows[at + 1]?.startUnixUs !== row.startUnixUs);
      const last = Math.max(...unique.map((row) => row.startUnixUs + row.durationUs));
      const first = (unique[0] as GroupRow).startUnixUs;
      const times = [(first - T0) / SECOND, (last - T0) / SECOND] as const;
      await timeline.commit({ groups: unique, chunks: [chunk(id, times)] });
      model.set(id, unique);
    } else if (choice < 9 && model.size > 0) {
      const id = [...model.keys()][random(model.size)] as number;
      expect(await timeline.dropChunk(id, deletion())).toBe(true);
      expect(await timeline.dropChunk(id, deletion())).toBe(false);
      model.delete(id);
    } else {
      await reopen();
    }
    const rows = [...model.values()].flat();
    const all = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
    expect(await timeline.groups(CAMERA, 'main', all)).toHaveLength(rows.length);
    const wanted = coalesce(
      rows.map((row) => ({
        fromUnixUs: row.startUnixUs,
        toUnixUs: row.startUnixUs + row.durationUs,
      })),
    );
    const found = await timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
    expect(seconds(found)).toEqual(seconds(wanted));
    const usage = await timeline.usage();
    expect(usage[0]?.chunks ?? 0).toBe(model.size);
    expect(usage[0]?.bytes ?? 0).toBe(model.size * 10_000);
  }
});

test('concurrent commits all arrive, each whole', async () => {
  const commits = Array.from({ length: 200 }, (_, at) =>
    timeline.commit({ groups: [group(at * 2)], chunks: [chunk(T0 + at, [at * 2, at * 2 + 2])] }),
  );
  await Promise.all(commits);
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([[0, 400]]);
  expect(await timeline.usage()).toMatchObject([{ chunks: 200, bytes: 2_000_000 }]);
});

test('a commit that cannot be kept changes nothing, and what came with it is kept', async () => {
  const bad = timeline.commit({ groups: [group(0), group(2, { startUnixUs: -1 })] });
  const good = timeline.commit({ groups: [group(10)] });
  await expect(bad).rejects.toMatchObject({ code: 'invalid-argument' });
  await good;
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([[10, 12]]);
});

test('a chunk that shrank takes the rows of its lost end with it', async () => {
  const groups = [0, 2, 4, 6].map((start, at) => group(start, { offset: at * 1000 }));
  await timeline.commit({
    groups,
    chunks: [chunk(T0, [0, 8], { sizeBytes: 4000, sealed: false })],
  });
  const shorter = chunk(T0, [0, 4], { sizeBytes: 2500, sealed: false });
  await timeline.commit({ groups: groups.slice(0, 2), chunks: [shorter] });
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([[0, 4]]);
  expect(await timeline.unsealedChunks()).toEqual([shorter]);
  expect(await timeline.usage()).toMatchObject([{ bytes: 2500 }]);
});

/** Every key of a kind that the LSM holds, whoever sees it. */
async function rawKeys(letter: string): Promise<number> {
  await timeline.close();
  const level = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer' });
  await level.open();
  const next = Buffer.of(letter.charCodeAt(0) + 1);
  const keys = await level.keys({ gte: Buffer.from(letter), lt: next }).all();
  await level.close();
  await open();
  return keys.length;
}

/** Three chunks of 100 groups, one behind the other. */
async function commitThree(): Promise<void> {
  for (let at = 0; at < 3; at++) {
    const groups = Array.from({ length: 100 }, (_, index) =>
      group(at * 200 + index * 2, { chunkId: T0 + at }),
    );
    const times = [at * 200, at * 200 + 200] as const;
    await timeline.commit({ groups, chunks: [chunk(T0 + at, times)] });
  }
}

const everything = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };

test('a group that was written again elsewhere is there once, however the batches come', async () => {
  const [left, elsewhere] = [T0, T0 + 5];
  const before = {
    groups: [group(0), group(2)],
    chunks: [chunk(left, [0, 4], { sizeBytes: 3000 })],
  };
  const again = {
    groups: [group(2, { chunkId: elsewhere, offset: 0, frameCount: 60 })],
    chunks: [
      chunk(elsewhere, [2, 4], { sizeBytes: 1000 }),
      chunk(left, [0, 2], { sizeBytes: 1000 }),
    ],
  };
  const merged = {
    groups: [...before.groups, ...again.groups],
    chunks: [...before.chunks, ...again.chunks],
  };
  for (const batches of [[before, again], [merged]]) {
    for (const batch of batches) await timeline.commit(batch);
    const rows = await timeline.groups(CAMERA, 'main', { fromUnixUs: T0, toUnixUs: T0 + DAY });
    expect(rows.map((row) => [row.chunkId, row.frameCount])).toEqual([
      [left, 50],
      [elsewhere, 60],
    ]);
    expect(await timeline.recordings(CAMERA, T0, T0 + DAY)).toMatchObject([
      { fromUnixUs: T0, toUnixUs: T0 + 4 * SECOND },
    ]);
    await timeline.commit({ removedChunks: [left, elsewhere] });
    expect(await timeline.groups(CAMERA, 'main', { fromUnixUs: T0, toUnixUs: T0 + DAY })).toEqual(
      [],
    );
    expect(await timeline.recordings(CAMERA, T0, T0 + DAY)).toEqual([]);
    expect(await timeline.chunk(left)).toBeUndefined();
    expect(await timeline.usage()).toEqual([]);
  }
  // A row of what is removed in the same batch is not put either.
  await timeline.commit({ ...before, removedChunks: [left] });
  expect(await timeline.groups(CAMERA, 'main', { fromUnixUs: T0, toUnixUs: T0 + DAY })).toEqual([]);
});

test('the groups of a dropped chunk go by range, and readers meanwhile see all or none', async () => {
  await commitThree();
  expect(await rawKeys('g')).toBe(300);
  const clear = jest.spyOn(ClassicLevel.prototype, 'clear');
  const counts = new Set<number>();
  let isDone = false;
  const reading = (async () => {
    do counts.add((await timeline.groups(CAMERA, 'main', everything)).length);
    while (!isDone);
  })();
  await timeline.dropChunk(T0 + 1, deletion());
  isDone = true;
  await reading;
  counts.add((await timeline.groups(CAMERA, 'main', everything)).length);
  expect([...counts].filter((count) => count !== 300)).toEqual([200]);
  expect(clear).toHaveBeenCalledTimes(1);
  clear.mockRestore();
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([
    [0, 200],
    [400, 600],
  ]);
  expect([await rawKeys('g'), await rawKeys('r')]).toEqual([200, 0]);
});

test('rows that could not be cleared stay invisible, spare what came among them, and go later', async () => {
  await commitThree();
  const clear = jest.spyOn(ClassicLevel.prototype, 'clear');
  clear.mockRejectedValue(new Error('IO error: No space left on device'));
  for (const at of [0, 1]) {
    expect(await timeline.dropChunk(T0 + at, deletion())).toBe(true);
    // The index is opened again behind the failure, before anything else is written.
    await timeline.commit({});
    expect(await timeline.chunk(T0 + at)).toBeUndefined();
  }
  const look = { ...everything, limit: 5 };
  expect((await timeline.groups(CAMERA, 'main', look))[0]?.chunkId).toBe(T0 + 2);
  expect(await timeline.groups(CAMERA, 'main', look)).toHaveLength(5);
  expect(await timeline.groupAt(CAMERA, 'main', T0 + SECOND)).toBeUndefined();
  // A clock went back: another chunk lies in the time of the first.
  const late = group(50.5, { chunkId: T0 + 9 });
  await timeline.commit({ groups: [late], chunks: [chunk(T0 + 9, [50.5, 52.5])] });
  clear.mockRestore();
  await reopen();
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([
    [50.5, 52.5],
    [400, 600],
  ]);
  expect((await timeline.groups(CAMERA, 'main', look))[0]).toEqual(late);
  expect([await rawKeys('g'), await rawKeys('r')]).toEqual([101, 0]);
});

test('a drop cuts the spans also where a power cut kept the clearing and lost the rest', async () => {
  await commitThree();
  await timeline.close();
  const level = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer' });
  for await (const key of level.keys({ gte: Buffer.from('g'), lt: Buffer.from('h') })) {
    if (key.readBigUInt64BE(26) === BigInt(T0 + 1)) await level.del(key);
  }
  await level.close();
  await open();
  expect(await timeline.dropChunk(T0 + 1, deletion())).toBe(true);
  await reopen();
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([
    [0, 200],
    [400, 600],
  ]);
});

test('a chunk that comes back behind its drop is there again', async () => {
  await commitThree();
  const clear = jest.spyOn(ClassicLevel.prototype, 'clear').mockRejectedValueOnce(new Error('no'));
  await timeline.dropChunk(T0, deletion());
  clear.mockRestore();
  const again = Array.from({ length: 10 }, (_, index) => group(index * 2));
  await timeline.commit({ groups: again, chunks: [chunk(T0, [0, 20])] });
  expect(await timeline.groups(CAMERA, 'main', { ...everything, limit: 10 })).toEqual(again);
  await reopen();
  expect(seconds(await timeline.recordings(CAMERA, 0, T0 + DAY))).toEqual([
    [0, 20],
    [200, 600],
  ]);
});

test('chunks are listed by camera, by age, unsealed, and counted', async () => {
  const rows = [
    chunk(T0 + 3, [3, 5], { track: 'sub' }),
    chunk(T0 + 1, [1, 2]),
    chunk(T0 + 2, [86_400, 86_500], { sealed: false, previousSeal: 'cd'.repeat(32) }),
    chunk(T0 + 4, [0, 1], { camera: OTHER }),
  ];
  await timeline.commit({ chunks: rows });
  await reopen();
  expect(await timeline.chunk(T0 + 2)).toEqual(rows[2]);
  expect((await timeline.chunksOf(CAMERA)).map(({ id }) => id - T0)).toEqual([1, 3, 2]);
  const newest = await timeline.chunksOf(CAMERA, { reverse: true, limit: 2 });
  expect(newest.map(({ id }) => id - T0)).toEqual([2, 3]);
  expect(await timeline.chunksOf(CAMERA, { track: 'sub' })).toEqual([rows[0]]);
  expect((await timeline.unsealedChunks()).map(({ id }) => id - T0)).toEqual([2]);
  const expiring = await timeline.chunksExpiring(T0 + 4 * SECOND, 10);
  expect(expiring.map(({ id }) => id - T0)).toEqual([1, 4]);
  const sealed = { ...(rows[2] as ChunkRow), sealed: true, sizeBytes: 12_000 };
  await timeline.commit({ chunks: [sealed] });
  expect(await timeline.unsealedChunks()).toEqual([]);
  expect(await timeline.usage()).toMatchObject([
    { camera: OTHER, bytes: 10_000, chunks: 1 },
    { camera: CAMERA, bytes: 32_000, chunks: 3, oldestUnixUs: T0 + SECOND },
  ]);
});

test('a hold protects its chunks until it is lifted', async () => {
  await timeline.commit({ chunks: [chunk(T0, [0, 10])] });
  const hold = {
    id: HOLD,
    cameras: [CAMERA],
    fromUnixMs: T0 / 1000 + 9000,
    toUnixMs: T0 / 1000 + 20_000,
  };
  await timeline.putHolds([hold]);
  await reopen();
  expect(timeline.holds()).toEqual([hold]);
  await expect(timeline.dropChunk(T0, deletion())).rejects.toMatchObject({
    code: 'failed-precondition',
  });
  expect(await timeline.chunksExpiring(T0 + DAY, 10)).toEqual([]);
  await timeline.putHolds([]);
  expect(await timeline.dropChunk(T0, deletion())).toBe(true);
});

test('deletions page in the order in which they were made, also over a clock that went back', async () => {
  await timeline.commit({
    deletions: [deletion({ rule: 'a' }), deletion({ rule: 'b', seal: 'ef' })],
  });
  await reopen();
  await timeline.commit({ deletions: [deletion({ rule: 'c', atUnixUs: T0 - DAY })] });
  const first = await timeline.deletions({ limit: 2 });
  expect(first).toMatchObject([{ rule: 'a' }, { rule: 'b', seal: 'ef' }]);
  const after = first[1]?.id ?? '';
  expect(await timeline.deletions({ after, limit: 2 })).toMatchObject([
    { rule: 'c', atUnixUs: T0 - DAY, camera: CAMERA, track: 'main', bytes: 10_000 },
  ]);
  await expect(timeline.deletions({ after: '../', limit: 2 })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
});

test('a camera has one open gap; the next one closes it, and a restart keeps it', async () => {
  const gap = (start: number, end: number | undefined, reason: string): GapRow => ({
    camera: CAMERA,
    startUnixUs: T0 + start * SECOND,
    endUnixUs: end === undefined ? undefined : T0 + end * SECOND,
    reason,
  });
  await timeline.commit({ gaps: [gap(0, 5, 'restart'), gap(10, undefined, 'no-motion')] });
  await reopen();
  expect(timeline.openGap(CAMERA)).toEqual(gap(10, undefined, 'no-motion'));
  await timeline.commit({ gaps: [gap(20, undefined, 'camera-down')] });
  expect(await timeline.gaps(CAMERA, T0 + 4 * SECOND, T0 + 15 * SECOND)).toEqual([
    gap(0, 5, 'restart'),
    gap(10, 20, 'no-motion'),
  ]);
  expect(await timeline.gaps(CAMERA, T0 + 500 * SECOND, T0 + 600 * SECOND)).toEqual([
    gap(20, undefined, 'camera-down'),
  ]);
  await timeline.commit({ gaps: [gap(20, 30, 'camera-down')] });
  expect(timeline.openGap(CAMERA)).toBeUndefined();
  await timeline.commit({ removedGaps: [{ camera: CAMERA, startUnixUs: T0 }] });
  await timeline.forget(CAMERA, T0 + 20 * SECOND);
  expect(await timeline.gaps(CAMERA, 0, T0 + DAY)).toEqual([gap(20, 30, 'camera-down')]);
});

test('settings and the alive mark survive', async () => {
  await timeline.putSetting('config', Buffer.from('one'));
  await timeline.putSetting('gone', Buffer.from('two'));
  await timeline.putSetting('gone', undefined);
  expect(timeline.lastAlive()).toBeUndefined();
  await timeline.markAlive(T0);
  await reopen();
  expect(timeline.lastAlive()).toBe(T0);
  expect(Buffer.from((await timeline.getSetting('config')) ?? []).toString()).toBe('one');
  expect(await timeline.getSetting('gone')).toBeUndefined();
});
