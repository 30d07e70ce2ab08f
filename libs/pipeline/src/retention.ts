// Deletes what is over its time or its space, chunk by chunk, oldest first; a hold beats everything.

import { isErrorCode, toNightjarError, type Clock, type Log, type Timer } from '#base';
import { DATA_SHARDS, sealOf, type ChunkStore, type StoreDirectory } from '#store';
import type { CameraUsage, ChunkRow, NewDeletion, Timeline } from '#timeline';
import type { CameraSettings } from './camera-settings.js';

const INTERVAL_MS = 120_000;
/** A small disk fills between two passes. */
const SPACE_MS = 15_000;
/** Chunks of one camera looked at in one step. */
const STEP = 64;
/** After so many deletions for space the disk is looked at again. */
const LOOK_AGAIN = 4;
/** So much younger may what goes be than the oldest of another recorder on the disk. */
const TURN_US = 600_000_000;
const DAY_US = 86_400_000_000;
const UNFINISHED_KEY = 'retention/unfinished';

export type RetentionRule = 'age' | 'camera-bytes' | 'disk-space';

export interface Watermarks {
  /** Below `lowBytes` of free space the oldest footage goes, until that much is free. */
  readonly lowBytes: number;
  readonly criticalBytes: number;
  /** Here the store stops writing. */
  readonly stopBytes: number;
}

export interface RetentionOptions {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly log: Log;
  /** Every camera with footage that somebody has declared, the removed ones too. */
  readonly cameras: () => ReadonlyMap<string, Pick<CameraSettings, 'retention'>>;
  /** A chunk that is being written cannot go. */
  readonly isWriting: (chunkId: number) => boolean;
  /** Chunks that somebody works on: each leaves the others' alone. */
  readonly inHand?: Set<number>;
  readonly intervalMs?: number | undefined;
  /** By the size of a disk. */
  readonly watermarks?: ((sizeBytes: number) => Watermarks) | undefined;
}

export interface NextDeletion {
  readonly camera: string;
  readonly atUnixUs: number;
  readonly bytes: number;
  readonly rule: RetentionRule;
}

/**
 * A twentieth of the disk, but a few chunks on a small one and no more than 10 GB on a large one;
 * critical is half of that.
 */
export function watermarksOf(sizeBytes: number): Watermarks {
  const lowBytes = Math.min(Math.max(sizeBytes / 20, 256e6), sizeBytes / 4, 10e9);
  return {
    lowBytes: Math.round(lowBytes),
    criticalBytes: Math.round(lowBytes / 2),
    stopBytes: Math.round(Math.min(sizeBytes / 100, 1e9)),
  };
}

interface Unfinished {
  readonly chunk: ChunkRow;
  readonly rule: RetentionRule;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #watermarks: (sizeBytes: number) => Watermarks;
  readonly #timers: Timer[] = [];
  readonly #inHand: Set<number>;
  /** Out of the index already, their files not known to be gone: kept over restarts. */
  #unfinished: Unfinished[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  deletedChunks = 0;
  deletedBytes = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#inHand = options.inHand ?? new Set();
    this.#watermarks = options.watermarks ?? watermarksOf;
  }

  /** Finishes what a crash interrupted, then runs now and every few minutes. */
  async start(): Promise<void> {
    await this.#load();
    await this.#finish();
    const { clock, intervalMs = INTERVAL_MS } = this.#options;
    this.#timers.push(clock.every(intervalMs, () => void this.run()));
    this.#timers.push(clock.every(SPACE_MS, () => void this.#watchSpace()));
    void this.run();
  }

  /** One pass over all rules. Never throws; passes do not overlap. */
  run(): Promise<void> {
    this.#running ??= this.#pass()
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'retention could not run');
      })
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    await this.#running;
  }

  watermarks(sizeBytes: number): Watermarks {
    return this.#watermarks(sizeBytes);
  }

  /** What goes next by age, soonest first. */
  async nextDeletions(limit: number): Promise<NextDeletion[]> {
    const { cameras, timeline } = this.#options;
    const next: NextDeletion[] = [];
    for (const [camera, { retention }] of cameras()) {
      const oldest = (await timeline.chunksOf(camera, { limit: 1 }))[0];
      if (oldest === undefined) continue;
      const atUnixUs = oldest.lastUnixUs + retention.days * DAY_US;
      next.push({ camera, atUnixUs, bytes: oldest.sizeBytes, rule: 'age' });
    }
    return next.sort((a, b) => a.atUnixUs - b.atUnixUs).slice(0, limit);
  }

  async #pass(): Promise<void> {
    const { cameras, timeline, store } = this.#options;
    await this.#finish();
    const usage = new Map((await timeline.usage()).map((row) => [row.camera, row]));
    for (const [camera, { retention }] of cameras()) {
      const used = usage.get(camera);
      if (used === undefined) continue;
      await this.#expire(camera, retention.days, used);
      if (retention.maxBytes !== undefined) await this.#shrink(camera, retention.maxBytes, used);
      const beforeUs = this.#options.clock.nowUnixUs() - retention.days * DAY_US;
      await timeline.forget(camera, Math.round(beforeUs));
    }
    await store.refresh();
    for (const { id, missingBytes } of this.#lowDisks()) await this.#makeRoom(id, missingBytes);
  }

  async #watchSpace(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.#options.store.refresh();
    if (this.#lowDisks().length > 0) await this.run();
  }

  #lowDisks(): { id: string; missingBytes: number }[] {
    const { directories, warm } = this.#options.store;
    const low = directories.flatMap((disk) => {
      const missingBytes = this.#missingOn(disk);
      return disk.id === undefined || missingBytes <= 0 ? [] : [{ id: disk.id, missingBytes }];
    });
    // A tenth of each chunk lies on each warm disk: the fullest one decides.
    const missingBytes = Math.max(0, ...(warm?.directories ?? []).map((d) => this.#missingOn(d)));
    if (warm?.id === undefined || missingBytes === 0) return low;
    return [...low, { id: warm.id, missingBytes: missingBytes * DATA_SHARDS }];
  }

  #missingOn({ state, sizeBytes, freeBytes }: StoreDirectory): number {
    return state === 'failed' ? 0 : this.#watermarks(sizeBytes).lowBytes - freeBytes;
  }

  /** Footage older than its days; by its last frame, so that no younger frame goes with it. */
  async #expire(camera: string, days: number, used: CameraUsage): Promise<void> {
    const beforeUs = this.#options.clock.nowUnixUs() - days * DAY_US;
    if (used.oldestUnixUs >= beforeUs) return;
    for (const track of ['main', 'sub', 'audio'] as const) {
      // Held chunks stay in front: each step looks behind them.
      let limit = STEP;
      for (;;) {
        const chunks = await this.#options.timeline.chunksOf(camera, { track, limit });
        const due = chunks.filter((chunk) => chunk.lastUnixUs < beforeUs);
        let deleted = 0;
        for (const chunk of due) deleted += (await this.#delete(chunk, 'age')) > 0 ? 1 : 0;
        if (this.#closed || due.length < chunks.length || chunks.length < limit) break;
        if (deleted === 0) limit *= 4;
      }
    }
  }

  async #shrink(camera: string, maxBytes: number, used: CameraUsage): Promise<void> {
    let excess = used.bytes - maxBytes;
    if (excess <= 0) return;
    for await (const chunk of this.#oldest([camera])) {
      excess -= await this.#delete(chunk, 'camera-bytes');
      if (excess <= 0 || this.#closed) return;
    }
  }

  async #makeRoom(store: string, neededBytes: number): Promise<void> {
    let needed = neededBytes;
    let looked = 0;
    const untilUs = await this.#turnEnds(store);
    for await (const chunk of this.#oldest([...this.#options.cameras().keys()])) {
      if (chunk.store !== store) continue;
      if (chunk.firstUnixUs > untilUs && !this.#isCritical(store)) return;
      needed -= await this.#delete(chunk, 'disk-space');
      looked += 1;
      if (looked % LOOK_AGAIN === 0) {
        // Other recorders on this disk make room, too: what all of them miss is missed once.
        await this.#options.store.refresh();
        needed = this.#lowDisks().find(({ id }) => id === store)?.missingBytes ?? 0;
      }
      if (needed <= 0 || this.#closed) return;
    }
    const missing = Math.round(needed / 1e6);
    this.#options.log.warn(
      { store, missingMegabytes: missing },
      'nothing more may be deleted here',
    );
  }

  /**
   * Of recorders that share a disk the one with the oldest footage goes first: what is younger than
   * this is left to the others as long as that is not critical.
   */
  async #turnEnds(store: string): Promise<number> {
    for await (const chunk of this.#oldest([...this.#options.cameras().keys()])) {
      if (chunk.store !== store || !this.#mayGo(chunk)) continue;
      try {
        const others = await this.#options.store.exchangeOldest(store, chunk.firstUnixUs);
        return others === undefined ? Infinity : others + TURN_US;
      } catch {
        // A full disk takes no note: then everybody makes room.
        return Infinity;
      }
    }
    return Infinity;
  }

  #isCritical(store: string): boolean {
    const disk = this.#options.store.directories.find(({ id }) => id === store);
    return disk === undefined || disk.freeBytes < this.#watermarks(disk.sizeBytes).criticalBytes;
  }

  #mayGo(chunk: ChunkRow): boolean {
    const { timeline, isWriting } = this.#options;
    return (
      !isWriting(chunk.id) && !timeline.isHeld(chunk.camera, chunk.firstUnixUs, chunk.lastUnixUs)
    );
  }

  /** Chunks beyond their camera's `minDays`, oldest first over all `cameras`. */
  async *#oldest(cameras: readonly string[]): AsyncGenerator<ChunkRow> {
    const nowUs = this.#options.clock.nowUnixUs();
    const fronts: { rows: ChunkRow[]; beforeUs: number }[] = [];
    for (const camera of cameras) {
      const { minDays = 0 } = this.#options.cameras().get(camera)?.retention ?? {};
      const rows = await this.#options.timeline.chunksOf(camera, { limit: 4096 });
      fronts.push({ rows, beforeUs: nowUs - minDays * DAY_US });
    }
    for (;;) {
      let oldest: { rows: ChunkRow[]; beforeUs: number } | undefined;
      for (const front of fronts) {
        const first = front.rows[0];
        if (first === undefined || first.lastUnixUs >= front.beforeUs) continue;
        if (oldest === undefined || first.firstUnixUs < (oldest.rows[0]?.firstUnixUs ?? 0))
          oldest = front;
      }
      const chunk = oldest?.rows.shift();
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** The bytes freed: 0 when it may not go. The index forgets it before the file goes. */
  async #delete({ id }: ChunkRow, rule: RetentionRule): Promise<number> {
    const { timeline, store, log, isWriting } = this.#options;
    if (isWriting(id) || this.#inHand.has(id)) return 0;
    this.#inHand.add(id);
    try {
      // It may have moved to another tier since it was listed.
      const chunk = await timeline.chunk(id);
      if (chunk === undefined || !store.canDelete(chunk)) return 0;
      if (timeline.isHeld(chunk.camera, chunk.firstUnixUs, chunk.lastUnixUs)) return 0;
      // A crash from here on leaves a note of the file that is to go.
      await this.#note([...this.#unfinished, { chunk, rule }]);
      try {
        await timeline.dropChunk(id, this.#deletionOf(chunk, rule));
      } catch (error) {
        await this.#note(this.#unfinished.filter((note) => note.chunk.id !== id));
        const { code } = toNightjarError(error);
        if (!isErrorCode(code) || code !== 'failed-precondition') throw error;
        return 0;
      }
      await store.deleteChunk(chunk);
      await this.#note(this.#unfinished.filter((note) => note.chunk.id !== id));
      this.deletedChunks += 1;
      this.deletedBytes += chunk.sizeBytes;
      return chunk.sizeBytes;
    } catch (error) {
      log.error({ err: error, chunk: id }, 'a chunk could not be deleted');
      return 0;
    } finally {
      this.#inHand.delete(id);
    }
  }

  #deletionOf(chunk: ChunkRow, rule: RetentionRule): NewDeletion {
    const seal = sealOf(chunk);
    return {
      atUnixUs: this.#options.clock.nowUnixUs(),
      camera: chunk.camera,
      track: chunk.track,
      chunkPath: chunk.path,
      fromUnixUs: chunk.firstUnixUs,
      toUnixUs: chunk.lastUnixUs,
      bytes: chunk.sizeBytes,
      rule,
      ...(seal === undefined ? {} : { seal }),
    };
  }

  async #note(unfinished: readonly Unfinished[]): Promise<void> {
    this.#unfinished = [...unfinished];
    const bytes = Buffer.from(JSON.stringify(unfinished));
    await this.#options.timeline.putSetting(
      UNFINISHED_KEY,
      unfinished.length === 0 ? undefined : bytes,
    );
  }

  async #load(): Promise<void> {
    const note = await this.#options.timeline.getSetting(UNFINISHED_KEY);
    if (note === undefined) return;
    const noted = JSON.parse(Buffer.from(note).toString()) as unknown;
    // Before there was a warm tier it was one deletion.
    this.#unfinished = (Array.isArray(noted) ? noted : [noted]) as Unfinished[];
  }

  /** Deletions that a crash or a failed disk interrupted: the index may still have the chunk. */
  async #finish(): Promise<void> {
    const { timeline, store, log } = this.#options;
    for (const note of this.#unfinished) {
      const { chunk, rule } = note;
      if (!store.canDelete(chunk)) continue;
      log.info({ chunk: chunk.id }, 'finishing a deletion');
      try {
        await timeline.dropChunk(chunk.id, this.#deletionOf(chunk, rule));
        await store.deleteChunk(chunk);
      } catch (error) {
        log.error({ err: error, chunk: chunk.id }, 'a deletion could not be finished');
        // A hold came in between: it stays.
        if (toNightjarError(error).code !== 'failed-precondition') continue;
      }
      await this.#note(this.#unfinished.filter((other) => other !== note));
    }
  }
}
