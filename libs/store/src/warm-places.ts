// Where the shards of a chunk lie: <slot's directory>/<path of the chunk>.<shard>.

import { join } from 'node:path';
import { isUuid, NightjarError, toNightjarError } from '#base';
import type { DirectoryEntry } from './chunk-files.js';
import { ALL_SHARDS } from './erasure.js';
import { isDateName, isTrackName, parseChunkPath, type ChunkName } from './layout.js';
import type { ChunkDirectory } from './store-directory.js';
import type { WarmDirectories } from './warm-directories.js';

export interface ShardPlace {
  readonly directory: ChunkDirectory;
  /** Absolute. */
  readonly path: string;
}

/** Shards go round, so that parity does not lie on four disks that are never read. */
export function slotOf(chunkId: number, shard: number): number {
  return (shard + (chunkId % ALL_SHARDS)) % ALL_SHARDS;
}

/** Undefined while that directory is not usable. Throws invalid-argument for a path that is none. */
export function shardPlace(
  directories: WarmDirectories,
  path: string,
  shard: number,
): ShardPlace | undefined {
  const id = parseChunkPath(path)?.id;
  if (id === undefined) {
    throw new NightjarError('invalid-argument', 'expected the path of a chunk', { path });
  }
  const directory = directories.at(slotOf(id, shard));
  if (directory === undefined) return undefined;
  return { directory, path: `${directory.absolute(path)}.${String(shard).padStart(2, '0')}` };
}

export interface ListedStripe extends ChunkName {
  readonly path: string;
  /** Numbers of the shards whose files are there. */
  readonly shards: readonly number[];
}

/** Every stripe of which a shard is there, by camera, track and date; by its names alone. */
export async function* listStripes(directories: WarmDirectories): AsyncGenerator<ListedStripe> {
  const all = Array.from({ length: ALL_SHARDS }, (_, slot) => directories.at(slot));
  const usable = all.filter((directory) => directory !== undefined);
  for (const camera of await namesBelow(usable, '', isUuid)) {
    for (const track of await namesBelow(usable, camera, isTrackName)) {
      for (const date of await namesBelow(usable, `${camera}/${track}`, isDateName)) {
        yield* await stripesOf(usable, `${camera}/${track}/${date}`);
      }
    }
  }
}

async function stripesOf(
  directories: readonly ChunkDirectory[],
  below: string,
): Promise<ListedStripe[]> {
  const found = new Map<string, number[]>();
  for (const directory of directories) {
    for (const { name } of await entriesOf(directory, below)) {
      const [, chunk, shard] = /^(.+)\.(\d\d)$/.exec(name) ?? [];
      if (chunk === undefined || Number(shard) >= ALL_SHARDS) continue;
      const path = `${below}/${chunk}`;
      found.set(path, [...(found.get(path) ?? []), Number(shard)]);
    }
  }
  return [...found]
    .flatMap(([path, shards]) => {
      const name = parseChunkPath(path);
      return name === undefined ? [] : [{ ...name, path, shards: shards.sort((a, b) => a - b) }];
    })
    .sort((a, b) => a.id - b.id);
}

async function namesBelow(
  directories: readonly ChunkDirectory[],
  below: string,
  wanted: (name: string) => boolean,
): Promise<string[]> {
  const names = new Set<string>();
  for (const directory of directories) {
    for (const { name, isDirectory } of await entriesOf(directory, below))
      if (isDirectory && wanted(name)) names.add(name);
  }
  return [...names].sort();
}

/** A disk that cannot be listed is as one that is away. */
async function entriesOf(
  directory: ChunkDirectory,
  below: string,
): Promise<readonly DirectoryEntry[]> {
  try {
    return (await directory.files.list(join(directory.path, below))) ?? [];
  } catch (error) {
    directory.note(toNightjarError(error));
    return [];
  }
}
