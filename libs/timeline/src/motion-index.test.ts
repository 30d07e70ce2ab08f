import { reopen, timeline } from './open-timeline.test-support.js';
import type { MotionRow } from './rows.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const OTHER = '1b0c7c52-4a0e-4f7b-9f6d-5a3f2e1d0c9b';
const T0 = 1_767_225_600_000_000;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

function event(startSeconds: number, more: Partial<MotionRow> = {}): MotionRow {
  const startUnixUs = T0 + startSeconds * SECOND;
  const cells = new Uint8Array(18);
  return {
    camera: CAMERA,
    startUnixUs,
    endUnixUs: startUnixUs + 5 * SECOND,
    peak: 1,
    cells,
    ...more,
  };
}

function withCell(cell: number): Uint8Array {
  const cells = new Uint8Array(18);
  cells[cell >> 3] = 1 << (cell & 7);
  return cells;
}

test('motion is found by time, level and region, newest first, page by page', async () => {
  const events = Array.from({ length: 50 }, (_, at) =>
    event(at * 3600, {
      peak: (at % 10) / 10,
      cells: withCell(at % 144),
      camera: at % 2 ? OTHER : CAMERA,
    }),
  );
  await timeline.commit({ motion: events.slice(0, 30) });
  expect(await timeline.packMotion()).toBe(30);
  expect(await timeline.packMotion()).toBe(0);
  await timeline.commit({ motion: events.slice(30) });
  await reopen();
  const query = { cameras: [CAMERA, OTHER], fromUnixUs: T0, toUnixUs: T0 + 30 * DAY, limit: 7 };
  const starts: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await timeline.motion({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    starts.push(...page.items.map((row) => (row.startUnixUs - T0) / SECOND / 3600));
    cursor = page.cursor;
    // A page boundary stands still while rows move.
    if (starts.length === 21) await timeline.packMotion();
  } while (cursor !== undefined);
  expect(starts).toEqual(Array.from({ length: 50 }, (_, at) => 49 - at));
  const strong = await timeline.motion({ ...query, minLevel: 0.85, limit: 100 });
  expect(strong.items).toHaveLength(5);
  const cells = withCell(3);
  cells.set(withCell(47), 0);
  cells[0] = 1 << 3;
  const inRegion = await timeline.motion({ ...query, cells, limit: 100 });
  expect(inRegion.items.map((row) => (row.startUnixUs - T0) / SECOND / 3600)).toEqual([47, 3]);
  const within = { ...query, fromUnixUs: T0 + 3602 * SECOND, toUnixUs: T0 + 7200 * SECOND };
  expect((await timeline.motion(within)).items).toEqual([
    { ...events[1], peak: expect.closeTo(0.1) },
  ]);
});

test('an event whose place is not known is in no place left out, fresh or packed', async () => {
  const query = { cameras: [CAMERA], fromUnixUs: T0, toUnixUs: T0 + DAY, limit: 10 };
  const motion = [
    { camera: CAMERA, startUnixUs: T0, endUnixUs: T0 + SECOND, peak: 1, cells: new Uint8Array(18) },
    {
      camera: CAMERA,
      startUnixUs: T0 + 60 * SECOND,
      endUnixUs: T0 + 61 * SECOND,
      peak: 1,
      cells: withCell(3),
    },
  ];
  await timeline.commit({ motion });
  const starts = async (cell: number): Promise<number[]> => {
    const { items } = await timeline.motion({ ...query, cells: withCell(cell) });
    return items.map((row) => (row.startUnixUs - T0) / SECOND);
  };
  expect([await starts(3), await starts(4)]).toEqual([[60, 0], [0]]);
  await timeline.packMotion();
  expect([await starts(3), await starts(4)]).toEqual([[60, 0], [0]]);
});

test('an event that grows replaces itself, fresh or packed', async () => {
  const query = { cameras: [CAMERA], fromUnixUs: T0, toUnixUs: T0 + DAY, limit: 10 };
  await timeline.commit({ motion: [event(0)] });
  await timeline.packMotion();
  const grown = event(0, { endUnixUs: T0 + 60 * SECOND });
  await timeline.commit({ motion: [grown] });
  expect((await timeline.motion(query)).items).toEqual([grown]);
  await timeline.packMotion();
  expect((await timeline.motion(query)).items).toEqual([grown]);
});

test('an event that began on the day before is found on the day that it lasts into', async () => {
  const late = event(86_399, { endUnixUs: T0 + 86_410 * SECOND });
  await timeline.commit({ motion: [late] });
  await timeline.packMotion();
  const query = { cameras: [CAMERA], fromUnixUs: T0 + DAY, toUnixUs: T0 + 2 * DAY, limit: 10 };
  expect((await timeline.motion(query)).items).toEqual([late]);
});

test('old motion is forgotten', async () => {
  await timeline.commit({
    motion: [event(0), event(5 * 86_400), event(5 * 86_400, { camera: OTHER })],
  });
  await timeline.packMotion();
  await timeline.commit({ motion: [event(10)] });
  await timeline.forget(CAMERA, T0 + 4 * DAY);
  const query = { cameras: [CAMERA, OTHER], fromUnixUs: 0, toUnixUs: T0 + 30 * DAY, limit: 10 };
  expect((await timeline.motion(query)).items).toHaveLength(2);
  await reopen();
  expect((await timeline.motion(query)).items).toHaveLength(2);
});

test('cells of another size and foreign cursors are refused', async () => {
  await expect(
    timeline.commit({ motion: [event(0, { cells: new Uint8Array(3) })] }),
  ).rejects.toMatchObject({ code: 'invalid-argument' });
  const query = { cameras: [CAMERA], fromUnixUs: 0, toUnixUs: T0, limit: 1, cursor: 'abc' };
  await expect(timeline.motion(query)).rejects.toMatchObject({ code: 'invalid-argument' });
});
