// One chunk that is being written: its file, what is written, what is safe, and its running hash.

import { dirname } from 'node:path';
import { NightjarError } from '#base';
import type { MediaCodec } from '#media';
import type { ChunkFile, WrittenBytes } from './chunk-files.js';
import { ChunkHash } from './chunk-hash.js';
import type { ChunkInfo, RecordFacts, SyncResult, WrittenRecord } from './chunk-info.js';
import { absoluteChunkPath, chunkPath } from './layout.js';
import { endUnixUsOf, type TrackIdentity } from './record-header.js';
import { writeSeal, type SealFacts } from './seal.js';
import type { ChunkDirectory } from './store-directory.js';

interface PendingRecord {
  readonly offset: number;
  readonly length: number;
  readonly record: RecordFacts;
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

  private constructor(
    directory: ChunkDirectory,
    chunk: NewChunk & { readonly path: string },
    open: { readonly file: ChunkFile; readonly newEntries: string[] },
  ) {
    this.directory = directory;
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
  static async create(directory: ChunkDirectory, chunk: NewChunk): Promise<OpenChunk> {
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
    return new OpenChunk(directory, { ...chunk, path }, { file, newEntries });
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

  /** Writes behind the last record. After an error the file ends where it did, or it `isTorn`. */
  async append(buffers: readonly Uint8Array[], record: RecordFacts): Promise<void> {
    const offset = this.#endBytes;
    this.directory.assertRoom();
    await this.#write(buffers, this.#hash);
    if (this.#hash.sizeBytes === offset) {
      for (const buffer of buffers) await this.#hash.takeCopy(buffer);
    }
    // The new end and what lies before it change together: a sync may look between any two steps.
    const length = lengthOf(buffers);
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
    await this.#file.truncate(this.#endBytes).catch(() => undefined);
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
    const pending = this.#pending;
    const sizeBytes = this.#endBytes;
    const [first, last, seal] = [this.#firstUnixUs, this.#lastUnixUs, this.#seal];
    this.#pending = [];
    try {
      await this.#file.sync();
      for (const directory of this.#newEntries) await this.directory.files.syncDirectory(directory);
      this.#newEntries = [];
    } catch (error) {
      this.#pending = [...pending, ...this.#pending];
      throw error;
    }
    this.directory.noteSafe(sizeBytes - (this.#safe?.sizeBytes ?? 0));
    const chunk: ChunkInfo = {
      id: this.id,
      store: this.directory.id ?? '',
      path: this.path,
      ...this.#identity,
      codec: this.codec,
      firstUnixUs: first,
      lastUnixUs: last,
      sizeBytes,
      sealed: seal !== undefined,
      ...seal,
    };
    this.#safe = chunk;
    const records: WrittenRecord[] = pending.map((record) => ({ chunk, ...record }));
    return { records, chunks: [chunk] };
  }

  /**
   * Gives up everything since the last sync and cuts it off the file if the disk still obeys. Gives
   * the time of what was lost.
   */
  async dropUnsafe(): Promise<
    { fromUnixUs: number; toUnixUs: number; records: number } | undefined
  > {
    const lost = this.#pending.map(({ record }) => record);
    this.#pending = [];
    this.#endBytes = this.#safe?.sizeBytes ?? 0;
    this.#seal = undefined;
    await this.#file.truncate(this.#endBytes).catch(() => undefined);
    if (lost.length === 0) return undefined;
    return {
      fromUnixUs: Math.min(...lost.map((record) => record.startUnixUs)),
      toUnixUs: Math.max(...lost.map(endUnixUsOf)),
      records: lost.length,
    };
  }

  /** Closes the file; one that never held a safe byte is removed. */
  async close(): Promise<void> {
    this.#hash.end();
    await this.#file.close();
    if (this.#endBytes > 0) return;
    await this.directory.files.remove(absoluteChunkPath(this.directory.path, this.path));
  }

  async #write(buffers: readonly Uint8Array[], written?: WrittenBytes): Promise<void> {
    try {
      await this.#file.write(buffers, this.#endBytes, written);
    } catch (error) {
      // Keeps S2: nothing torn stays in front of what may be written next.
      await this.#file.truncate(this.#endBytes).catch(() => (this.#isTorn = true));
      throw error;
    }
  }
}

function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0);
}
