// A store of many sealed chunks, each a sparse file of full size, with its index; and behind them,
// for each camera, an unsealed chunk of real records whose last seconds are not in the index.

import { mkdir, open as openFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ChunkStore, foldGroups, type ChunkFile } from '#store';
import { Timeline, type ChunkRow, type GroupRow } from '#timeline';
import { nodeFiles } from '../../libs/store/src/node-files.js';
import { chunkPath } from '../../libs/store/src/layout.js';
import { GROUP_US, realRecord } from '../../libs/store/src/footage.test-support.js';

const CHUNK_BYTES = 10_000_000;
const CHUNK_US = 900_000_000;
const GROUPS_A_CHUNK = 4;
const TAIL_GROUPS = 20;
/** Of the unsealed chunk, what the index lacks. */
const UNINDEXED_GROUPS = 2;
const ROWS_A_COMMIT = 500;

export interface LargeStoreOptions {
  /** Of the recorder: its store and index are made below it. */
  readonly data: string;
  readonly cameras: readonly string[];
  readonly chunksPerCamera: number;
  readonly endUnixUs: number;
}

/** Gives how many groups recovery has to find. */
export async function buildLargeStore(options: LargeStoreOptions): Promise<number> {
  const { data, cameras, chunksPerCamera, endUnixUs } = options;
  const log = silentLog();
  const clock = new FakeClock(endUnixUs / 1000);
  const root = join(data, 'store');
  const index = join(data, 'recorder-1', 'index');
  await mkdir(index, { recursive: true });
  const timeline = await Timeline.open({ directory: index, clock, log });
  const open: ChunkFile[] = [];
  const create = async (path: string) => {
    const file = await nodeFiles.create(path);
    open.push(file);
    return file;
  };
  const files = { ...nodeFiles, create };
  const store = await ChunkStore.open({ directories: [root], clock, log, files });
  const [directory] = store.directories;
  let chunks: ChunkRow[] = [];
  let groups: GroupRow[] = [];
  const commit = async () => {
    await timeline.commit({ chunks, groups });
    [chunks, groups] = [[], []];
  };
  for (let number = chunksPerCamera; number > 0; number--) {
    for (const [place, camera] of cameras.entries()) {
      const firstUnixUs = endUnixUs - number * CHUNK_US;
      const id = firstUnixUs + place;
      const name = { camera, track: 'main', id, codec: 'h264' } as const;
      const path = chunkPath(name, firstUnixUs);
      await makeSparse(join(root, path));
      chunks.push({
        ...name,
        store: directory?.id ?? '',
        path,
        firstUnixUs,
        lastUnixUs: firstUnixUs + CHUNK_US,
        sizeBytes: CHUNK_BYTES,
        sealed: true,
        sha256: '0'.repeat(64),
      });
      for (let group = 0; group < GROUPS_A_CHUNK; group++) {
        const length = CHUNK_BYTES / GROUPS_A_CHUNK;
        groups.push({
          camera,
          track: 'main',
          startUnixUs: firstUnixUs + (group * CHUNK_US) / GROUPS_A_CHUNK,
          durationUs: CHUNK_US / GROUPS_A_CHUNK,
          run: number,
          chunkId: id,
          offset: group * length,
          length,
          frameCount: 22_500 / GROUPS_A_CHUNK,
          startDts90k: 0,
        });
      }
      if (chunks.length >= ROWS_A_COMMIT) await commit();
    }
  }
  await commit();
  for (const camera of cameras) {
    const writer = store.openTrack({ camera, track: 'main' });
    const record = async (from: number, count: number) => {
      for (let group = from; group < from + count; group++) {
        const startUnixUs = endUnixUs - TAIL_GROUPS * GROUP_US;
        await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5, startUnixUs }));
      }
      return writer.sync();
    };
    const indexed = await record(0, TAIL_GROUPS - UNINDEXED_GROUPS);
    await timeline.commit({ groups: foldGroups(indexed.records), chunks: indexed.chunks });
    // A killed process: what it wrote last is on disk, and neither sealed nor indexed.
    await record(TAIL_GROUPS - UNINDEXED_GROUPS, UNINDEXED_GROUPS);
  }
  for (const file of open) await file.close();
  await timeline.close();
  await store.close();
  return cameras.length * UNINDEXED_GROUPS;
}

async function makeSparse(path: string): Promise<void> {
  const make = () => openFile(path, 'wx');
  const file = await make().catch(async () => {
    await mkdir(dirname(path), { recursive: true });
    return make();
  });
  await file.truncate(CHUNK_BYTES);
  await file.close();
}
