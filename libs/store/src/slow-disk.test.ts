// A disk whose writes take seconds: it says so, the others go on, and new chunks avoid it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { ChunkFile, ChunkFiles } from './chunk-files.js';
import { ChunkStore } from './chunk-store.js';
import { CAMERA, OTHER_CAMERA, realRecord } from './footage.test-support.js';
import { nodeFiles } from './node-files.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nightjar-slow-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** Real files; those below `slow` are written when they are let go. */
class SlowDisk {
  slow: string | undefined;
  waiting = 0;
  #release: () => void = () => undefined;
  #held: Promise<void> = Promise.resolve();

  hold(path: string): void {
    this.slow = path;
    this.#held = new Promise((resolve) => (this.#release = resolve));
  }

  release(): void {
    this.slow = undefined;
    this.#release();
  }

  get files(): ChunkFiles {
    const wrap = (path: string, file: ChunkFile): ChunkFile => ({
      write: async (buffers, position) => {
        if (this.slow !== undefined && path.startsWith(this.slow)) {
          this.waiting += 1;
          await this.#held;
        }
        return file.write(buffers, position);
      },
      read: (buffer, position) => file.read(buffer, position),
      sync: () => file.sync(),
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
    });
    return { ...nodeFiles, create: async (path) => wrap(path, await nodeFiles.create(path)) };
  }
}

const group = (index: number) => realRecord({ firstFrame: index * 5, frameCount: 5 });

test('it shows, holds up no other disk, gets no new chunks, and is forgiven later', async () => {
  const disk = new SlowDisk();
  const clock = new FakeClock();
  const directories = [join(parent, 'one'), join(parent, 'two')];
  const store = await ChunkStore.open({
    directories,
    clock,
    log: silentLog(),
    files: disk.files,
    threads: 16,
  });
  const states = () => store.directories.map(({ state }) => state).sort();
  const writer = store.openTrack({ camera: CAMERA, track: 'main' });
  await writer.write(group(0));
  const [first] = (await writer.sync()).chunks;
  const slow = store.directories.find(({ id }) => id === first?.store);
  if (slow === undefined) throw new Error('the chunk lies nowhere');
  expect(states()).toEqual(['ok', 'ok']);

  disk.hold(slow.path);
  const pending = writer.write(group(1));
  await eventually('the write is under way', () => disk.waiting === 1);
  clock.advance(2900);
  expect(states()).toEqual(['ok', 'ok']);
  clock.advance(200);
  expect(states()).toEqual(['ok', 'slow']);
  const shown = store.directories.find(({ id }) => id === slow.id);
  expect(shown).toMatchObject({ state: 'slow', reason: 'the disk is slow: a write took 3.1 s' });
  // Looking at the disk again is no cure.
  await store.refresh();
  expect(states()).toEqual(['ok', 'slow']);

  const other = store.openTrack({ camera: OTHER_CAMERA, track: 'main' });
  await other.write(group(0));
  const elsewhere = await other.sync();
  expect(elsewhere.records).toHaveLength(1);
  expect(elsewhere.chunks[0]?.store).not.toBe(slow.id);

  disk.release();
  await pending;
  // Nothing was lost, and the next group is written where it goes faster.
  await writer.write(group(2));
  const { records, chunks } = await writer.sync();
  expect(records).toHaveLength(2);
  expect(chunks.map(({ sealed, store: id }) => [sealed, id === slow.id])).toEqual([
    [true, true],
    [false, false],
  ]);
  clock.advance(10_000);
  await eventually('it is well', () => states().join() === 'ok,ok');
  await writer.close();
  await other.close();
  for await (const { state } of store.scanAll()) expect(state).toBe('intact');
  await store.close();
});
