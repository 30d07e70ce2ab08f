// Tells a disk that hangs from one that works, for whoever waits for it and could go elsewhere.

import { NightjarError, type Clock, type Timer } from '#base';
import { HANGS_MS } from './disk-pace.js';
import type { ChunkDirectory } from './store-directory.js';

/** Without a place to go to, one is looked for this often. */
const LOOK_AGAIN_MS = 1000;

export interface HangWatchOptions {
  readonly clock: Clock;
  /** Whether another directory than this one takes chunks. */
  readonly isRoomElsewhere: (directory: ChunkDirectory) => boolean;
}

export class HangWatch {
  readonly #options: HangWatchOptions;

  constructor(options: HangWatchOptions) {
    this.#options = options;
  }

  /**
   * As `action`, but rejects with `timeout` once that takes longer than a disk that works does and
   * another directory takes chunks. `action` itself comes to its end when the disk answers.
   */
  bound<T>(directory: ChunkDirectory, action: Promise<T>): Promise<T> {
    return this.#until(action, directory, () => this.#options.isRoomElsewhere(directory));
  }

  /** The same, wherever else there is room: for what can be done later. */
  boundAlways<T>(directory: ChunkDirectory, action: Promise<T>): Promise<T> {
    return this.#until(action, directory, () => true);
  }

  #until<T>(action: Promise<T>, { path }: ChunkDirectory, leaves: () => boolean): Promise<T> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const look = () => {
        if (leaves()) reject(diskHangs(path));
        else timer = clock.after(LOOK_AGAIN_MS, look);
      };
      // In two steps: what a busy process did not get to hear of is no disk that hangs.
      const almost = () => (timer = clock.after(LOOK_AGAIN_MS, look));
      let timer: Timer = clock.after(HANGS_MS - LOOK_AGAIN_MS, almost);
      action.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}

function diskHangs(path: string): NightjarError {
  const why = `the disk hangs: it did not answer within ${HANGS_MS / 1000} s`;
  return new NightjarError('timeout', `${why}: ${path}`, { path });
}
