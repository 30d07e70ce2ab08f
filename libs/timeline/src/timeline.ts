// The face of the index: one LSM, what exists when.

import { NightjarError, type Clock, type Log } from '#base';
import type { TrackName } from '#media';
import { groupsWithin, spansByTrack } from './batch-rows.js';
import { ChunkIndex, type ChunksQuery } from './chunk-index.js';
import { CommitQueue, type PendingBatch } from './commit-queue.js';
import { DoomedRows } from './doomed-rows.js';
import { GapIndex } from './gap-index.js';
import { GroupIndex, type GroupsQuery } from './group-index.js';
import { boundedUs, makeKey, rangeOf, u64At } from './keys.js';
import { checkVersion } from './index-version.js';
import { corrupt, Lsm } from './lsm.js';
import { MotionIndex } from './motion-index.js';
import { decodeDeletion, decodeHold, encodeDeletion, encodeHold } from './row-codec.js';
import type {
  CameraUsage,
  ChunkRow,
  DeletionRow,
  GapRow,
  GroupRow,
  HoldRow,
  MotionPage,
  MotionQuery,
  NewDeletion,
  RecordingSpan,
  TimelineBatch,
} from './rows.js';
import {
  decodeSafePoint,
  encodeSafePoint,
  NOTHING_PROVEN,
  provenIdOf,
  SAFE_POINT_KEY,
  type SafePoint,
} from './safe-point.js';
import { SpanIndex } from './spans.js';

const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];
/** More fresh motion than this is packed without being asked. */
const MAX_FRESH_MOTION = 20_000;
const SUSPECTS_A_PAGE = 500;

export interface TimelineOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class Timeline {
  readonly #lsm: Lsm;
  readonly #log: Log;
  readonly #queue: CommitQueue;
  readonly #doomed: DoomedRows;
  readonly #spans: SpanIndex;
  readonly #groups: GroupIndex;
  readonly #chunks: ChunkIndex;
  readonly #gaps: GapIndex;
  readonly #motion: MotionIndex;
  #holds: HoldRow[] = [];
  #lastAliveUs: number | undefined;
  #lastDeletion = { atUnixUs: 0, counter: 0 };
  #isPacking = false;
  /** Everything in front of it is on disk; it is written with the next one. */
  #proven: SafePoint = NOTHING_PROVEN;
  /** As it was found when the index was opened. */
  #found: SafePoint = NOTHING_PROVEN;

  private constructor(lsm: Lsm, log: Log) {
    this.#lsm = lsm;
    this.#log = log;
    this.#queue = new CommitQueue(lsm, () => this.#load());
    this.#doomed = new DoomedRows(lsm);
    this.#spans = new SpanIndex(lsm, this.#doomed);
    this.#groups = new GroupIndex({ lsm, spans: this.#spans, doomed: this.#doomed });
    this.#chunks = new ChunkIndex(lsm);
    this.#gaps = new GapIndex(lsm);
    this.#motion = new MotionIndex(lsm);
  }

  /** Throws failed-precondition when another process holds it, data-loss when it is corrupt. */
  static async open({ directory, log }: TimelineOptions): Promise<Timeline> {
    const lsm = await Lsm.open(directory);
    try {
      await checkVersion(lsm, directory);
      const timeline = new Timeline(lsm, log);
      await timeline.#load();
      await timeline.#loadSafePoint();
      await timeline.#sweep();
      for (const camera of timeline.#chunks.uncounted) await timeline.recountUsage(camera);
      return timeline;
    } catch (error) {
      await lsm.close();
      if (error instanceof NightjarError && error.code === 'data-loss') {
        throw corrupt(directory, error.message, error);
      }
      throw error;
    }
  }

  /**
   * One atomic batch; with `sync` it survives a power cut before the promise resolves. A chunk row
   * that is smaller than before takes the group rows behind its end with it. Throws
   * invalid-argument for rows that no key can hold, and then puts nothing.
   */
  async commit(batch: TimelineBatch, options: { readonly sync?: boolean } = {}): Promise<void> {
    await this.#queue.run((pending) => this.#apply(pending, batch), options.sync);
    if (this.#motion.freshCount > MAX_FRESH_MOTION && !this.#isPacking) {
      this.packMotion().catch((error: unknown) => {
        this.#log.error({ err: error }, 'could not pack motion');
      });
    }
  }

  /**
   * A synced write, and a step of the proof that what was committed in front of it is whole: what
   * lies between the last two of them and the end is what `suspects` gives after a crash. For every
   * few seconds.
   */
  async commitSafePoint(options: { readonly isClean?: boolean } = {}): Promise<void> {
    let here: SafePoint | undefined;
    await this.#queue.run((pending) => {
      here = { ...this.#chunks.extent, isClean: false };
      const { isClean = false } = options;
      pending.put(SAFE_POINT_KEY, encodeSafePoint({ ...this.#proven, isClean }));
      return Promise.resolve();
    }, true);
    if (here !== undefined && (await this.#lsm.isOneLog())) this.#proven = here;
  }

  /**
   * Chunks whose rows a power cut may have torn, as they are in the index, and the id up to which
   * it has every chunk. They were committed behind the last safe point of the process before.
   */
  async suspects(): Promise<{ chunks: ChunkRow[]; provenId: number; isClean: boolean }> {
    const found = new Map(this.#chunks.unsealed().map((row) => [row.id, row]));
    for (const id of this.#found.unsealed) {
      const row = await this.#chunks.find(id);
      if (row !== undefined) found.set(id, row);
    }
    const provenId = provenIdOf(this.#found);
    for (let after = provenId, page; page === undefined || page.length > 0;) {
      page = await this.#chunks.after(after, SUSPECTS_A_PAGE);
      for (const row of page) found.set(row.id, row);
      after = page.at(-1)?.id ?? after;
    }
    const chunks = [...found.values()].sort((a, b) => a.id - b.id);
    return { chunks, provenId, isClean: this.#found.isClean };
  }

  /** The group rows of a chunk in the order of their bytes. */
  groupsOf(chunk: ChunkRow): Promise<GroupRow[]> {
    return this.#groups.ofChunk(chunk);
  }

  /** Puts anew what leads to these rows (by camera, by age, unsealed). */
  relink(chunks: readonly ChunkRow[]): Promise<void> {
    return this.#queue.run(async (pending) => {
      await pending.flush();
      for (const { id } of chunks) {
        const row = await this.#chunks.find(id);
        if (row !== undefined) await this.#chunks.relink(pending, row);
      }
    });
  }

  /** Makes the recording spans of a track anew from its groups, from the moment on. */
  rederiveSpans(camera: string, track: TrackName, fromUnixUs: number): Promise<void> {
    return this.#queue.run(async (pending) => {
      await pending.flush();
      await this.#spans.rederive(pending, { camera, track }, boundedUs(fromUnixUs));
    });
  }

  /** Counts anew what a camera takes, chunk by chunk. */
  recountUsage(camera: string): Promise<void> {
    return this.#queue.run(async (pending) => {
      await pending.flush();
      await this.#chunks.recount(pending, camera);
    });
  }

  /** Every group that overlaps [from, to), oldest first unless reversed. */
  groups(camera: string, track: TrackName, query: GroupsQuery): Promise<GroupRow[]> {
    return this.#groups.overlapping(camera, track, query);
  }

  /** The group that contains the moment; the one that began last, where several do. */
  groupAt(camera: string, track: TrackName, atUnixUs: number): Promise<GroupRow | undefined> {
    return this.#groups.at(camera, track, atUnixUs);
  }

  /** In order of time per track, cut to [from, to). A hole below one second does not split. */
  async recordings(camera: string, fromUnixUs: number, toUnixUs: number): Promise<RecordingSpan[]> {
    const [from, to] = [boundedUs(fromUnixUs), boundedUs(toUnixUs)];
    const found: RecordingSpan[] = [];
    for (const track of TRACKS) {
      for (const span of await this.#spans.overlapping({ camera, track }, from, to)) {
        const cut = {
          track,
          fromUnixUs: Math.max(span.fromUnixUs, from),
          toUnixUs: Math.min(span.toUnixUs, to),
        };
        if (cut.fromUnixUs < cut.toUnixUs) found.push(cut);
      }
    }
    return found;
  }

  /** Gaps that overlap [from, to), whole, oldest first. */
  gaps(camera: string, fromUnixUs: number, toUnixUs: number): Promise<GapRow[]> {
    return this.#gaps.overlapping(camera, fromUnixUs, toUnixUs);
  }

  openGap(camera: string): GapRow | undefined {
    return this.#gaps.open(camera);
  }

  /** Newest first; an event counts when it overlaps [from, to). Never opens a chunk. */
  motion(query: MotionQuery): Promise<MotionPage> {
    return this.#motion.search(query);
  }

  /** Moves fresh motion rows into packed days; gives how many. Called every few minutes. */
  async packMotion(): Promise<number> {
    this.#isPacking = true;
    try {
      const moved = await this.#queue.run((pending) => this.#motion.pack(pending));
      this.#motion.settle(moved);
      return moved.length;
    } finally {
      this.#isPacking = false;
    }
  }

  chunk(id: number): Promise<ChunkRow | undefined> {
    return this.#chunks.find(id);
  }

  unsealedChunks(): Promise<ChunkRow[]> {
    return Promise.resolve(this.#chunks.unsealed());
  }

  /** Chunks of a camera, oldest first unless reversed. */
  chunksOf(camera: string, query: ChunksQuery = {}): Promise<ChunkRow[]> {
    return this.#chunks.ofCamera(camera, query);
  }

  /** Chunks of all cameras whose id is above `id`, in the order in which they were made. */
  chunksAfter(id: number, limit: number): Promise<ChunkRow[]> {
    return this.#chunks.after(id, limit);
  }

  /** Chunks of all cameras that ended before the moment, oldest day first; none that is held. */
  async chunksExpiring(beforeUnixUs: number, limit: number): Promise<ChunkRow[]> {
    const found: ChunkRow[] = [];
    for await (const page of this.#chunks.byAge(boundedUs(beforeUnixUs))) {
      found.push(...page.filter((row) => !this.#isChunkHeld(row)));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  usage(): Promise<CameraUsage[]> {
    return this.#chunks.usage();
  }

  /** Bytes by the identity of the store directory that they lie in. */
  usageOfStores(): ReadonlyMap<string, number> {
    return this.#chunks.usageOfStores();
  }

  /**
   * In one batch: removes the chunk's row, dooms its group rows, trims spans to what is left,
   * records the deletion; the doomed rows, which nobody sees any more, then go by range. False when
   * there is no such chunk. Throws failed-precondition when a hold covers it.
   */
  async dropChunk(id: number, deletion: NewDeletion): Promise<boolean> {
    const isDropped = await this.#queue.run(async (pending) => {
      await pending.flush();
      const chunk = await this.#chunks.find(id);
      if (chunk === undefined) return false;
      if (this.#isChunkHeld(chunk)) {
        throw new NightjarError('failed-precondition', 'expected a chunk that no hold covers', {
          path: chunk.path,
        });
      }
      await this.#groups.removeChunk(pending, chunk);
      await this.#chunks.remove(pending, chunk);
      this.#putDeletion(pending, deletion);
      return true;
    });
    await this.#sweep();
    return isDropped;
  }

  /** Oldest first; `after` is the id of the last row seen. */
  async deletions(options: { after?: string; limit: number }): Promise<DeletionRow[]> {
    const { gte, lt } = rangeOf('deletion');
    const { after = '', limit } = options;
    if (!/^([0-9a-f]{24})?$/.test(after)) {
      throw new NightjarError('invalid-argument', 'expected the id of a deletion', { after });
    }
    const from = after === '' ? { gte } : { gt: Buffer.concat([gte, Buffer.from(after, 'hex')]) };
    const entries = await this.#lsm.entries({ ...from, lt, limit });
    return entries.map(([key, value]) => decodeDeletion(key, value));
  }

  /** Forgets motion and closed gaps of a camera that ended before the moment. */
  forget(camera: string, beforeUnixUs: number): Promise<void> {
    return this.#queue.run(async (pending) => {
      await this.#motion.forget(pending, camera, boundedUs(beforeUnixUs));
      await this.#gaps.forget(pending, camera, boundedUs(beforeUnixUs));
    });
  }

  /** Replaces the whole set; safe when the promise resolves. */
  putHolds(holds: readonly HoldRow[]): Promise<void> {
    return this.#queue.run(async (pending) => {
      await pending.flush();
      const rows = holds.map(
        (row) => [makeKey('hold', { uuid: row.id }), encodeHold(row)] as const,
      );
      for (const key of await this.#lsm.keys(rangeOf('hold'))) pending.del(key);
      for (const [key, value] of rows) pending.put(key, value);
      this.#holds = [...holds];
    }, true);
  }

  holds(): readonly HoldRow[] {
    return this.#holds;
  }

  /** Whether a hold covers any of [from, to]. */
  isHeld(camera: string, fromUnixUs: number, toUnixUs: number): boolean {
    return this.#holds.some(
      (hold) =>
        hold.cameras.includes(camera) &&
        hold.fromUnixMs * 1000 <= toUnixUs &&
        hold.toUnixMs * 1000 >= fromUnixUs,
    );
  }

  getSetting(key: string): Promise<Uint8Array | undefined> {
    return this.#lsm.get(settingKey(key));
  }

  /** All that were put, by key. */
  async settings(): Promise<Map<string, Uint8Array>> {
    const entries = await this.#lsm.entries(rangeOf('setting'));
    return new Map(
      entries
        .filter(([key]) => !key.equals(SAFE_POINT_KEY))
        .map(([key, value]) => [key.subarray(1).toString(), value]),
    );
  }

  /** Safe when the promise resolves. `undefined` removes it. */
  putSetting(key: string, value: Uint8Array | undefined): Promise<void> {
    return this.#queue.run((pending) => {
      if (value === undefined) pending.del(settingKey(key));
      else pending.put(settingKey(key), Buffer.from(value));
      return Promise.resolve();
    }, true);
  }

  /** The last mark, of this process or of the one before. */
  lastAlive(): number | undefined {
    return this.#lastAliveUs;
  }

  markAlive(unixUs: number): Promise<void> {
    return this.#queue.run((pending) => {
      const value = Buffer.alloc(8);
      value.writeDoubleBE(unixUs);
      pending.put(makeKey('alive'), value);
      this.#lastAliveUs = unixUs;
      return Promise.resolve();
    });
  }

  /** Waits for the commits that were asked for, and proves them. */
  async close(): Promise<void> {
    await this.#queue.settled();
    if (this.#queue.hasWritten) {
      try {
        await this.commitSafePoint();
        await this.commitSafePoint({ isClean: true });
      } catch (error) {
        this.#log.warn({ err: error }, 'the end of the index could not be proven');
      }
    }
    await this.#lsm.close();
  }

  /** What cannot be deleted now is invisible all the same, and goes with a later sweep. */
  async #sweep(): Promise<void> {
    if (this.#doomed.isEmpty) return;
    try {
      await this.#queue.run(async (pending) => {
        await pending.flush();
        await this.#doomed.sweep(pending);
      });
    } catch (error) {
      this.#log.warn({ err: error }, 'rows of deleted footage could not be cleared away');
    }
  }

  async #load(): Promise<void> {
    await this.#doomed.load();
    this.#spans.reset();
    this.#groups.reset();
    await this.#chunks.load();
    await this.#gaps.load();
    await this.#motion.load();
    const holds = await this.#lsm.entries(rangeOf('hold'));
    this.#holds = holds.map(([key, value]) => decodeHold(key, value));
    this.#lastAliveUs = (await this.#lsm.get(makeKey('alive')))?.readDoubleBE(0);
    const newest = { ...rangeOf('deletion'), reverse: true, limit: 1 };
    const [last] = await this.#lsm.keys(newest);
    if (last !== undefined) {
      this.#lastDeletion = { atUnixUs: u64At(last, 1), counter: last.readUInt32BE(9) };
    }
  }

  async #loadSafePoint(): Promise<void> {
    const value = await this.#lsm.get(SAFE_POINT_KEY);
    const found = value === undefined ? undefined : decodeSafePoint(value);
    // An index of before there were safe points is taken as it is.
    this.#found = found ?? { ...this.#chunks.extent, isClean: true };
    this.#proven = this.#found;
  }

  async #apply(pending: PendingBatch, batch: TimelineBatch): Promise<void> {
    const { gaps = [], removedGaps = [], motion = [], deletions = [] } = batch;
    const chunks = new Map((batch.chunks ?? []).map((row) => [row.id, row]));
    for (const id of batch.removedChunks ?? []) {
      chunks.delete(id);
      await this.#removeChunk(pending, id);
    }
    const groups = groupsWithin(batch);
    const isBack = groups.some((row) => this.#doomed.has(row.chunkId));
    if (isBack) {
      await pending.flush();
      await this.#doomed.sweep(pending);
    }
    // First everything that reads: nothing of this batch may be written before its other parts.
    const changes: { row: ChunkRow; old: ChunkRow | undefined }[] = [];
    for (const row of chunks.values()) {
      const old = await this.#chunks.before(pending, row.id);
      changes.push({ row, old });
      if (old !== undefined && row.sizeBytes < old.sizeBytes) {
        await pending.flush();
        await this.#groups.cutChunk(pending, old, row.sizeBytes);
        await pending.flush();
      }
    }
    const tracks = spansByTrack(groups);
    let isFast = true;
    for (const { key, spans } of tracks) {
      isFast = (await this.#spans.prepare(pending, key, spans)) && isFast;
    }
    if (!isFast) await pending.flush();
    for (const { key, spans } of tracks) await this.#spans.extend(pending, key, spans);
    for (const row of groups) this.#groups.put(pending, row);
    for (const { row, old } of changes) this.#chunks.put(pending, row, old);
    for (const row of removedGaps) this.#gaps.remove(pending, row);
    for (const row of gaps) this.#gaps.put(pending, row);
    for (const row of deletions) this.#putDeletion(pending, row);
    this.#motion.put(pending, motion);
  }

  async #removeChunk(pending: PendingBatch, id: number): Promise<void> {
    await pending.flush();
    const row = await this.#chunks.find(id);
    if (row === undefined) return;
    await this.#groups.removeChunk(pending, row);
    await this.#chunks.remove(pending, row);
    await pending.flush();
  }

  /** Ids grow even when the clock goes back, so that no reader that pages on misses a row. */
  #putDeletion(pending: PendingBatch, row: NewDeletion): void {
    const last = this.#lastDeletion;
    const atUnixUs = Math.max(boundedUs(row.atUnixUs), last.atUnixUs);
    const counter = atUnixUs === last.atUnixUs ? last.counter + 1 : 0;
    pending.put(makeKey('deletion', { u64: atUnixUs }, { u32: counter }), encodeDeletion(row));
    this.#lastDeletion = { atUnixUs, counter };
  }

  #isChunkHeld(chunk: ChunkRow): boolean {
    return this.isHeld(chunk.camera, chunk.firstUnixUs, chunk.lastUnixUs);
  }
}

function settingKey(key: string): Buffer {
  return makeKey('setting', { bytes: Buffer.from(key) });
}
