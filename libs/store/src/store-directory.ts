// One store directory: its identity, its state, and the listing of its chunks.

import { randomUUID } from 'node:crypto';
import { dirname, join, sep } from 'node:path';
import {
  inTime,
  isUuid,
  messageOf,
  NightjarError,
  toNightjarError,
  type Clock,
  type Log,
} from '#base';
import type { StoreDirectory } from './chunk-info.js';
import type { ChunkFiles } from './chunk-files.js';
import { HANGS_MS, type DiskPace } from './disk-pace.js';
import { DirectoryLock } from './directory-lock.js';
import { isNeighbourName, readNeighboursOldest, writeOldest } from './oldest-note.js';
import type { TrackIdentity } from './record-header.js';
import {
  absoluteChunkPath,
  isDateName,
  isTrackName,
  parseChunkPath,
  type ChunkName,
} from './layout.js';

/** A full disk is written to again at this multiple of its reserve. */
const RESUME = 1.25;
const REFRESH_DEADLINE_MS = 5000;
export const STORE_IDENTITY_FILE = 'nightjar-store.json';
/** What a freshly made file system may hold. */
const INNOCENT = new Set(['lost+found', '.Trash-0', 'System Volume Information']);

export interface ListedChunk extends ChunkName {
  readonly path: string;
}

export interface DirectoryOptions {
  readonly path: string;
  readonly files: ChunkFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Of its writes. */
  readonly pace?: DiskPace;
  /** The identity that this path had before. */
  readonly expectedId?: string | undefined;
  /** No other process may have it open meanwhile. */
  readonly exclusive?: boolean | undefined;
  /** Of another kind of store: its file, and the identity that an empty directory gets, if any. */
  readonly identity?: { readonly file: string; readonly newId: string | undefined };
  /** Of the disk's size: what is left free, for the index and for what must be written to delete. */
  readonly reserveBytes?: ((sizeBytes: number) => number) | undefined;
}

export class ChunkDirectory {
  readonly path: string;
  readonly files: ChunkFiles;
  readonly #options: DirectoryOptions;
  #id: string | undefined;
  /** The last `open` found the right store, and writable. */
  #usable = false;
  #state: Exclude<StoreDirectory['state'], 'slow'> = 'failed';
  #reason: string | undefined;
  #refreshing: Promise<void> | undefined;
  #lock: DirectoryLock | undefined;
  #space: { sizeBytes: number; freeBytes: number; device?: string } = {
    sizeBytes: 0,
    freeBytes: 0,
  };

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.path = options.path;
    this.files = options.files;
  }

  /** Undefined until it was opened once. */
  get id(): string | undefined {
    return this.#id;
  }

  /** False while the directory is refused; one that merely had an I/O error may be tried again. */
  get usable(): boolean {
    return this.#usable;
  }

  get #identityFile(): string {
    return this.#options.identity?.file ?? STORE_IDENTITY_FILE;
  }

  get state(): StoreDirectory['state'] {
    return this.#state === 'ok' && this.#slowMs !== undefined ? 'slow' : this.#state;
  }

  get #slowMs(): number | undefined {
    return this.#options.pace?.slowMs;
  }

  /** A write or sync does not come to its end: what has time is not asked of the disk. */
  get hangs(): boolean {
    return (this.#options.pace?.runningMs ?? 0) >= HANGS_MS;
  }

  get freeBytes(): number {
    return this.#space.freeBytes;
  }

  snapshot(): StoreDirectory {
    const state = this.state;
    const seconds = ((this.#slowMs ?? 0) / 1000).toFixed(1);
    const reason = state === 'slow' ? `the disk is slow: a write took ${seconds} s` : this.#reason;
    return {
      path: this.path,
      ...(this.#id === undefined ? {} : { id: this.#id }),
      state,
      ...(reason === undefined ? {} : { reason }),
      ...this.#space,
    };
  }

  /** Verifies or makes the identity. Throws and stays failed where that is refused. */
  async open(): Promise<void> {
    try {
      const id = await this.#identify();
      const expected = this.#id ?? this.#options.expectedId;
      if (expected !== undefined && expected !== id) {
        throw this.#refused(
          `expected the store ${expected}, found ${id}: is another disk mounted?`,
        );
      }
      await this.files.assertWritable(this.path);
      if (this.#options.exclusive === true) this.#lock ??= await DirectoryLock.acquire(this.path);
      this.#space = await this.files.space(this.path);
      this.#id = id;
      this.#usable = true;
      this.#settleByRoom();
    } catch (error) {
      this.#usable = false;
      this.#settle('failed', messageOf(error));
      await this.#unlock();
      throw toNightjarError(error);
    }
  }

  /** A disk that is refused can be unmounted: nothing stays open on it. */
  async #unlock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release().catch((error: unknown) => {
      this.#options.log.warn({ path: this.path, err: error }, 'its lock could not be closed');
    });
  }

  /** Tells the neighbours how old what would be deleted next is, and hears it of them. */
  async exchangeOldest(oldestUnixUs: number): Promise<number | undefined> {
    const atUnixMs = this.#options.clock.nowUnixMs();
    await writeOldest(this.files, this.path, { oldestUnixUs, atUnixMs });
    return readNeighboursOldest(this.files, this.path, atUnixMs);
  }

  /** Lets other processes in. */
  async close(): Promise<void> {
    await this.#refreshing;
    await this.#unlock();
  }

  /**
   * Throws failed-precondition when the store is not where it was: its disk may have been unmounted
   * meanwhile, and what were written then would lie under the mount point.
   */
  async assertPresent(): Promise<void> {
    const text = await this.files.readText(join(this.path, this.#identityFile));
    if (text !== undefined && this.#parseIdentity(text) === this.#id) return;
    this.#usable = false;
    const error = this.#refused('the store that was here is gone: is its disk mounted?');
    this.#settle('failed', error.message);
    throw error;
  }

  /**
   * As `open`, but the outcome is only in the state; a disk that hangs is failed after a while. It
   * resolves after `patienceMs` at the latest, with the state as it was.
   */
  async refresh(patienceMs = REFRESH_DEADLINE_MS): Promise<void> {
    const { clock } = this.#options;
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    const deadlineMs = Math.min(patienceMs, REFRESH_DEADLINE_MS);
    const outcome = await inTime(clock, deadlineMs, this.#refreshing);
    if (outcome === 'late' && deadlineMs === REFRESH_DEADLINE_MS) {
      this.#settle('failed', `the disk did not answer within ${deadlineMs / 1000} s`);
    }
  }

  async #refresh(): Promise<void> {
    const wasFull = this.#state === 'full';
    const freeBefore = this.#space.freeBytes;
    await this.open().catch(() => undefined);
    if (wasFull && this.#usable && this.#space.freeBytes <= freeBefore) {
      this.#settle('full', 'the disk is full');
    }
  }

  /** Takes note of an error of a write or sync on this directory. */
  note(error: NightjarError): void {
    if (error.code === 'resource-exhausted') this.#settle('full', error.message);
    else if (error.code !== 'invalid-argument') this.#settle('failed', error.message);
  }

  /** Deletes a file and directories that are empty without it; gives the bytes freed. */
  async removeFile(path: string): Promise<number> {
    const absolute = this.absolute(path);
    const freed = await this.files.remove(absolute);
    if (freed === undefined) return 0;
    this.noteFreed(freed);
    await this.files.removeEmptyDirectory(dirname(absolute));
    return freed;
  }

  /** Takes note of freed bytes: the next write may try again. */
  noteFreed(bytes: number): void {
    this.#space = { ...this.#space, freeBytes: this.#space.freeBytes + bytes };
    if (this.#state === 'full' && bytes > 0) this.#settleByRoom();
  }

  /** Takes note of bytes that are safe now. */
  noteSafe(bytes: number): void {
    this.#space = { ...this.#space, freeBytes: Math.max(0, this.#space.freeBytes - bytes) };
    // A file that is still open takes bytes even where its directory is gone.
    if (this.#usable && this.#state !== 'ok') this.#settleByRoom();
  }

  /** Throws resource-exhausted when less is free than the reserve. */
  assertRoom(): void {
    if (this.#usable && this.#space.freeBytes < this.#neededBytes) {
      throw new NightjarError('resource-exhausted', this.#reserveReason(), { path: this.path });
    }
  }

  /** Throws failed-precondition while the directory is refused. */
  absolute(path: string): string {
    if (!this.#usable) throw this.#refused(this.#reason ?? 'the store directory is not open');
    return absoluteChunkPath(this.path, path);
  }

  async tracks(): Promise<TrackIdentity[]> {
    const found: TrackIdentity[] = [];
    for (const camera of await this.#names('', isUuid)) {
      for (const track of await this.#names(camera, isTrackName)) {
        if (isTrackName(track)) found.push({ camera, track });
      }
    }
    return found;
  }

  /** The chunks of a track by id, from the newest date back or from the oldest on. */
  async *chunks(
    { camera, track }: TrackIdentity,
    order: 'newest-first' | 'oldest-first',
  ): AsyncGenerator<ListedChunk> {
    const dates = await this.#names(`${camera}/${track}`, isDateName);
    if (order === 'newest-first') dates.reverse();
    for (const date of dates) {
      const listed = (await this.files.list(join(this.path, camera, track, date))) ?? [];
      const chunks = listed.flatMap(({ name }) => {
        const path = `${camera}/${track}/${date}/${name}`;
        const parsed = parseChunkPath(path);
        return parsed === undefined ? [] : [{ ...parsed, path }];
      });
      chunks.sort((a, b) => (order === 'newest-first' ? b.id - a.id : a.id - b.id));
      yield* chunks;
    }
  }

  async #names(below: string, wanted: (name: string) => boolean): Promise<string[]> {
    const entries = (await this.files.list(join(this.path, below))) ?? [];
    return entries
      .filter((entry) => entry.isDirectory && wanted(entry.name))
      .map((entry) => entry.name)
      .sort();
  }

  async #identify(): Promise<string> {
    const { identity } = this.#options;
    const file = join(this.path, this.#identityFile);
    const text = await this.files.readText(file);
    if (text !== undefined) return this.#parseIdentity(text);
    if (this.#id !== undefined || this.#options.expectedId !== undefined) {
      throw this.#refused('the store that was here is gone: is its disk mounted?');
    }
    for (const mountPoint of await this.files.missingMounts()) {
      if (this.path === mountPoint || this.path.startsWith(mountPoint + sep)) {
        throw this.#refused(`${mountPoint} is in /etc/fstab and not mounted`);
      }
    }
    const entries = await this.files.list(this.path);
    // Further recorders on the same disk may be quicker than the first.
    const foreign = entries?.find(
      ({ name, isDirectory }) =>
        !INNOCENT.has(name) && !name.endsWith('.new') && !(isDirectory && isNeighbourName(name)),
    );
    if (foreign !== undefined) {
      throw this.#refused(
        `expected an empty directory or one with ${this.#identityFile}, found ${foreign.name}`,
      );
    }
    if (identity !== undefined && identity.newId === undefined) {
      throw this.#refused(`expected ${identity.file}, found none`);
    }
    if (entries === undefined) await this.files.makeDirectory(this.path);
    await this.files.assertWritable(this.path);
    const id = identity?.newId ?? randomUUID();
    const created = new Date(this.#options.clock.nowUnixMs()).toISOString();
    await this.files.writeNewText(file, `${JSON.stringify({ uuid: id, created })}\n`);
    await this.files.syncDirectory(this.path);
    await this.files.syncDirectory(dirname(this.path));
    this.#options.log.info({ path: this.path, store: id }, 'made a new store directory');
    return id;
  }

  #parseIdentity(text: string): string {
    try {
      const { uuid } = JSON.parse(text) as { uuid?: unknown };
      if (typeof uuid === 'string' && isUuid(uuid)) return uuid;
    } catch {
      // Said below.
    }
    throw this.#refused(`${this.#identityFile} does not hold a store's identity`);
  }

  get #reserveBytes(): number {
    return this.#options.reserveBytes?.(this.#space.sizeBytes) ?? 0;
  }

  /** A disk that was full begins again with a quarter more than the reserve: no flutter. */
  get #neededBytes(): number {
    return this.#reserveBytes * (this.#state === 'full' ? RESUME : 1);
  }

  #settleByRoom(): void {
    if (this.#space.freeBytes < this.#neededBytes) this.#settle('full', this.#reserveReason());
    else this.#settle('ok');
  }

  #reserveReason(): string {
    const [free, reserve] = [this.#space.freeBytes, this.#reserveBytes].map((bytes) =>
      Math.round(bytes / 1e6),
    );
    return `the disk is full: ${free} MB free, of which ${reserve} MB are the reserve of the index`;
  }

  #settle(state: Exclude<StoreDirectory['state'], 'slow'>, reason?: string): void {
    if (state !== this.#state) {
      const line = { path: this.path, state, reason };
      if (state === 'ok') this.#options.log.info(line, 'the store directory is usable');
      else this.#options.log.error(line, 'the store directory is not usable');
    }
    this.#state = state;
    this.#reason = reason;
  }

  #refused(why: string): NightjarError {
    return new NightjarError('failed-precondition', `store directory ${this.path}: ${why}`, {
      path: this.path,
    });
  }
}
