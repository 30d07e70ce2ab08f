// The set of store directories: opens, recovers, reads, scans and deletes chunks.

import { inTime, messageOf, NightjarError, toNightjarError } from '#base';
import { parseLeadingRecords, type ReadRecords } from './chunk-reader.js';
import type { ChunkFile } from './chunk-files.js';
import type {
  ByteRange,
  ChunkInfo,
  ChunkPlace,
  ParsedAudio,
  ParsedRecord,
  ScannedChunk,
  StoreDirectory,
} from './chunk-info.js';
import type { ChunkStoreOptions, KnownChunks } from './chunk-store-options.js';
import { ChunkPlacement } from './chunk-placement.js';
import { parseChunkPath } from './layout.js';
import { pacedFile } from './paced-file.js';
import { nodeFiles } from './node-files.js';
import { MAX_PAYLOAD_BYTES, type TrackIdentity } from './record-header.js';
import { scanFile } from './recovery.js';
import { SealChain } from './seal-chain.js';
import { laneWidths, withLanes } from './disk-lanes.js';
import { DiskPace } from './disk-pace.js';
import { ChunkDirectory, type ListedChunk } from './store-directory.js';
import { DATA_SHARDS } from './erasure.js';
import { StoreRecovery } from './store-recovery.js';
import { TrackWriter } from './track-writer.js';
import { WarmTier } from './warm-tier.js';
import { readSealed, verifyFile, type ChunkVerification } from './verify-chunk.js';

const CHUNK_BYTES = 10_000_000;
const CHUNK_SECONDS = 15 * 60;
/** First chunks of tracks end at shares of a whole one that lie evenly from a quarter of it on. */
const SPREAD = 0.75;
const GOLDEN_RATIO = 0.618034;
const DEFAULT_THREADS = 4;
const CLOSE_DEADLINE_MS = 2000;

export class ChunkStore {
  readonly warm: WarmTier | undefined;
  /** So many writes run at once, over all directories; more wait for their turn. */
  readonly writesAtOnce: number;
  readonly #options: ChunkStoreOptions;
  readonly #directories: readonly ChunkDirectory[];
  readonly #chains = new Map<string, SealChain>();
  readonly #writers = new Set<string>();
  /** How many tracks were opened so far. */
  #opened = 0;
  readonly #placement: ChunkPlacement;
  readonly #recovery: StoreRecovery;
  /** Chunks on disks that hung, which come to their end when these answer. */
  readonly #left = new Set<Promise<void>>();
  #readsUnderWay = 0;

  private constructor(
    options: ChunkStoreOptions,
    parts: {
      directories: readonly ChunkDirectory[];
      warm: WarmTier | undefined;
      writesAtOnce: number;
    },
  ) {
    this.warm = parts.warm;
    this.writesAtOnce = parts.writesAtOnce;
    this.#options = options;
    const { directories } = parts;
    this.#directories = directories;
    this.#placement = new ChunkPlacement(directories, options);
    this.#recovery = new StoreRecovery({
      directories,
      log: options.log,
      noteId: (id) => this.#placement.noteId(id),
      chainOf: (identity) => this.#chainOf(identity),
    });
  }

  /**
   * Makes or verifies the identity of each directory. A directory that is missing, wrong or
   * read-only is refused and stays in `directories` as failed; throws failed-precondition when none
   * is left.
   */
  static async open(options: ChunkStoreOptions): Promise<ChunkStore> {
    const { clock, log, expected, files = nodeFiles, threads = DEFAULT_THREADS } = options;
    const paths = [...new Set(options.directories)];
    const widths = laneWidths(threads, paths.length);
    const writesAtOnce = widths.writes * paths.length;
    const directories = paths.map((path) => {
      const pace = new DiskPace(clock);
      return new ChunkDirectory({
        path,
        pace,
        files: withLanes(files, widths, pace),
        clock,
        log,
        expectedId: expected?.get(path),
        exclusive: options.exclusive,
        reserveBytes: options.reserveBytes,
      });
    });
    const refusals: unknown[] = [];
    for (const directory of directories) {
      await directory.open().catch((error: unknown) => refusals.push(error));
      const twin = directories.find(
        (other) => other !== directory && other.usable && other.id === directory.id,
      );
      if (directory.usable && twin !== undefined) {
        await Promise.all(directories.map((other) => other.close()));
        throw new NightjarError(
          'failed-precondition',
          `expected different stores, found one in ${twin.path} and in ${directory.path}`,
        );
      }
    }
    const [first] = refusals;
    if (!directories.some(({ usable }) => usable)) {
      if (first !== undefined) throw toNightjarError(first);
      throw new NightjarError('invalid-argument', 'expected at least one store directory');
    }
    const isCold = (options.warm?.directories.length ?? 0) === 0;
    const warm = isCold
      ? undefined
      : await WarmTier.open({
          directories: [],
          ...options.warm,
          exclusive: options.exclusive,
          files,
          clock,
          log,
        });
    return new ChunkStore(options, { directories, warm, writesAtOnce });
  }

  get directories(): readonly StoreDirectory[] {
    return this.#directories.map((directory) => directory.snapshot());
  }

  /** Recovery met more unindexed chunks than it takes: `nightjar rebuild-index` finds them all. */
  get needsRebuild(): boolean {
    return this.#recovery.needsRebuild;
  }

  /**
   * For recorders that share a disk: tells them of which time this one's oldest footage in the store
   * is that may go, and gives the oldest of theirs, in Unix microseconds; undefined without any.
   */
  async exchangeOldest(store: string, oldestUnixUs: number): Promise<number | undefined> {
    const directory = this.#directories.find(({ id }) => id === store);
    if (directory === undefined) return undefined;
    const exchange = directory.exchangeOldest(oldestUnixUs);
    return this.#placement.watch.boundAlways(directory, exchange);
  }

  /**
   * Looks at every directory again: space, and whether a failed one is back. Never throws; waits
   * `patienceMs` at most for a disk that hangs.
   */
  async refresh(patienceMs?: number): Promise<void> {
    await Promise.all([
      ...this.#directories.map((directory) => directory.refresh(patienceMs)),
      this.warm?.refresh(patienceMs),
    ]);
  }

  /**
   * Compares the index's unsealed chunks and the newest files of each track with the disk, cuts
   * torn records, and yields what is to be put into the index. To be finished before the first
   * `openTrack`. A chunk that cannot be read is logged, left as it is, and not yielded.
   */
  recover(known: KnownChunks): AsyncGenerator<ScannedChunk> {
    return this.#recovery.recover(known);
  }

  /**
   * Of a chunk that recovery left unsealed: cuts off what lies in another chunk, behind
   * `kept.sizeBytes`; without `kept` the file goes. The index is told before.
   */
  cutRecovered(chunk: ChunkInfo, kept: ChunkInfo | undefined): Promise<void> {
    return this.#recovery.cut(chunk, kept);
  }

  /** Seals what recovery left unsealed, one by one; yields the rows to put. For the background. */
  async *sealRecovered(): AsyncGenerator<ChunkInfo> {
    for (const chain of [...this.#chains.values()]) {
      // The caller may stop at any of them: no chunk is sealed whose row nobody takes.
      for (let rows = await chain.sealLeftovers(1); rows.length > 0;) {
        yield* rows;
        rows = await chain.sealLeftovers(1);
      }
    }
  }

  /** One writer per camera track at a time: `conflict` otherwise. No I/O. */
  openTrack({ camera, track }: TrackIdentity): TrackWriter {
    const key = `${camera}/${track}`;
    if (this.#writers.has(key)) {
      throw new NightjarError('conflict', 'expected a track without a writer', { camera, track });
    }
    this.#writers.add(key);
    const { clock, log, chunkBytes = CHUNK_BYTES, chunkSeconds = CHUNK_SECONDS } = this.#options;
    return new TrackWriter({
      camera,
      track,
      clock,
      log,
      chunkBytes,
      chunkSeconds,
      firstShare: 1 - SPREAD * ((this.#opened++ * GOLDEN_RATIO) % 1),
      chain: this.#chainOf({ camera, track }),
      createChunk: (chunk) => this.#placement.create(chunk),
      isRoomElsewhere: (directory) => this.#placement.isRoomElsewhere(directory),
      onLeft: (settled) => {
        this.#left.add(settled);
        void settled.finally(() => this.#left.delete(settled));
      },
      onClose: () => this.#writers.delete(key),
    });
  }

  /** One pread of whole records; the caller owns the bytes. Throws data-loss when a CRC differs. */
  async readRecords(chunk: ChunkPlace, offset: number, length: number): Promise<ParsedRecord[]> {
    const { records, lost } = await this.readLeadingRecords(chunk, offset, length);
    if (lost !== undefined) throw lost;
    return records;
  }

  /** As `readRecords`, but damage costs only what lies behind it, and is told in `lost`. */
  async readLeadingRecords(
    chunk: ChunkPlace,
    offset: number,
    length: number,
  ): Promise<ReadRecords> {
    const { records, ...rest } = await this.#read(chunk, offset, length);
    return {
      records: records.map((record) => ('codec' in record ? record : throwOther(chunk))),
      ...rest,
    };
  }

  /** As `readRecords`, of a chunk of sound. */
  async readAudio(chunk: ChunkPlace, offset: number, length: number): Promise<ParsedAudio[]> {
    const { records, lost } = await this.#read(chunk, offset, length);
    if (lost !== undefined) throw lost;
    return records.map((record) => ('format' in record ? record : throwOther(chunk)));
  }

  async #read(
    chunk: ChunkPlace,
    offset: number,
    length: number,
  ): Promise<ReadRecords<ParsedRecord | ParsedAudio>> {
    if (
      !Number.isSafeInteger(offset) ||
      offset < 0 ||
      !(length > 0 && length <= MAX_PAYLOAD_BYTES)
    ) {
      throw new NightjarError('invalid-argument', 'expected a range of a chunk', {
        offset,
        length,
      });
    }
    this.#readsUnderWay += 1;
    try {
      const found = await this.#readRange(chunk, { offset, length }, 'plain');
      if (found.lost === undefined || !this.#isWarm(chunk)) return found;
      return await this.#readRange(chunk, { offset, length }, 'verified');
    } finally {
      this.#readsUnderWay -= 1;
    }
  }

  async #readRange(
    chunk: ChunkPlace,
    { offset, length }: ByteRange,
    mode: 'plain' | 'verified',
  ): Promise<ReadRecords<ParsedRecord | ParsedAudio>> {
    const file = await this.#openToRead(chunk, mode);
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      const read = await file.read(bytes, offset);
      return parseLeadingRecords(bytes.subarray(0, read), { path: chunk.path, offset, length });
    } finally {
      await file.close();
    }
  }

  /** Playback reads at this moment; what has time waits for them. */
  get readsUnderWay(): number {
    return this.#readsUnderWay;
  }

  /**
   * Reads the whole chunk and says what of it is as it was written. `beforeRead` is awaited in front
   * of each read, so that the caller sets the pace. Throws data-loss when the file is not there.
   */
  async verify(
    chunk: ChunkPlace,
    beforeRead: (bytes: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<ChunkVerification> {
    const name = parseChunkPath(chunk.path);
    if (name === undefined) {
      throw new NightjarError('invalid-argument', 'expected a chunk', { path: chunk.path });
    }
    const file = await this.#openToRead(chunk, 'verified');
    try {
      return await verifyFile(pacedFile(file, beforeRead), name);
    } finally {
      await file.close();
    }
  }

  /**
   * Makes the stripe of a sealed chunk beside its file, which stays: the index is to name
   * `warm.id` as its store before `deleteFile`. Throws data-loss when the file is not what was
   * sealed, and the errors of the disks.
   */
  async copyToWarm(
    chunk: ChunkInfo,
    beforeRead: (bytes: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    if (this.warm === undefined) {
      throw new NightjarError('failed-precondition', 'expected a warm tier');
    }
    const file = pacedFile(await this.#openToRead(chunk, 'plain'), beforeRead);
    try {
      await this.warm.write(chunk.path, await readSealed(file, chunk));
    } finally {
      await file.close();
    }
  }

  /** False while its disk hangs, or a directory is away that would bring deleted footage back. */
  canDelete(chunk: ChunkPlace): boolean {
    if (this.#isWarm(chunk)) return this.warm?.canDelete === true;
    const directory = this.#directories.find(({ id }) => id === chunk.store);
    return directory?.usable === true && !directory.hangs;
  }

  /**
   * Gives the bytes freed: 0 when it was gone already. Removes an emptied date directory, and what an
   * interrupted move has left of the chunk on the other tier.
   */
  async deleteChunk(chunk: ChunkPlace): Promise<number> {
    if (this.#isWarm(chunk)) {
      const freed = (await this.warm?.delete(chunk.path)) ?? 0;
      for (const directory of this.#usable()) await directory.removeFile(chunk.path);
      return freed;
    }
    const freed = await this.deleteFile(chunk);
    if (this.warm?.canDelete === true) await this.warm.delete(chunk.path);
    return freed;
  }

  /** As `deleteChunk`, but the stripe of the chunk stays. */
  deleteFile(chunk: ChunkPlace): Promise<number> {
    const directory = this.#directoryOf(chunk);
    // A disk that hangs is to keep nobody from deleting on another: it is tried again.
    return this.#placement.watch.boundAlways(directory, directory.removeFile(chunk.path));
  }

  /**
   * Every chunk by its name alone, oldest date first per track; those of the warm tier behind the
   * others, and only where enough shards are there and no file.
   */
  async *listAll(): AsyncGenerator<ListedPlace> {
    const files = new Set<number>();
    for (const directory of this.#usable()) {
      for (const identity of await directory.tracks()) {
        for await (const listed of directory.chunks(identity, 'oldest-first')) {
          if (this.warm !== undefined) files.add(listed.id);
          yield { ...listed, store: directory.id ?? '' };
        }
      }
    }
    if (this.warm?.id === undefined) return;
    for await (const { shards, ...listed } of this.warm.list()) {
      if (shards.length < DATA_SHARDS || files.has(listed.id)) continue;
      yield { ...listed, store: this.warm.id };
    }
  }

  async countChunks(wants: (chunk: ListedPlace) => boolean = () => true): Promise<number> {
    let count = 0;
    for await (const listed of this.listAll()) count += wants(listed) ? 1 : 0;
    return count;
  }

  /**
   * Every chunk, or those that are wanted by their name, in the order of `listAll`; changes nothing.
   * One that cannot be read is left out.
   */
  async *scanAll(
    o: {
      readonly wants?: (chunk: ListedPlace) => boolean;
      readonly onUnreadable?: (chunk: ListedPlace, why: string) => void;
    } = {},
  ): AsyncGenerator<ScannedChunk> {
    for await (const listed of this.listAll()) {
      if (o.wants?.(listed) === false) continue;
      try {
        const file = await this.#openToRead(listed, 'verified');
        try {
          yield await scanFile(file, listed, listed.store);
        } finally {
          await file.close();
        }
      } catch (error) {
        this.#logUnreadable(listed, error);
        o.onUnreadable?.(listed, messageOf(error));
      }
    }
  }

  /** Waits for seals that are under way; writers are closed by who opened them. */
  async close(): Promise<void> {
    const all = [...this.#chains.values()].map((chain) => chain.settled());
    await this.#unlessItHangs(Promise.all([...all, ...this.#left]));
    const closed = this.#directories.map((directory) => directory.close());
    await this.#unlessItHangs(Promise.all(closed));
    await this.warm?.close();
  }

  /** A disk that hangs is not waited for: recovery does the rest. */
  async #unlessItHangs(action: Promise<unknown>): Promise<void> {
    const { clock, log } = this.#options;
    const outcome = await inTime(clock, CLOSE_DEADLINE_MS, action);
    if (outcome === 'late') log.warn({}, 'a disk hangs: it is not waited for');
  }

  async #openToRead(chunk: ChunkPlace, mode: 'plain' | 'verified'): Promise<ChunkFile> {
    if (this.warm !== undefined && this.#isWarm(chunk)) {
      return this.warm.openToRead(chunk.path, mode);
    }
    const directory = this.#directoryOf(chunk);
    const path = directory.absolute(chunk.path);
    return directory.files.open(path, 'read').catch((error: unknown) => {
      throw asMissing(error, chunk);
    });
  }

  #isWarm({ store }: ChunkPlace): boolean {
    return this.warm?.id === store;
  }

  #usable(): ChunkDirectory[] {
    return this.#directories.filter(({ usable }) => usable);
  }

  #logUnreadable({ path }: ListedChunk, error: unknown): void {
    this.#options.log.error({ path, why: messageOf(error) }, 'could not read a chunk');
  }

  #chainOf({ camera, track }: TrackIdentity): SealChain {
    const key = `${camera}/${track}`;
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      chain = new SealChain(
        { camera, track },
        { directories: this.#directories, log: this.#options.log, watch: this.#placement.watch },
      );
      this.#chains.set(key, chain);
    }
    return chain;
  }

  #directoryOf({ store, path }: ChunkPlace): ChunkDirectory {
    const directory = this.#directories.find(({ id }) => id === store);
    if (directory === undefined) {
      throw new NightjarError('failed-precondition', 'expected a store that is here', {
        store,
        path,
      });
    }
    return directory;
  }
}

/** A chunk by its name alone. */
export type ListedPlace = ListedChunk & ChunkPlace;

function asMissing(error: unknown, { path }: ChunkPlace): NightjarError {
  const known = toNightjarError(error);
  if (known.code !== 'not-found') return known;
  return new NightjarError('data-loss', 'expected a chunk that the index has, found none', {
    path,
  });
}

function throwOther({ path }: ChunkPlace): never {
  throw new NightjarError('data-loss', 'expected video or sound, found the other', { path });
}
