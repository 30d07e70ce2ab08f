// Keeps a second process out of a store directory: the lock of an empty LevelDB in it, which the
// kernel lets go when its holder dies, however that happens.

import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { NightjarError } from '#base';

const LOCK_DIRECTORY = 'nightjar-lock';

export class DirectoryLock {
  readonly #database: ClassicLevel;

  private constructor(database: ClassicLevel) {
    this.#database = database;
  }

  /**
   * Undefined when the disk has no room even for a lock: recording ends there anyway, and retention
   * must be able to make room. Throws `failed-precondition` while another process has it.
   */
  static async acquire(directory: string): Promise<DirectoryLock | undefined> {
    const database = new ClassicLevel(join(directory, LOCK_DIRECTORY), {
      writeBufferSize: 64 * 1024,
      cacheSize: 0,
    });
    try {
      await database.open();
      return new DirectoryLock(database);
    } catch (error) {
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      if (cause?.code === 'LEVEL_LOCKED') {
        throw new NightjarError(
          'failed-precondition',
          `store directory ${directory}: another process has it open`,
          { path: directory },
          error,
        );
      }
      if (/No space left|quota exceeded/i.test(cause?.message ?? '')) return undefined;
      throw new NightjarError(
        'unavailable',
        `store directory ${directory}: ${cause?.message ?? 'cannot be locked'}`,
        { path: directory },
        error,
      );
    }
  }

  async release(): Promise<void> {
    await this.#database.close();
  }
}
