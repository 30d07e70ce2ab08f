// Where the next chunk goes: to the directory with most room, and not to one that hangs.

import { NightjarError, toNightjarError, type Clock, type Log } from '#base';
import { HangWatch } from './hang-watch.js';
import { OpenChunk, type NewChunk } from './open-chunk.js';
import type { ChunkDirectory } from './store-directory.js';

export class ChunkPlacement {
  readonly watch: HangWatch;
  readonly #directories: readonly ChunkDirectory[];
  readonly #clock: Clock;
  readonly #log: Log;
  #lastId = 0;

  constructor(
    directories: readonly ChunkDirectory[],
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#directories = directories;
    this.#clock = clock;
    this.#log = log;
    const isRoomElsewhere = (directory: ChunkDirectory) => this.isRoomElsewhere(directory);
    this.watch = new HangWatch({ clock, isRoomElsewhere });
  }

  /** No chunk that is made from now on has this id or a lower one. */
  noteId(id: number): void {
    this.#lastId = Math.max(this.#lastId, id);
  }

  /** Whether another directory than this one takes chunks. */
  isRoomElsewhere(than: ChunkDirectory): boolean {
    return this.#directories.some(
      (directory) => directory !== than && directory.usable && directory.state === 'ok',
    );
  }

  /** On a slow disk only without another; on the next where that fails. */
  async create(chunk: Omit<NewChunk, 'id'>): Promise<OpenChunk> {
    const untried = new Set(this.#directories.filter(({ usable }) => usable));
    let failure = new NightjarError(
      'failed-precondition',
      'expected a store directory that is here',
    );
    for (;;) {
      const [directory] = [...untried].sort((a, b) => rankOf(b) - rankOf(a));
      if (directory === undefined) throw failure;
      untried.delete(directory);
      this.#lastId = Math.max(this.#lastId + 1, this.#clock.nowUnixUs());
      const made = OpenChunk.create(directory, { ...chunk, id: this.#lastId }, this.watch);
      try {
        return await this.watch.bound(directory, made);
      } catch (error) {
        failure = toNightjarError(error);
        if (failure.code === 'timeout') this.#forget(made);
        else directory.note(failure);
      }
    }
  }

  /** What comes of it when the disk answers holds nothing. */
  #forget(made: Promise<OpenChunk>): void {
    made
      .then((chunk) => chunk.close())
      .catch((error: unknown) => {
        this.#log.warn({ err: error }, 'could not remove a chunk file that came too late');
      });
  }
}

function rankOf({ state, freeBytes }: ChunkDirectory): number {
  if (state === 'ok') return freeBytes;
  return state === 'slow' ? 0 : -1;
}
