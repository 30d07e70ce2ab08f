// Two recorders on one disk that fills up: the oldest footage goes first, whosever it is.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CAMERA, log, Rig, S } from './footage-rig.test-support.js';
import { Retention, type Watermarks } from './retention.js';

let first: Rig;
let second: Rig;

beforeEach(async () => {
  first = await new Rig().open();
  second = await new Rig().open(join(first.directory, 'store', 'recorder-2'));
  for (const at of [0, 2000]) await first.record(at, 4);
  for (const at of [1000, 3000]) await second.record(at, 4);
  for (const rig of [first, second]) {
    await rig.seal();
    const behindMs = 3010_000 - (rig.clock.nowUnixUs() - rig.t0) / 1000;
    rig.clock.advance(behindMs);
  }
});

afterEach(async () => {
  await first.close();
  await second.close();
  for (const rig of [first, second]) rmSync(rig.directory, { recursive: true, force: true });
});

/** One pass over a disk that never has enough room. */
async function makeRoom(rig: Rig, criticalBytes = 0): Promise<void> {
  const { store, timeline, clock } = rig;
  const watermarks = (): Watermarks => ({ lowBytes: 1e15, criticalBytes, stopBytes: 0 });
  const retention = new Retention({
    ...{ store, timeline, clock, log, watermarks },
    cameras: () => new Map([[CAMERA, { retention: { days: 30 } }]]),
    isWriting: () => false,
  });
  await retention.run();
  await retention.close();
}

/** The seconds at which what is left begins. */
async function left(rig: Rig): Promise<number[]> {
  const spans = await rig.timeline.recordings(CAMERA, rig.t0, rig.t0 + 4000 * S);
  return spans.map(({ fromUnixUs }) => Math.round((fromUnixUs - rig.t0) / S));
}

const idOf = (rig: Rig) => rig.store.directories[0]?.id ?? '';

test('each leaves the disk to the other as long as that has older footage', async () => {
  await first.store.exchangeOldest(idOf(first), first.t0);
  await makeRoom(second);
  expect(await left(second)).toEqual([1000, 3000]);
  await makeRoom(first);
  expect(await left(first)).toEqual([2000]);
  await makeRoom(first);
  expect(await left(first)).toEqual([2000]);
  await makeRoom(second);
  expect([await left(first), await left(second)]).toEqual([[2000], [3000]]);
});

test('a disk that is nearly full waits for nobody, and neither does a recorder without neighbours', async () => {
  await first.store.exchangeOldest(idOf(first), first.t0);
  await makeRoom(second, 1e15);
  expect(await left(second)).toEqual([]);
  first.clock.advance(700_000);
  await makeRoom(first);
  expect(await left(first)).toEqual([]);
});

test('what the index counts of sealed chunks is what du counts', async () => {
  const text = execFileSync('find', [
    ...[join(first.directory, 'store'), '-path', '*/recorder-2', '-prune', '-o'],
    ...['-type', 'f', '-not', '-name', '*.json', '-exec', 'du', '-b', '--apparent-size', '{}', ';'],
  ]).toString();
  const sizes = text
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[0]));
  const [used] = await first.timeline.usage();
  expect(sizes).toHaveLength(used?.chunks ?? 0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(used?.bytes);
  expect((await first.timeline.chunksOf(CAMERA)).every(({ sealed }) => sealed)).toBe(true);
});
