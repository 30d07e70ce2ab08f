// One chunk that is being written: its file, what is written, what is safe, and its running hash.

import { dirname } from 'node:path';
import { NightjarError, toNightjarError } from '#base';
import type { MediaCodec } from '#media';
import type { ChunkFile, WrittenBytes } from './chunk-files.js';
import { ChunkHash } from './chunk-hash.js';
import type { ChunkInfo, RecordFacts, RecordNumber, SyncResult, WrittenRecord } from './chunk-info.js'; // prettier-ignore
import type { HangWatch } from './hang-watch.js';
import { absoluteChunkPath, chunkPath } from './layout.js';
import { endUnixUsOf, type TrackIdentity } from './record-header.js';
import { writeSeal, type SealFacts } from './seal.js';
import type { ChunkDirectory } from './store-directory.js';

interface PendingRecord {
  readonly offset: number;
  readonly length: number;
  readonly record: RecordFacts;
}

/** Where a group begins, and where what precedes it ends. */
export interface GroupPlace extends RecordNumber {
  readonly offset: number;
  readonly beforeUnixUs: number;
}

export interface UnsafeTime {
  readonly fromUnixUs: number;
  readonly toUnixUs: number;
  readonly records: number;
}

export interface NewChunk extends TrackIdentity {
  readonly id: number;
  readonly codec: MediaCodec;
  readonly startUnixUs: number;
}

export class OpenChunk {
  readonly id: number;
  readonly codec: MediaCodec;
  readonly path: string;
  readonly directory: ChunkDirectory;
  readonly #identity: TrackIdentity;
  readonly #file: ChunkFile;
  readonly #hash = new ChunkHash();
  /** Directories whose entries are new and not safe yet. */
  #newEntries: string[];
  #pending: PendingRecord[] = [];
  #firstUnixUs: number;
  #lastUnixUs: number;
  #endBytes = 0;
  #isTorn = false;
  #safe: ChunkInfo | undefined;
  #seal: SealFacts | undefined;
  #isFinished = false;
  #firstGroup: GroupPlace | undefined;
  #lastGroup: GroupPlace | undefined;
  #lastRecord: RecordNumber | undefined;
  readonly #watch: HangWatch;
  /** What the disk is doing. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** Who waits for it. */
  readonly #waiting = new Set<(error: NightjarError) => void>();
  #hang: NightjarError | undefined;

  private constructor(
    directory: ChunkDirectory,
    chunk: NewChunk & { readonly path: string },
    open: {
      readonly file: ChunkFile;
      readonly newEntries: string[];
      readonly watch: HangWatch;
    },
  ) {
    this.directory = directory;
    this.#watch = open.watch;
    this.id = chunk.id;
    this.codec = chunk.codec;
    this.path = chunk.path;
    this.#identity = { camera: chunk.camera, track: chunk.track };
    this.#firstUnixUs = chunk.startUnixUs;
    this.#lastUnixUs = chunk.startUnixUs;
    this.#file = open.file;
    this.#newEntries = open.newEntries;
  }

  /** Makes the file, and its directories where they are missing. */
  static async create(
    directory: ChunkDirectory,
    chunk: NewChunk,
    watch: HangWatch,
  ): Promise<OpenChunk> {
    const path = chunkPath(chunk, chunk.startUnixUs);
    const absolute = directory.absolute(path);
    await directory.assertPresent();
    directory.assertRoom();
    const { files } = directory;
    const parent = dirname(absolute);
    let made = await files.makeDirectory(parent);
    const file = await files.create(absolute).catch(async (error: NightjarError) => {
      if (error.code !== 'not-found') throw error;
      // Deleting its last chunk has removed the date directory in between.
      made = (await files.makeDirectory(parent)) ?? made;
      return files.create(absolute);
    });
    const newEntries = [parent];
    for (let at = parent; made !== undefined && at.length >= made.length;) {
      at = dirname(at);
      newEntries.push(at);
    }
    return new OpenChunk(directory, { ...chunk, path }, { file, newEntries, watch });
  }

  get firstUnixUs(): number {
    return this.#firstUnixUs;
  }

  get lastUnixUs(): number {
    return this.#lastUnixUs;
  }

  get endBytes(): number {
    return this.#endBytes;
  }

  /** What is safe; undefined before the first sync. */
  get safe(): ChunkInfo | undefined {
    return this.#safe;
  }

  /** No more bytes will come; it may be closed once it is synced. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  finish(): void {
    this.#isFinished = true;
  }

  /** A failed write left bytes that could not be cut off: nothing may be written behind them. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  get isDirty(): boolean {
    return this.#endBytes > (this.#safe?.sizeBytes ?? 0);
  }

  /** Its disk hung and it was left: what was under way may yet happen, and nothing else will. */
  get isLeft(): boolean {
    return this.#hang !== undefined;
  }

  /** The last record that was written. */
  get lastRecord(): RecordNumber | undefined {
    return this.#lastRecord;
  }

  /** Whether a power cut could take the file as a whole. */
  get #isEntryNew(): boolean {
    return this.#newEntries.length > 0;
  }

  /** Writes behind the last record. After an error the file ends where it did, or it `isTorn`. */
  async append(buffers: readonly Uint8Array[], record: RecordFacts): Promise<void> {
    const offset = this.#endBytes;
    this.directory.assertRoom();
    await this.#write(buffers, this.#hash);
    if (this.#hash.sizeBytes === offset) {
      for (const buffer of buffers) await this.#hash.takeCopy(buffer);
      // It was left meanwhile, without this record.
      if (this.#hang !== undefined) throw this.#hang;
    }
    // The new end and what lies before it change together: a sync may look between any two steps.
    const length = lengthOf(buffers);
    if (record.startsGroup) {
      const { run, sequence } = record;
      this.#lastGroup = { run, sequence, offset, beforeUnixUs: this.#lastUnixUs };
      this.#firstGroup ??= this.#lastGroup;
    }
    this.#lastRecord = record;
    this.#endBytes += length;
    this.#pending.push({ offset, length, record });
    this.#firstUnixUs = Math.min(this.#firstUnixUs, record.startUnixUs);
    this.#lastUnixUs = Math.max(this.#lastUnixUs, endUnixUsOf(record));
  }

  /** Writes the seal: nothing follows it. The chunk's row says so once it is synced. */
  async seal(previousSeal: string | undefined): Promise<SealFacts> {
    if (this.#hash.sizeBytes !== this.#endBytes) {
      throw new NightjarError('internal', 'expected a hash of the whole chunk', {
        hashedBytes: this.#hash.sizeBytes,
        sizeBytes: this.#endBytes,
      });
    }
    const seal = {
      sha256: await this.#hash.digest(),
      ...(previousSeal === undefined ? {} : { previousSeal }),
    };
    const bytes = writeSeal(this.codec, { ...this.#identity, ...seal });
    await this.#write([bytes]);
    this.#endBytes += bytes.length;
    this.#seal = seal;
    // Nothing is to stand behind the seal, not even the zeros that fill a disk's block.
    await this.#run(() => this.#file.truncate(this.#endBytes)).catch(() => undefined);
    return seal;
  }

  get sealed(): SealFacts | undefined {
    return this.#seal;
  }

  /**
   * Makes what is written so far safe. After an error nothing since the last sync is: see `dropUnsafe`.
   */
  async sync(): Promise<SyncResult> {
    // What is written while the sync runs belongs to the next one.
    const state = { ...this.#spanNow(), pending: this.#pending };
    this.#pending = [];
    try {
      await this.#run(async () => {
        await this.#file.sync();
        for (const entry of this.#newEntries) await this.directory.files.syncDirectory(entry);
      });
      this.#newEntries = [];
    } catch (error) {
      this.#pending = [...state.pending, ...this.#pending];
      throw error;
    }
    return this.#becomeSafe(state);
  }

  /**
   * Ends every wait for its disk with `error`. Gives what can be said of it without the disk: each
   * write was safe when it resolved, once the file's entry is.
   */
  leave(error: NightjarError): SyncResult | undefined {
    if (this.#hang === undefined) this.#giveUpWaiting(error);
    if (this.#isEntryNew || !this.isDirty) return undefined;
    const state = { ...this.#spanNow(), pending: this.#pending };
    this.#pending = [];
    return this.#becomeSafe(state);
  }

  /** From where on it is to be written again, so that the group that goes on is whole elsewhere. */
  get again(): GroupPlace | undefined {
    return this.#isEntryNew ? this.#firstGroup : this.#lastGroup;
  }

  /** What of it is kept when its end, from `again` on, lies elsewhere; undefined for nothing. */
  keptBefore({ offset, beforeUnixUs }: GroupPlace): ChunkInfo | undefined {
    if (offset === 0 || this.#safe === undefined) return undefined;
    return { ...this.#safe, sizeBytes: offset, lastUnixUs: beforeUnixUs, sealed: false };
  }

  /** Resolves when the disk has answered all that was asked of it. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Cuts off, of a chunk that was left, what is not in `kept`. */
  async cutTo(kept: ChunkInfo | undefined): Promise<void> {
    this.#safe = kept;
    this.#pending = [];
    this.#endBytes = kept?.sizeBytes ?? 0;
    await this.#file.truncate(this.#endBytes);
    if (this.#endBytes > 0) await this.#file.sync();
  }

  /**
   * Gives up everything since the last sync and cuts it off the file if the disk still obeys. Gives
   * the time of what was lost.
   */
  async dropUnsafe(): Promise<UnsafeTime | undefined> {
    const lost = this.unsafe;
    this.#pending = [];
    this.#endBytes = this.#safe?.sizeBytes ?? 0;
    this.#seal = undefined;
    await this.#run(() => this.#file.truncate(this.#endBytes)).catch(() => undefined);
    return lost;
  }

  /** The time of what is written and not safe. */
  get unsafe(): UnsafeTime | undefined {
    const records = this.#pending.map(({ record }) => record);
    if (records.length === 0) return undefined;
    return {
      fromUnixUs: Math.min(...records.map((record) => record.startUnixUs)),
      toUnixUs: Math.max(...records.map(endUnixUsOf)),
      records: records.length,
    };
  }

  /** Closes the file; one that never held a safe byte is removed. */
  async close(): Promise<void> {
    this.#hash.end();
    const end = async () => {
      await this.#file.close();
      if (this.#endBytes > 0) return;
      await this.directory.files.remove(absoluteChunkPath(this.directory.path, this.path));
    };
    await (this.isLeft ? end() : this.#run(end));
  }

  async #write(buffers: readonly Uint8Array[], written?: WrittenBytes): Promise<void> {
    try {
      await this.#run(() => this.#file.write(buffers, this.#endBytes, written));
    } catch (error) {
      // What hangs is cut when the disk answers.
      if (this.isLeft) throw error;
      // Keeps S2: nothing torn stays in front of what may be written next.
      await this.#run(() => this.#file.truncate(this.#endBytes)).catch(() => (this.#isTorn = true));
      throw error;
    }
  }

  /** Of the disk; its hang leaves the chunk. */
  #run<T>(start: () => Promise<T>): Promise<T> {
    if (this.#hang !== undefined) return Promise.reject(this.#hang);
    const action = start();
    this.#underWay.add(action);
    const ended = () => this.#underWay.delete(action);
    action.then(ended, ended);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#watch
        .bound(this.directory, action)
        .then(resolve, (error: unknown) => {
          const failure = toNightjarError(error);
          if (failure.code === 'timeout') this.#giveUpWaiting(failure);
          reject(failure);
        })
        .finally(() => this.#waiting.delete(reject));
    });
  }

  #giveUpWaiting(error: NightjarError): void {
    this.#hang = error;
    this.#hash.end();
    this.#file.leave?.();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #spanNow() {
    return {
      sizeBytes: this.#endBytes,
      firstUnixUs: this.#firstUnixUs,
      lastUnixUs: this.#lastUnixUs,
      seal: this.#seal,
    };
  }

  #becomeSafe({ pending, seal, ...span }: SafeState): SyncResult {
    // A disk that hangs says nothing of its health by what it took before.
    if (!this.isLeft) this.directory.noteSafe(span.sizeBytes - (this.#safe?.sizeBytes ?? 0));
    const chunk: ChunkInfo = {
      id: this.id,
      store: this.directory.id ?? '',
      path: this.path,
      ...this.#identity,
      codec: this.codec,
      ...span,
      sealed: seal !== undefined,
      ...seal,
    };
    this.#safe = chunk;
    const records: WrittenRecord[] = pending.map((record) => ({ chunk, ...record }));
    return { records, chunks: [chunk] };
  }
}

interface SafeState {
  readonly sizeBytes: number;
  readonly firstUnixUs: number;
  readonly lastUnixUs: number;
  readonly seal: SealFacts | undefined;
  readonly pending: readonly PendingRecord[];
}

function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0);
}
