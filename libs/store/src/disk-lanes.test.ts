import { laneWidths, withLanes } from './disk-lanes.js';
import { nodeFiles } from './node-files.js';

test('a disk that hangs holds no more threads than its lane is wide, and all get their turn', async () => {
  let running = 0;
  let most = 0;
  const releases: (() => void)[] = [];
  const syncDirectory = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => releases.push(resolve));
    running -= 1;
  };
  const files = withLanes({ ...nodeFiles, syncDirectory }, { writes: 2, reads: 1 });
  const all = Array.from({ length: 5 }, (_, at) => files.syncDirectory(`/${at}`));
  // Reads have a lane of their own.
  expect(await files.readText('/does/not/exist')).toBeUndefined();
  expect(running).toBe(2);
  for (let times = 0; times < 5; times++) {
    releases.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  expect(most).toBe(2);
});

test('lanes leave a quarter of the threads to others, while there are enough', () => {
  expect(laneWidths(4, 1)).toEqual({ writes: 2, reads: 1 });
  expect(laneWidths(16, 2)).toEqual({ writes: 5, reads: 2 });
  expect(laneWidths(4, 9)).toEqual({ writes: 1, reads: 1 });
});
