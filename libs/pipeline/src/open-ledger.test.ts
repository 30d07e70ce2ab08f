// What a camera's gaps are taken up with after a life that was cut off at any moment.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { Timeline, type ChunkRow } from '#timeline';
import { openLedger } from './open-ledger.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const STORE = '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c10';
const S = 1_000_000;
const T0 = 1_767_225_600 * S;

let directory: string;
let timeline: Timeline;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-ledger-'));
  timeline = await Timeline.open({ directory, clock: new FakeClock(), log: silentLog() });
});
afterEach(async () => {
  await timeline.close();
  await rm(directory, { recursive: true });
});

/** A chunk with one group from `from` to `to`, in seconds. */
async function footage(from: number, to: number): Promise<void> {
  const [firstUnixUs, lastUnixUs] = [T0 + from * S, T0 + to * S];
  const id = firstUnixUs;
  const chunk: ChunkRow = {
    id,
    store: STORE,
    path: `${CAMERA}/main/2026-01-01/000000-${id}.h264`,
    camera: CAMERA,
    track: 'main',
    codec: 'h264',
    firstUnixUs,
    lastUnixUs,
    sizeBytes: 1000,
    sealed: true,
    sha256: '0'.repeat(64),
  };
  const group = {
    camera: CAMERA,
    track: 'main',
    startUnixUs: firstUnixUs,
    durationUs: lastUnixUs - firstUnixUs,
    run: 1,
    chunkId: id,
    offset: 0,
    length: 1000,
    frameCount: 10,
    startDts90k: 0,
  } as const;
  await timeline.commit({ chunks: [chunk], groups: [group] });
}

async function gapsAfterOpening(footageEnd: number, now: number) {
  const ledger = await openLedger(timeline, CAMERA, T0 + footageEnd * S, T0 + now * S);
  const { gaps = [], removedGaps = [] } = ledger.drain() ?? {};
  await timeline.commit({ gaps, removedGaps });
  return (await timeline.gaps(CAMERA, T0 - 100 * S, T0 + 1000 * S)).map((gap) => [
    (gap.startUnixUs - T0) / S,
    gap.endUnixUs === undefined ? undefined : (gap.endUnixUs - T0) / S,
    gap.reason,
  ]);
}

test('footage of a life that was killed before its first commit has a reason in front of it', async () => {
  await footage(0, 10);
  // Recovery found this; the gap that would have been committed with it never was.
  await footage(18, 20);
  expect(await gapsAfterOpening(20, 30)).toEqual([
    [10, 18, 'restart'],
    [20, undefined, 'restart'],
  ]);
});

test('what has its reason keeps it, and only the rest gets one', async () => {
  await footage(0, 10);
  const gap = { camera: CAMERA, startUnixUs: T0 + 10 * S, endUnixUs: T0 + 14 * S };
  await timeline.commit({ gaps: [{ ...gap, reason: 'camera-down' }] });
  await footage(18, 20);
  expect(await gapsAfterOpening(20, 30)).toEqual([
    [10, 14, 'camera-down'],
    [14, 18, 'restart'],
    [20, undefined, 'restart'],
  ]);
});

test('footage that goes on makes no gap', async () => {
  await footage(0, 10);
  await footage(10.5, 20);
  expect(await gapsAfterOpening(20, 20.2)).toEqual([[20, undefined, 'restart']]);
});

test('a gap that is open behind it hides no hole in front', async () => {
  await footage(0, 10);
  await footage(18, 20);
  const open = { camera: CAMERA, startUnixUs: T0 + 20 * S, endUnixUs: undefined };
  await timeline.commit({ gaps: [{ ...open, reason: 'camera-down' }] });
  expect((await gapsAfterOpening(20, 30))[0]).toEqual([10, 18, 'restart']);
});
