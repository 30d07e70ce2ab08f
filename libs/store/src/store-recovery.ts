// What a start does with the chunks of all directories: finds those that the index lacks or has open.

import { messageOf, toNightjarError, type Log } from '#base';
import type { ChunkInfo, ScannedChunk } from './chunk-info.js';
import type { KnownChunks } from './chunk-store-options.js';
import { absoluteChunkPath, parseChunkPath } from './layout.js';
import type { TrackIdentity } from './record-header.js';
import { recoverChunk } from './recovery.js';
import type { SealChain } from './seal-chain.js';
import type { ChunkDirectory, ListedChunk } from './store-directory.js';
import { listUnindexed, type IndexedChunks } from './unindexed.js';

export interface StoreRecoveryOptions {
  readonly directories: readonly ChunkDirectory[];
  readonly log: Log;
  /** A chunk has this id. */
  readonly noteId: (id: number) => void;
  readonly chainOf: (identity: TrackIdentity) => SealChain;
}

export class StoreRecovery {
  readonly #options: StoreRecoveryOptions;
  /** There were more unindexed chunks than a recovery takes on. */
  needsRebuild = false;

  constructor(options: StoreRecoveryOptions) {
    this.#options = options;
  }

  async *recover(known: KnownChunks): AsyncGenerator<ScannedChunk> {
    const unsealed = new Map([...known.unsealed].map((chunk) => [chunk.id, chunk]));
    for (const id of unsealed.keys()) this.#options.noteId(id);
    for (const directory of this.#usable()) {
      for (const listed of await this.#listNew(directory, { ...known, unsealed })) {
        const indexed = unsealed.get(listed.id);
        unsealed.delete(listed.id);
        yield* this.#recoverOne(directory, listed, indexed);
      }
    }
    for (const chunk of unsealed.values()) {
      const directory = this.#options.directories.find(({ id }) => id === chunk.store);
      const name = parseChunkPath(chunk.path);
      if (directory?.usable === true && name !== undefined) {
        yield* this.#recoverOne(directory, { ...name, path: chunk.path }, chunk);
      }
    }
  }

  /** Cuts off, of a chunk that was recovered, what `kept` does not hold. */
  async cut(chunk: ChunkInfo, kept: ChunkInfo | undefined): Promise<void> {
    this.#options.chainOf(chunk).cut(chunk.id, kept);
    const directory = this.#options.directories.find(({ id }) => id === chunk.store);
    if (directory === undefined) return;
    if (kept === undefined) {
      await directory.removeFile(chunk.path);
      return;
    }
    const path = absoluteChunkPath(directory.path, chunk.path);
    const file = await directory.files.open(path, 'append');
    try {
      await file.truncate(kept.sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #usable(): ChunkDirectory[] {
    return this.#options.directories.filter(({ usable }) => usable);
  }

  async #listNew(directory: ChunkDirectory, known: IndexedChunks): Promise<ListedChunk[]> {
    const found: ListedChunk[] = [];
    try {
      for (const identity of await directory.tracks()) {
        const { chunks, newestId, isTooMuch } = await listUnindexed(directory, identity, known);
        found.push(...chunks);
        this.#options.noteId(newestId);
        if (!isTooMuch) continue;
        this.needsRebuild = true;
        this.#options.log.error(
          { store: directory.path, ...identity },
          'more footage than the index knows: run nightjar rebuild-index',
        );
      }
    } catch (error) {
      // Recording on the other disks goes on.
      directory.note(toNightjarError(error));
    }
    return found;
  }

  async *#recoverOne(
    directory: ChunkDirectory,
    listed: ListedChunk,
    indexed: ChunkInfo | undefined,
  ): AsyncGenerator<ScannedChunk> {
    try {
      const scanned = await recoverChunk(directory, listed, indexed);
      if (scanned === undefined) return;
      if (scanned.state !== 'intact') {
        const { state, tornBytes, damaged } = scanned;
        this.#options.log.warn(
          { path: listed.path, state, tornBytes, damaged },
          'recovered a chunk',
        );
      }
      if (scanned.state !== 'missing' && !scanned.chunk.sealed) {
        this.#options.chainOf(listed).leave(scanned.chunk, directory);
      }
      yield scanned;
    } catch (error) {
      const { path } = listed;
      this.#options.log.error({ path, why: messageOf(error) }, 'could not read a chunk');
    }
  }
}
