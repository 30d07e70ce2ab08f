// Writes the records of one camera track, chunk after chunk.

import { ByteWriter, NightjarError, toNightjarError, type Clock, type ErrorContext, type Log } from '#base'; // prettier-ignore
import { RECORD_HEADROOM_BYTES, type MediaRecord } from '#media';
import { encodeHeader } from './audio-header.js';
import { isSameRecord, type ChunkInfo, type RecordFacts, type RecordNumber, type RecordToRepeat, type SyncResult, type WrittenRecord } from './chunk-info.js'; // prettier-ignore
import { LeftChunks } from './left-chunks.js';
import type { NewChunk, OpenChunk, UnsafeTime } from './open-chunk.js';
import type { TrackIdentity } from './record-header.js';
import type { SealChain } from './seal-chain.js';
import type { ChunkDirectory } from './store-directory.js';
import { maxUnitBytes, writeUnit } from './carrier.js';

/** A camera clock may go back this far within a chunk. */
const BACKWARDS_US = 1_000_000;
/** Records come every 2 s at most, so nothing is going on after this. */
const IDLE_MS = 15_000;

export interface TrackWriterOptions extends TrackIdentity {
  readonly chunkBytes: number;
  readonly chunkSeconds: number;
  /** Of both, for the first chunk: tracks that begin together are not to rotate together. */
  readonly firstShare: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly chain: SealChain;
  /** Makes the next chunk, wherever there is room. */
  readonly createChunk: (chunk: Omit<NewChunk, 'id'>) => Promise<OpenChunk>;
  readonly onClose: () => void;
  /** Whether another directory than this one takes chunks. */
  readonly isRoomElsewhere: (directory: ChunkDirectory) => boolean;
  /** Chunks of it that hang may come to their end after it is closed. */
  readonly onLeft: (settled: Promise<void>) => void;
}

/**
 * `write` and `sync` may overlap each other; calls of the same method are queued. When a disk hangs
 * while another takes chunks, its chunk is left, and the record that `again` names (in the context
 * of the `timeout` of a write or sync, or in the result of a sync) and those behind it are to be
 * written again, before any other: to a new chunk, as if nothing had happened. Whoever cannot goes on
 * with a record that starts a group, and has lost the time from `fromUnixUs` on. Other errors: resource-exhausted (disk full), unavailable (I/O error), failed-precondition (directory gone,
 * read-only, or a record that does not start a group where one must).
 */
export class TrackWriter {
  readonly #options: TrackWriterOptions;
  readonly #body = new ByteWriter(1024);
  #header = Buffer.alloc(RECORD_HEADROOM_BYTES);
  #current: OpenChunk | undefined;
  /** Chunks that have bytes or a seal to be synced, in the order they were written. */
  readonly #open = new Set<OpenChunk>();
  /** Chunks whose disk hangs, until it answers. */
  readonly #left: LeftChunks;
  /** What has to be written again, and nobody was told. */
  #again: RecordToRepeat | undefined;
  /** What was left and is neither safe nor to be written again; nobody was told. */
  #loss: NightjarError | undefined;
  /** What is safe and was not given out, because another chunk's sync failed beside it. */
  #ready: { records: WrittenRecord[]; chunks: ChunkInfo[] } = { records: [], chunks: [] };
  #needsGroupStart = true;
  /** What the current chunk may hold of what a chunk may. */
  #share: number | undefined;
  #lastWriteMs = 0;
  #writesUnderWay = 0;
  #writes: Promise<unknown> = Promise.resolve();
  #syncs: Promise<unknown> = Promise.resolve();

  constructor(options: TrackWriterOptions) {
    this.#options = options;
    this.#left = new LeftChunks(options);
  }

  /** The chunk being written, once a first sync made part of it safe. */
  get chunk(): ChunkInfo | undefined {
    return this.#current?.safe;
  }

  /**
   * Lays the header into the record's headroom and writes both with one pwrite; begins a new chunk
   * at 10 MB, 15 minutes, a codec change, a clock that went back, or when its disk is slow and
   * another is not, always at a group start; the track's first chunk at a share of both. The
   * bytes are not safe before the next `sync`. The record's buffer must stay as it is until the
   * promise settles. After an error the record is not in the chunk, and only a record that starts a
   * group is taken next.
   */
  write(record: MediaRecord): Promise<void> {
    this.#writesUnderWay += 1;
    const turn = this.#writes.then(() => this.#write(record));
    this.#writes = turn.catch(() => undefined);
    return turn;
  }

  /**
   * fdatasync; gives what became safe since the last sync. After an error what was written to that
   * disk since then is not safe: it is cut off, the error's context says from when to when
   * (`fromUnixUs`, `toUnixUs`), and only a record that starts a group is taken next, unless it
   * `goesOn`: what was lost lies in a chunk before the one that is written.
   */
  sync(): Promise<SyncResult> {
    const turn = this.#syncs.then(() => this.#sync());
    this.#syncs = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Seals the chunk when it is old enough and nothing was written for 15 s; a track that records
   * on is rotated by `write`. What it did comes with the next `sync`.
   */
  async sealIfDue(nowUnixUs: number): Promise<boolean> {
    const chunk = this.#current;
    const isIdle = this.#options.clock.monotonicMs() - this.#lastWriteMs >= IDLE_MS;
    if (chunk === undefined || !isIdle) return false;
    if (!chunk.directory.usable) {
      // Nothing stays open on a disk that is to be unmounted.
      const turn = this.#writes.then(async () => {
        if (this.#current === chunk) await this.#leaveRefused(chunk);
      });
      this.#writes = turn.catch(() => undefined);
      await turn;
      return true;
    }
    if (nowUnixUs - chunk.firstUnixUs < this.#mostUs) return false;
    await this.seal();
    return true;
  }

  /** Seals the open chunk, if any; its row comes with the next `sync`. */
  seal(): Promise<void> {
    const turn = this.#writes.then(() => this.#retire());
    this.#writes = turn.catch(() => undefined);
    return turn;
  }

  /** Seals and syncs; the last rows to put. */
  async close(): Promise<SyncResult> {
    await this.seal();
    try {
      return await this.sync();
    } finally {
      this.#left.close();
      this.#options.onLeft(this.#left.settled());
      this.#options.onClose();
    }
  }

  async #write(record: MediaRecord): Promise<void> {
    try {
      await this.#writeOne(record);
    } finally {
      this.#writesUnderWay -= 1;
    }
    // Behind it its chunk was sealed, and a sync beside that found that the new one hangs.
    const again = this.#takeAgain();
    if (again !== undefined) throw mustBeAgain(again);
  }

  async #writeOne(record: MediaRecord): Promise<void> {
    if (this.#current?.directory.usable === false) await this.#leaveRefused(this.#current);
    const again = this.#takeAgain();
    if (again !== undefined && !isSameRecord(again, record)) throw mustBeAgain(again);
    if (this.#needsGroupStart && !record.startsGroup) throw groupStartExpected(record);
    const buffers = this.#withHeader(record);
    let full: OpenChunk | undefined;
    if (record.startsGroup && this.#isDue(record, buffers)) {
      full = this.#current;
      this.#current = undefined;
    }
    try {
      await this.#append(record, buffers);
    } finally {
      // Behind the record: what was received is on disk before anything that has time.
      if (full !== undefined) await this.#seal(full);
    }
  }

  async #append(record: MediaRecord, buffers: readonly Uint8Array[]): Promise<void> {
    // Until it is written, nothing may follow it but a group start.
    this.#needsGroupStart = true;
    if (this.#current === undefined) {
      const { camera, track } = this.#options;
      const { codec } = record.format;
      const { startUnixUs } = record;
      this.#current = await this.#options.createChunk({ camera, track, codec, startUnixUs });
      this.#open.add(this.#current);
      this.#share = this.#share === undefined ? this.#options.firstShare : 1;
    }
    const chunk = this.#current;
    try {
      await chunk.append(buffers, factsOf(record));
    } catch (error) {
      const failure = toNightjarError(error);
      if (chunk.isLeft) {
        this.#leave(chunk, failure, record);
        throw mustBeAgain(this.#takeAgain() ?? repeatOf(record, record.startUnixUs), failure);
      }
      chunk.directory.note(failure);
      // The next group goes to a disk that has room, if there is one.
      const moves =
        failure.code === 'resource-exhausted' && this.#options.isRoomElsewhere(chunk.directory);
      if (moves || chunk.isTorn || chunk.endBytes === 0) await this.#abandon(chunk);
      throw error;
    }
    this.#lastWriteMs = this.#options.clock.monotonicMs();
    this.#left.follow(record);
    // A sync that failed meanwhile gave up the chunk, and this record with it.
    this.#needsGroupStart = this.#current !== chunk;
  }

  /**
   * A disk that was unmounted with its files open goes on taking bytes that nobody can read: once
   * its directory is refused, its chunk ends, and the next group goes where a directory is usable.
   */
  async #leaveRefused(chunk: OpenChunk): Promise<void> {
    this.#needsGroupStart = true;
    await this.#abandon(chunk);
  }

  /**
   * The disk of the chunk hangs, perhaps in the middle of `record`. What is safe of it goes out with
   * the next sync. Idempotent.
   */
  #leave(chunk: OpenChunk, error: NightjarError, record?: MediaRecord): void {
    if (!this.#open.delete(chunk)) return;
    this.#options.log.warn({ path: chunk.path, why: error.message }, 'a chunk is left');
    const { records = [], chunks = [] } = chunk.leave(error) ?? {};
    this.#ready.records.push(...records);
    this.#ready.chunks.push(...chunks);
    const isSealLost = chunk.sealed !== undefined && chunk.safe?.sealed !== true;
    if (isSealLost) this.#options.chain.takeBack(chunk.sealed);
    const isCurrent = this.#current === chunk;
    // What begins with the record under way is whole without this chunk.
    const isWhole = record?.startsGroup === true && !chunk.isDirty;
    const again = isCurrent && !isWhole ? chunk.again : undefined;
    this.#left.add(chunk, again);
    if (isCurrent) {
      this.#current = undefined;
      this.#needsGroupStart = true;
      const fromUnixUs = chunk.unsafe?.fromUnixUs ?? record?.startUnixUs ?? chunk.lastUnixUs;
      const first = again ?? record;
      this.#again = first === undefined ? undefined : repeatOf(first, fromUnixUs);
    } else if (chunk.unsafe !== undefined) {
      const loss = new NightjarError('timeout', error.message, { ...chunk.unsafe }, error);
      this.#loss = withLoss(this.#loss, loss);
    }
  }

  #takeAgain(): RecordToRepeat | undefined {
    const again = this.#again;
    this.#again = undefined;
    return again;
  }

  #isDue(record: MediaRecord, buffers: readonly Uint8Array[]): boolean {
    const chunk = this.#current;
    if (chunk === undefined) return false;
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, chunk.endBytes);
    // Of a chunk that is not safe yet all is written again, should its disk hang, while it is the
    // current one.
    const isLeft =
      chunk.safe !== undefined &&
      chunk.directory.state === 'slow' &&
      this.#options.isRoomElsewhere(chunk.directory);
    return (
      isLeft ||
      chunk.codec !== record.format.codec ||
      bytes > this.#options.chunkBytes * (this.#share ?? 1) ||
      record.startUnixUs - chunk.firstUnixUs >= this.#mostUs ||
      record.startUnixUs < chunk.lastUnixUs - BACKWARDS_US
    );
  }

  get #mostUs(): number {
    return this.#options.chunkSeconds * 1_000_000 * (this.#share ?? 1);
  }

  #withHeader(record: MediaRecord): Uint8Array[] {
    const body = encodeHeader(this.#body, this.#options, record);
    const mostBytes = maxUnitBytes(body.length);
    if (this.#header.length < mostBytes) this.#header = Buffer.alloc(mostBytes);
    const length = writeUnit(this.#header, 0, {
      codec: record.format.codec,
      place: 'record',
      body,
    });
    const { buffer, payloadStart, payloadEnd, rest = [] } = record;
    if (length > Math.min(RECORD_HEADROOM_BYTES, payloadStart)) {
      return [this.#header.subarray(0, length), buffer.subarray(payloadStart, payloadEnd), ...rest];
    }
    this.#header.copy(buffer, payloadStart - length, 0, length);
    return [buffer.subarray(payloadStart - length, payloadEnd), ...rest];
  }

  async #retire(): Promise<void> {
    const chunk = this.#current;
    if (chunk === undefined) return;
    this.#current = undefined;
    this.#needsGroupStart = true;
    await this.#seal(chunk);
  }

  /** Of a chunk that takes no more records. A seal that fails costs the seal, not the recording. */
  async #seal(chunk: OpenChunk): Promise<void> {
    const { chain } = this.#options;
    try {
      const rows = await chain.sealLeftovers();
      this.#ready.chunks.push(...rows);
      // An older one cannot be sealed now: this one is, behind it.
      if (chain.isHeldBack) return;
      await chain.extend(chunk.id, (previousSeal) => chunk.seal(previousSeal));
    } catch (error) {
      const failure = toNightjarError(error);
      if (chunk.isLeft) return this.#leave(chunk, failure);
      // It is another disk that hangs: the seal before was looked for there.
      if (failure.code !== 'timeout') chunk.directory.note(failure);
      this.#options.log.warn({ err: error, path: chunk.path }, 'could not seal a chunk');
    } finally {
      chunk.finish();
    }
  }

  /** The chunk takes no more records; what is safe of it is sealed when the next one is. */
  async #abandon(chunk: OpenChunk): Promise<void> {
    if (this.#current === chunk) this.#current = undefined;
    chunk.finish();
    if (chunk.endBytes === 0) await this.#close(chunk);
  }

  async #sync(): Promise<SyncResult> {
    let failure: NightjarError | undefined;
    for (const chunk of [...this.#open]) {
      if (!this.#open.has(chunk)) continue;
      try {
        if (chunk.isDirty) {
          const { records, chunks } = await chunk.sync();
          this.#ready.records.push(...records);
          this.#ready.chunks.push(...chunks);
        }
        if (chunk.isFinished && !chunk.isDirty) await this.#close(chunk);
      } catch (error) {
        if (chunk.isLeft) this.#leave(chunk, toNightjarError(error));
        else failure = withLoss(failure, await this.#giveUp(chunk, toNightjarError(error)));
      }
    }
    if (this.#loss !== undefined) failure = withLoss(failure, this.#loss);
    this.#loss = undefined;
    // A write that is under way tells it itself.
    const again = this.#writesUnderWay > 0 ? undefined : this.#takeAgain();
    if (failure !== undefined) {
      const goesOn = this.#current !== undefined;
      throw withMore(failure, again === undefined ? { goesOn } : { goesOn, again });
    }
    const { records, chunks } = this.#ready;
    this.#ready = { records: [], chunks: [] };
    const left = this.#left.takeSafe(records);
    return {
      records,
      chunks: [...chunks, ...left.chunks],
      ...(left.removedChunks.length === 0 ? {} : { removedChunks: left.removedChunks }),
      ...(again === undefined ? {} : { again }),
    };
  }

  /**
   * After a failed fdatasync the kernel may have dropped the pages and calls the next one clean, so
   * what was not safe before never will be. Keeps S1.
   */
  async #giveUp(chunk: OpenChunk, error: NightjarError): Promise<NightjarError> {
    chunk.directory.note(error);
    if (this.#current === chunk) {
      this.#current = undefined;
      this.#needsGroupStart = true;
    }
    // A write that is under way ends first, so that it cannot grow what is cut.
    await this.#writes;
    if (chunk.sealed !== undefined) this.#options.chain.takeBack(chunk.sealed);
    const lost = await chunk.dropUnsafe();
    if (chunk.isLeft) this.#leave(chunk, error);
    else await this.#close(chunk);
    return new NightjarError(error.code, error.message, { ...error.context, ...lost }, error);
  }

  async #close(chunk: OpenChunk): Promise<void> {
    // One that was left meanwhile is closed when its disk answers.
    if (!this.#open.delete(chunk)) return;
    try {
      await chunk.close();
    } catch (error) {
      this.#options.log.warn({ err: error, path: chunk.path }, 'could not close a chunk file');
      if (chunk.isLeft) return this.#left.addClosing(chunk);
    }
    if (chunk.safe?.sealed === false) this.#options.chain.leave(chunk.safe, chunk.directory);
  }
}

/** The disk of a write hung, or that of a sync while nothing was written. */
function mustBeAgain(again: RecordToRepeat, cause?: NightjarError): NightjarError {
  const message = cause?.message ?? 'the disk hung: expected the record to be written again';
  return new NightjarError('timeout', message, { again }, cause);
}

function repeatOf({ run, sequence }: RecordNumber, fromUnixUs: number): RecordToRepeat {
  return { run, sequence, fromUnixUs };
}

function withMore(error: NightjarError, more: ErrorContext): NightjarError {
  return new NightjarError(error.code, error.message, { ...error.context, ...more }, error);
}

/** Of chunks that were lost one behind the other: one error, and the time of all of them. */
function withLoss(before: NightjarError | undefined, error: NightjarError): NightjarError {
  const [a, b] = [before?.context, error.context] as Partial<UnsafeTime>[];
  if (before === undefined || a?.fromUnixUs === undefined) return error;
  if (b?.fromUnixUs === undefined) return before;
  const context = {
    ...before.context,
    fromUnixUs: Math.min(a.fromUnixUs, b.fromUnixUs),
    toUnixUs: Math.max(a.toUnixUs ?? 0, b.toUnixUs ?? 0),
    records: (a.records ?? 0) + (b.records ?? 0),
  };
  return new NightjarError(before.code, before.message, context, before);
}

function groupStartExpected({ run, sequence }: MediaRecord): NightjarError {
  return new NightjarError('failed-precondition', 'expected a record that starts a group', {
    run,
    sequence,
  });
}

function factsOf(record: MediaRecord): RecordFacts {
  const { run, sequence, startsGroup, groupStartUnixUs, startUnixUs, startDts90k, frames } = record;
  return {
    run,
    sequence,
    startsGroup,
    groupStartUnixUs,
    startUnixUs,
    startDts90k,
    duration90k: frames.duration90k,
    frameCount: frames.count,
  };
}
