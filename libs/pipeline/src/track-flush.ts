// One track's way to disk: writes records as they come, and says what became safe or was lost.

import { availableParallelism, totalmem } from 'node:os';
import { toNightjarError, type Clock, type Log } from '#base';
import {
  foldGroups,
  isSameRecord,
  type ChunkStore,
  type RecordedGroup,
  type RecordNumber,
  type RecordToRepeat,
  type SyncResult,
  type TrackWriter,
} from '#store';
import type { TrackName } from '#media';
import type { TimelineBatch } from '#timeline';
import type { KeptFrom } from './gate.js';
import { HeldRecords } from './held-records.js';
import type { KeptRecord } from './track-record.js';

export type DiskFailure = 'disk-full' | 'disk-too-slow' | 'disk-error';

/** After an error the disk is tried again this often, always with a record that starts a group. */
const RETRY_MS = 3000;
const WAITING_BYTES_PER_TRACK = 24 * 1024 * 1024;
/** Of a pre-roll, so much may wait beside that: it comes at once, however fast the disk is. */
const RING_BYTES_PER_TRACK = 128 * 1024 * 1024;
/** Behind a pause nothing goes on with what was written before it. */
const PAUSE_MS = 3000;
/** A disk that keeps up leaves fewer records of a track waiting. */
const BEHIND_RECORDS = 3;

/** Of all tracks together, on a small machine. */
const LEAST_WAITING_BYTES = 512 * 1024 * 1024;

/**
 * What may wait for disks that stall: a quarter of the memory, shared by all recorders of the
 * machine. Hundreds of cameras fill the least in two seconds.
 */
export function waitingBound(
  recorders = availableParallelism(),
  memoryBytes = availableMemory(),
): number {
  return Math.max(LEAST_WAITING_BYTES, Math.floor(memoryBytes / 4 / recorders));
}

/** Less than the machine's where the process is confined. */
function availableMemory(): number {
  const bound = process.constrainedMemory();
  return bound > 0 ? Math.min(bound, totalmem()) : totalmem();
}

/** What waits for the disks, over all tracks of a recorder. */
export class WaitingBytes {
  readonly #bound: number;
  total = 0;
  records = 0;
  /** Of these, what came out of rings: memory that was in use before. */
  fromRings = 0;

  constructor(bound = waitingBound()) {
    this.#bound = bound;
  }

  get isFull(): boolean {
    return this.total - this.fromRings > this.#bound;
  }
}

export interface TrackFlushOptions {
  readonly camera: string;
  readonly track: TrackName;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly waiting: WaitingBytes;
  /** Something was written, and is safe after the next sync. */
  onWritten?(): void;
  /** Footage became safe; called before the batch that holds its rows is committed. */
  onRecorded(startUnixUs: number, endUnixUs: number): void;
  /**
   * From `atUnixUs` on nothing is kept because of the disk; undefined when it is kept again. Called
   * again when more was lost, from an earlier moment on.
   */
  onDisk(failure: DiskFailure | undefined, atUnixUs: number, message: string): void;
}

export class TrackFlush {
  readonly #options: TrackFlushOptions;
  readonly #queue: KeptRecord[] = [];
  #queuedBytes = 0;
  /** Of the queue, what came out of the ring. */
  readonly #fromRing = new Set<KeptRecord>();
  #fromRingBytes = 0;
  /** Written, and perhaps to be written again. */
  readonly #held = new HeldRecords();
  #lastWriteMs = 0;
  /** What was told of as recorded: it is told once. */
  #recorded: RecordNumber = { run: -1, sequence: -1 };
  #writer: TrackWriter | undefined;
  #pump: Promise<void> | undefined;
  #syncing: Promise<TimelineBatch | undefined> | undefined;
  #dirty = false;
  #failure: DiskFailure | undefined;
  #failureMessage = '';
  #lostFromUnixUs = 0;
  /** What is written of before that says nothing of what comes behind it. */
  #lostAtUnixUs = 0;
  /** Despite the failure what comes is taken, behind the beginning of its group. */
  #isResuming = false;
  #retryAtMs = 0;
  #openGroup: RecordedGroup | undefined;
  #endUnixUs = 0;
  #closed = false;
  /** Of the track, since its start. */
  readonly counters = { records: 0, bytes: 0, syncs: 0, slowestSyncMs: 0, lostRecords: 0 };

  constructor(options: TrackFlushOptions) {
    this.#options = options;
  }

  get track(): TrackName {
    return this.#options.track;
  }

  get failure(): DiskFailure | undefined {
    return this.#failure;
  }

  get failureMessage(): string {
    return this.#failureMessage;
  }

  /** Something is written or waits, and is not safe yet. */
  get hasWork(): boolean {
    return this.#dirty || this.#queue.length > 0 || this.#syncing !== undefined;
  }

  get waitingBytes(): number {
    return this.#queuedBytes;
  }

  get chunkId(): number | undefined {
    return this.#writer?.chunk?.id;
  }

  /** Takes a record to be written at once. Never blocks, never throws. */
  push(record: KeptRecord, from: KeptFrom = 'camera'): void {
    if (this.#closed) return;
    this.#endUnixUs = record.endUnixUs;
    if (this.#failure !== undefined && !this.#isResuming) {
      this.#isResuming = this.#mayResume(record);
      if (!this.#isResuming) {
        this.counters.lostRecords += 1;
        this.#lostAtUnixUs = record.startUnixUs;
        return;
      }
    }
    const { waiting } = this.#options;
    const isRing = from === 'ring' && this.#fromRingBytes < RING_BYTES_PER_TRACK;
    const bytes = this.#queuedBytes - this.#fromRingBytes;
    // What waits for another disk is not to stop a track whose own disk keeps up.
    const isBehind = waiting.isFull && this.#queue.length >= BEHIND_RECORDS;
    if (!isRing && (bytes > WAITING_BYTES_PER_TRACK || isBehind)) {
      this.counters.lostRecords += 1;
      const megabytes = Math.round(this.#queuedBytes / 1e6);
      this.#fail('disk-too-slow', record.startUnixUs, `the disk is too slow: ${megabytes} MB wait`);
      return;
    }
    this.#queue.push(record.retain());
    this.#queuedBytes += record.payloadBytes;
    waiting.total += record.payloadBytes;
    waiting.records += 1;
    if (isRing) {
      this.#fromRing.add(record);
      this.#fromRingBytes += record.payloadBytes;
      waiting.fromRings += record.payloadBytes;
    }
    this.#startPump();
  }

  #startPump(): void {
    this.#pump ??= this.#write().finally(() => (this.#pump = undefined));
  }

  /**
   * Makes safe what was written. The batch holds the rows of what became safe and must be
   * committed by the caller. Never throws: a failed sync is a failed disk.
   */
  sync(): Promise<TimelineBatch | undefined> {
    this.#syncing ??= this.#sync().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  /** The camera paused: a chunk that is old enough ends. */
  async sealIfDue(): Promise<void> {
    try {
      const sealed = await this.#writer?.sealIfDue(this.#options.clock.nowUnixUs());
      if (sealed === true) this.#dirty = true;
    } catch (error) {
      this.#failWith(error, this.#endUnixUs);
    }
  }

  /** Writes and syncs everything, seals the chunk, and takes nothing more. */
  async close(): Promise<TimelineBatch | undefined> {
    this.#closed = true;
    const parts: TimelineBatch[] = [];
    // A disk that hangs in between has all of it written again.
    do {
      await this.#pump;
      await this.#syncing;
      const part = await this.sync();
      if (part !== undefined) parts.push(part);
    } while (this.hasWork);
    const batch = parts.length === 0 ? undefined : joined(parts);
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return batch;
    try {
      const rest = await writer.close();
      const groups = this.#fold(rest.records);
      return {
        groups: [...(batch?.groups ?? []), ...groups],
        chunks: [...(batch?.chunks ?? []), ...rest.chunks],
        removedChunks: [...(batch?.removedChunks ?? []), ...(rest.removedChunks ?? [])],
      };
    } catch (error) {
      this.#failSync(error);
      return batch;
    } finally {
      this.#held.clear();
    }
  }

  #mayResume(record: KeptRecord): boolean {
    if (!record.startsGroup) return false;
    // A slow disk is tried when it has drained, a failed one after a while.
    if (this.#failure === 'disk-too-slow') return this.#queue.length === 0;
    return this.#options.clock.monotonicMs() >= this.#retryAtMs;
  }

  async #write(): Promise<void> {
    const { store, camera, track } = this.#options;
    for (let record = this.#queue[0]; record !== undefined; record = this.#queue[0]) {
      try {
        this.#writer ??= store.openTrack({ camera, track });
        await this.#writer.write(record);
        this.#dirty = true;
        this.#held.add(record);
        this.#lastWriteMs = this.#options.clock.monotonicMs();
        this.counters.records += 1;
        this.counters.bytes += record.payloadBytes;
        this.#options.onWritten?.();
        this.#noteWell(record.startUnixUs);
        this.#shift(record);
      } catch (error) {
        const again = againOf(error);
        if (again !== undefined) {
          this.#writeAgain(again, toNightjarError(error).message);
          continue;
        }
        const { startUnixUs } = record;
        this.#failWith(error, startUnixUs);
        // The disk is not tried again for a while.
        this.counters.lostRecords += this.#queue.length;
        while (this.#queue[0] !== undefined) this.#shift(this.#queue[0]);
      }
    }
  }

  /** Puts what is held in front of the queue, from this record on. */
  #writeAgain(again: RecordToRepeat, why: string): void {
    this.#dirty = true;
    const records = this.#isNext(again) ? [] : this.#held.takeFrom(again);
    this.#queue.unshift(...records);
    const { waiting } = this.#options;
    waiting.records += records.length;
    for (const record of records) {
      // Their memory was in use before.
      this.#fromRing.add(record);
      this.#fromRingBytes += record.payloadBytes;
      this.#queuedBytes += record.payloadBytes;
      waiting.total += record.payloadBytes;
      waiting.fromRings += record.payloadBytes;
    }
    if (this.#isNext(again)) this.#noteWell(again.fromUnixUs);
    else this.#skipGroup(again.fromUnixUs, why);
  }

  #isNext(number: RecordNumber): boolean {
    const next = this.#queue[0];
    return next !== undefined && isSameRecord(next, number);
  }

  /** What was too large to be held is lost; the next group goes elsewhere. */
  #skipGroup(fromUnixUs: number, why: string): void {
    this.#fail('disk-too-slow', fromUnixUs, why);
    while (this.#queue.length > 0) {
      const next = this.#queue[0] as KeptRecord;
      if (next.startsGroup) {
        this.#noteWell(next.startUnixUs);
        break;
      }
      this.counters.lostRecords += 1;
      this.#shift(next);
    }
  }

  #shift(record: KeptRecord): void {
    this.#queue.shift();
    this.#queuedBytes -= record.payloadBytes;
    this.#options.waiting.total -= record.payloadBytes;
    this.#options.waiting.records -= 1;
    if (this.#fromRing.delete(record)) {
      this.#fromRingBytes -= record.payloadBytes;
      this.#options.waiting.fromRings -= record.payloadBytes;
    }
    record.release();
  }

  async #sync(): Promise<TimelineBatch | undefined> {
    const writer = this.#writer;
    const startMs = this.#options.clock.monotonicMs();
    if (!this.#dirty || writer === undefined) {
      const isPause = this.#queue.length === 0 && startMs - this.#lastWriteMs > PAUSE_MS;
      if (isPause) this.#held.clear();
      return undefined;
    }
    this.#dirty = false;
    try {
      const result = await writer.sync();
      this.counters.syncs += 1;
      const tookMs = this.#options.clock.monotonicMs() - startMs;
      this.counters.slowestSyncMs = Math.max(this.counters.slowestSyncMs, tookMs);
      return this.#batchOf(result);
    } catch (error) {
      this.#failSync(error);
      const again = againOf(error);
      if (again !== undefined) this.#repeat(again);
      return undefined;
    }
  }

  #repeat(again: RecordToRepeat): void {
    this.#writeAgain(again, 'the disk hangs');
    this.#startPump();
  }

  #batchOf({ records, chunks, removedChunks = [], again }: SyncResult): TimelineBatch {
    const groups = this.#fold(records);
    if (again !== undefined) this.#repeat(again);
    return { groups, chunks, removedChunks };
  }

  #fold(records: Parameters<typeof foldGroups>[0]): RecordedGroup[] {
    const groups = foldGroups(records, this.#openGroup);
    this.#openGroup = groups.at(-1) ?? this.#openGroup;
    for (const { record } of records) {
      this.#held.safe(record);
      const { run, sequence } = this.#recorded;
      if (record.run === run && record.sequence <= sequence) continue;
      this.#recorded = { run: record.run, sequence: record.sequence };
      const endUnixUs = record.startUnixUs + Math.round((record.duration90k * 100) / 9);
      this.#options.onRecorded(record.startUnixUs, endUnixUs);
    }
    return groups;
  }

  /** Footage from here on is kept, unless what came before it was lost later than that. */
  #noteWell(atUnixUs: number): void {
    if (this.#failure === undefined || atUnixUs < this.#lostAtUnixUs) return;
    this.#failure = undefined;
    this.#options.onDisk(undefined, atUnixUs, '');
  }

  #failSync(error: unknown): void {
    const { fromUnixUs, goesOn } = toNightjarError(error).context;
    const isWhole = this.#failure === undefined || this.#isResuming;
    this.#failWith(error, typeof fromUnixUs === 'number' ? fromUnixUs : this.#endUnixUs);
    // It was a chunk before the one that is written, or is to be.
    this.#isResuming = isWhole && (goesOn === true || this.#queue[0]?.startsGroup === true);
  }

  #failWith(error: unknown, atUnixUs: number): void {
    const { code, message } = toNightjarError(error);
    const failure = code === 'resource-exhausted' ? 'disk-full' : 'disk-error';
    this.#fail(code === 'timeout' ? 'disk-too-slow' : failure, atUnixUs, message);
  }

  #fail(failure: DiskFailure, atUnixUs: number, message: string): void {
    const { clock, log, camera, track } = this.#options;
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    this.#isResuming = false;
    // What was lost because of a failure before is lost.
    const isFirst = this.#failure === undefined;
    this.#lostAtUnixUs = isFirst ? atUnixUs : Math.max(this.#lostAtUnixUs, atUnixUs);
    if (this.#failure === failure) {
      // A sync that fails behind a write takes what was written before that with it.
      if (atUnixUs >= this.#lostFromUnixUs) return;
      this.#lostFromUnixUs = atUnixUs;
      this.#options.onDisk(failure, atUnixUs, message);
      return;
    }
    this.#failure = failure;
    this.#lostFromUnixUs = atUnixUs;
    this.#failureMessage = message;
    log.error({ camera, track, failure, message }, 'footage cannot be written');
    this.#options.onDisk(failure, atUnixUs, message);
  }
}

/** Of a write or sync whose disk hangs: from where on it is to be made again. */
function againOf(error: unknown): RecordToRepeat | undefined {
  return toNightjarError(error).context['again'] as RecordToRepeat | undefined;
}

function joined(parts: readonly TimelineBatch[]): TimelineBatch {
  return {
    groups: parts.flatMap(({ groups }) => groups ?? []),
    chunks: parts.flatMap(({ chunks }) => chunks ?? []),
    removedChunks: parts.flatMap(({ removedChunks }) => removedChunks ?? []),
  };
}
