import { ClassicLevel } from 'classic-level';
import { makeKey } from './keys.js';
import { directory, open, reopen, timeline } from './open-timeline.test-support.js';
import type { ChunkRow, NewDeletion } from './rows.js';

const [GATE, YARD] = [
  '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11',
  '1b0c7c52-4a0e-4f7b-9f6d-5a3f2e1d0c9b',
] as const;
const [ONE, TWO, WARM] = [
  '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c10',
  '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c11',
  '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c12',
] as const;

function chunk(id: number, more: Partial<ChunkRow> = {}): ChunkRow {
  return {
    ...{ id, store: ONE, camera: GATE, track: 'main', codec: 'h264', path: `chunk-${id}` },
    ...{ firstUnixUs: id * 10, lastUnixUs: id * 10 + 9, sizeBytes: 1000, sealed: true },
    ...more,
  };
}

const deletion: NewDeletion = {
  ...{ atUnixUs: 1, camera: GATE, track: 'main', chunkPath: 'x', rule: 'age' },
  ...{ fromUnixUs: 1, toUnixUs: 2, bytes: 1 },
};

const stores = () => Object.fromEntries(timeline.usageOfStores());
const cameras = async () =>
  Object.fromEntries(
    (await timeline.usage()).map(({ camera, bytes, chunks }) => [camera, [bytes, chunks]]),
  );

test('sums by camera and by store follow chunks that come, grow, move, shrink and go', async () => {
  await timeline.commit({ chunks: [chunk(1), chunk(2, { store: TWO }), chunk(3)] });
  await timeline.commit({ chunks: [chunk(4, { camera: YARD, store: TWO, sealed: false })] });
  expect(stores()).toEqual({ [ONE]: 2000, [TWO]: 2000 });
  await timeline.commit({
    chunks: [chunk(4, { camera: YARD, store: TWO, sizeBytes: 1700 })],
  });
  // To the warm tier.
  await timeline.commit({ chunks: [chunk(1, { store: WARM })] });
  expect(stores()).toEqual({ [ONE]: 1000, [TWO]: 2700, [WARM]: 1000 });
  expect(await cameras()).toEqual({ [GATE]: [3000, 3], [YARD]: [1700, 1] });
  await timeline.dropChunk(3, deletion);
  await timeline.dropChunk(4, { ...deletion, camera: YARD });
  expect(stores()).toEqual({ [TWO]: 1000, [WARM]: 1000 });
  await reopen();
  expect(stores()).toEqual({ [TWO]: 1000, [WARM]: 1000 });
  expect(await cameras()).toEqual({ [GATE]: [2000, 2] });
});

test('an index whose sums knew no stores, or know what is not there, is counted anew', async () => {
  await timeline.commit({ chunks: [chunk(1), chunk(2, { store: TWO }), chunk(3)] });
  await timeline.close();
  const level = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  });
  await level.open();
  await level.clear({ gte: Buffer.from('u'), lt: Buffer.from('v') });
  await level.put(makeKey('usage', { uuid: GATE }), Buffer.of(7, 1));
  await level.put(makeKey('usage', { uuid: GATE }, { uuid: WARM }), Buffer.of(7, 1));
  await level.close();
  await open();
  const all = { [ONE]: 2000, [TWO]: 1000 };
  expect(stores()).toEqual(all);
  await reopen();
  expect(stores()).toEqual(all);
  expect(await cameras()).toEqual({ [GATE]: [3000, 3] });
});
