// Moves sealed chunks to the warm tier when they are old enough, and mends stripes that lost shards:
// one at a time, at a bounded speed, behind everybody else.

import { delay, messageOf, NightjarError, toNightjarError, type Clock, type Log } from '#base';
import { ALL_SHARDS, DATA_SHARDS, warmSlotOf, type ChunkStore, type WarmTier } from '#store';
import type { ChunkRow, Timeline } from '#timeline';

const ALL = Array.from({ length: ALL_SHARDS }, (_, shard) => shard);
const MOVING_KEY = 'warm/moving';
const DAY_MS = 86_400_000;
const DEFAULT_AFTER_DAYS = 1;
const DEFAULT_BYTES_PER_SECOND = 50_000_000;
const PAGE = 64;
/** Between two looks for something to do: a directory that is back is mended soon. */
const IDLE_MS = 2000;
/** More stripes than this that lack shards are mended in the look after this one. */
const MOST_AT_ONCE = 100_000;
/** Beyond this the rest is looked at again with everything else. */
const MOST_UNSEALED = 10_000;
const YIELD_MS = 100;
const LONGEST_YIELD_MS = 2000;
/** Chunks that could not be moved are tried again after this long. */
const RESTART_MS = DAY_MS;

export interface WarmMoverOptions {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly log: Log;
  /** Chunks that somebody works on: retention and this leave each other's alone. */
  readonly inHand: Set<number>;
  /** Since its last frame; 1. */
  readonly afterDays?: number | undefined;
  /** Never faster than this; 50 MB/s. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly isBusy: () => boolean;
}

export interface WarmReport {
  readonly state: 'off' | 'idle' | 'moving' | 'mending';
  /** Why nothing moves now. */
  readonly reason?: string;
  /** Of footage in the tier, without parity. */
  readonly bytes: number;
  readonly chunks: number;
  readonly movedChunks: number;
  readonly mendedShards: number;
  readonly lostStripes: number;
  readonly reconstructedReads: number;
  /** Of 14, by the names of files, when all stripes were last looked at. */
  readonly stripes: StripeCount;
  /** Shards that a directory lacks, by its slot. */
  readonly missingShards: readonly number[];
  /** Of the mending under way: stripes mended, and how many lack shards that can be written. */
  readonly mending?: { readonly done: number; readonly total: number };
}

export interface StripeCount {
  readonly whole: number;
  /** Shards are missing, and nothing is lost. */
  readonly degraded: number;
  readonly lost: number;
}

interface LackingStripe {
  readonly id: number;
  readonly path: string;
  readonly missing: readonly number[];
}

export class WarmMover {
  readonly #options: WarmMoverOptions;
  readonly #afterMs: number;
  readonly #maxBytesPerSecond: number;
  readonly #ended = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state: WarmReport['state'] = 'off';
  /** The last chunk that was looked at. */
  #afterId = 0;
  readonly #unsealed = new Set<number>();
  #startedMs = 0;
  /** Directories that were here when all stripes were last looked at. */
  #swept: string | undefined;
  #mending: { done: number; total: number } | undefined;
  #sum = { bytes: 0, chunks: 0 };
  #movedChunks = 0;
  readonly #lacking = new Map<string, LackingStripe>();
  /** So many more lack shards. */
  #unlisted = 0;

  constructor(options: WarmMoverOptions) {
    this.#options = options;
    this.#afterMs = (options.afterDays ?? DEFAULT_AFTER_DAYS) * DAY_MS;
    this.#maxBytesPerSecond = options.maxBytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
  }

  /** Finishes or undoes the move that a crash interrupted, then works in the background. */
  async start(): Promise<void> {
    const { warm } = this.#options.store;
    if (warm === undefined) return;
    await this.#settle();
    this.#running = this.#run(warm);
  }

  /** Its files are gone. */
  noteDeleted({ store, path, sizeBytes }: ChunkRow): void {
    if (store !== this.#options.store.warm?.id) return;
    this.#lacking.delete(path);
    const { bytes, chunks } = this.#sum;
    this.#sum = { bytes: Math.max(0, bytes - sizeBytes), chunks: Math.max(0, chunks - 1) };
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  report(): WarmReport | undefined {
    const { warm } = this.#options.store;
    if (warm === undefined) return undefined;
    const { mendedShards, reconstructedReads } = warm.counters;
    const reason = warm.fault;
    const stripes = this.#stripes;
    return {
      state: reason === undefined || this.#state === 'mending' ? this.#state : 'off',
      ...(reason === undefined ? {} : { reason }),
      ...this.#sum,
      movedChunks: this.#movedChunks,
      mendedShards,
      lostStripes: stripes.lost,
      stripes,
      missingShards: this.#missingShards,
      reconstructedReads,
      ...(this.#mending === undefined ? {} : { mending: { ...this.#mending } }),
    };
  }

  get #stripes(): StripeCount {
    const lacking = [...this.#lacking.values()];
    const lost = lacking.filter(({ missing }) => missing.length > ALL_SHARDS - DATA_SHARDS).length;
    const degraded = lacking.length - lost + this.#unlisted;
    return { whole: Math.max(0, this.#sum.chunks - degraded - lost), degraded, lost };
  }

  get #missingShards(): number[] {
    const bySlot = Array.from({ length: ALL_SHARDS }, () => 0);
    for (const { id, missing } of this.#lacking.values()) {
      for (const shard of missing) {
        const slot = warmSlotOf(id, shard);
        bySlot[slot] = (bySlot[slot] ?? 0) + 1;
      }
    }
    return bySlot;
  }

  async #run(warm: WarmTier): Promise<void> {
    this.#startedMs = this.#options.clock.monotonicMs();
    this.#state = 'idle';
    while (!this.#ended.signal.aborted) {
      try {
        const here = warm.directories
          .filter(({ state }) => state !== 'failed')
          .map(({ id, path }) => `${id} ${path}`)
          .join();
        if (here !== this.#swept) {
          if ((await this.#sweep(warm)) === 'all') this.#swept = here;
        } else if (warm.fault !== undefined || !(await this.#movePage(warm))) {
          this.#state = 'idle';
          await this.#rest(IDLE_MS);
        }
      } catch (error) {
        this.#options.log.error({ err: error }, 'the warm tier could not go on');
        await this.#rest(IDLE_MS);
      }
    }
  }

  /** False when nothing is old enough. */
  async #movePage(warm: WarmTier): Promise<boolean> {
    const { timeline, clock } = this.#options;
    if (clock.monotonicMs() - this.#startedMs > RESTART_MS) {
      this.#startedMs = clock.monotonicMs();
      this.#afterId = 0;
      // Files can be lost without their directory.
      this.#swept = undefined;
      return true;
    }
    const beforeUs = clock.nowUnixUs() - this.#afterMs * 1000;
    await this.#moveSealed(warm, beforeUs);
    const page = await timeline.chunksAfter(this.#afterId, PAGE);
    for (const chunk of page) {
      if (this.#ended.signal.aborted || warm.fault !== undefined) return false;
      // Ids are times: what follows is younger.
      if (chunk.id >= beforeUs) return false;
      if (!chunk.sealed) {
        if (this.#unsealed.size < MOST_UNSEALED) this.#unsealed.add(chunk.id);
      } else if (chunk.lastUnixUs < beforeUs && chunk.store !== warm.id) {
        await this.#move(warm, chunk);
      }
      this.#afterId = chunk.id;
    }
    return page.length === PAGE;
  }

  /** Chunks that were not sealed when it came by. */
  async #moveSealed(warm: WarmTier, beforeUs: number): Promise<void> {
    for (const id of this.#unsealed) {
      if (this.#ended.signal.aborted || warm.fault !== undefined) return;
      const chunk = await this.#options.timeline.chunk(id);
      if (chunk?.sealed === false || (chunk?.lastUnixUs ?? 0) >= beforeUs) continue;
      if (chunk !== undefined && chunk.store !== warm.id) await this.#move(warm, chunk);
      this.#unsealed.delete(id);
    }
  }

  async #move(warm: WarmTier, { id }: ChunkRow): Promise<void> {
    const { store, timeline, log, inHand } = this.#options;
    if (warm.id === undefined || inHand.has(id)) return;
    inHand.add(id);
    this.#state = 'moving';
    try {
      // Retention may have been quicker.
      const chunk = await timeline.chunk(id);
      if (chunk === undefined) return;
      await timeline.putSetting(MOVING_KEY, Buffer.from(JSON.stringify(chunk)));
      await store.copyToWarm(chunk, (bytes) => this.#turn(bytes));
      await timeline.commit({ chunks: [{ ...chunk, store: warm.id }] }, { sync: true });
      await store.deleteFile(chunk);
      await timeline.putSetting(MOVING_KEY, undefined);
      this.#movedChunks += 1;
      this.#sum = { bytes: this.#sum.bytes + chunk.sizeBytes, chunks: this.#sum.chunks + 1 };
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        log.error({ chunk: id, why: messageOf(error) }, 'a chunk could not move to the warm tier');
      }
      await this.#settle();
    } finally {
      inHand.delete(id);
    }
  }

  /** The move that was under way, if any: the index says which of the two copies is the one. */
  async #settle(): Promise<void> {
    const { store, timeline, log } = this.#options;
    try {
      const note = await timeline.getSetting(MOVING_KEY);
      if (note === undefined || store.warm === undefined) return;
      const noted = JSON.parse(Buffer.from(note).toString()) as ChunkRow;
      const chunk = await timeline.chunk(noted.id);
      if (chunk === undefined) await store.deleteChunk(noted);
      else if (chunk.store === noted.store) await store.warm.delete(noted.path);
      else await store.deleteFile(noted);
      await timeline.putSetting(MOVING_KEY, undefined);
    } catch (error) {
      // What is left of it goes with the chunk, or with the next look at all stripes.
      log.error({ why: messageOf(error) }, 'an interrupted move could not be cleaned up');
    }
  }

  /** Looks at every stripe: mends what lost shards, removes what is no chunk any more. */
  async #sweep(warm: WarmTier): Promise<'all' | 'more'> {
    const { timeline, inHand, log } = this.#options;
    const sum = { bytes: 0, chunks: 0 };
    const lacking: LackingStripe[] = [];
    let unlisted = 0;
    for await (const { id, path, shards } of warm.list()) {
      if (this.#ended.signal.aborted) return 'more';
      if (inHand.has(id)) continue;
      const chunk = await timeline.chunk(id);
      if (chunk !== undefined && chunk.store === warm.id) {
        sum.chunks += 1;
        sum.bytes += chunk.sizeBytes;
        if (shards.length === ALL_SHARDS) continue;
        const missing = ALL.filter((shard) => !shards.includes(shard));
        if (lacking.length < MOST_AT_ONCE) lacking.push({ id, path, missing });
        else unlisted += 1;
      } else if (chunk !== undefined || shards.length < DATA_SHARDS) {
        // Of an interrupted move, or on a disk that was away when its footage was deleted.
        if (warm.fault === undefined) await warm.delete(path);
      } else {
        log.error({ path }, 'a stripe that the index does not know: run nightjar rebuild-index');
      }
    }
    this.#sum = sum;
    this.#lacking.clear();
    for (const stripe of lacking) this.#lacking.set(stripe.path, stripe);
    this.#unlisted = unlisted;
    await this.#mendAll(warm, lacking);
    const isDone = !this.#ended.signal.aborted && (unlisted === 0 || this.#lacking.size > 0);
    return isDone ? 'all' : 'more';
  }

  async #mendAll(warm: WarmTier, lacking: readonly LackingStripe[]): Promise<void> {
    const here = new Set(
      warm.directories.flatMap(({ slot, state }) =>
        state === 'ok' || state === 'slow' ? (slot ?? []) : [],
      ),
    );
    const due = lacking.filter(
      ({ id, missing }) =>
        missing.length > ALL_SHARDS - DATA_SHARDS ||
        missing.some((shard) => here.has(warmSlotOf(id, shard))),
    );
    for (const [done, stripe] of due.entries()) {
      if (this.#ended.signal.aborted) break;
      this.#state = 'mending';
      this.#mending = { done, total: due.length };
      await this.#mend(warm, stripe);
    }
    this.#mending = undefined;
    this.#state = 'idle';
  }

  async #mend(warm: WarmTier, { id, path }: LackingStripe): Promise<void> {
    const { log, timeline } = this.#options;
    try {
      // Retention may have been quicker.
      if ((await timeline.chunk(id))?.store !== warm.id) {
        this.#lacking.delete(path);
        return;
      }
      const { bad, mended, isLost } = await warm.mend(path, {
        beforeRead: (bytes) => this.#turn(bytes),
      });
      if (mended.length > 0) log.info({ path, shards: mended }, 'shards were written anew');
      const missing = bad.filter((shard) => !mended.includes(shard));
      if (missing.length === 0) this.#lacking.delete(path);
      else this.#lacking.set(path, { id, path, missing });
      if (isLost) log.error({ path }, 'a stripe has lost more than four shards');
    } catch (error) {
      if (toNightjarError(error).code === 'cancelled') return;
      log.error({ path, why: messageOf(error) }, 'a stripe could not be mended');
    }
  }

  /** Waits for whoever is busy, and for the pace. */
  async #turn(bytes: number): Promise<void> {
    for (let waited = 0; waited < LONGEST_YIELD_MS; waited += YIELD_MS) {
      if (this.#ended.signal.aborted || !this.#options.isBusy()) break;
      await this.#rest(YIELD_MS);
    }
    await this.#rest((bytes / this.#maxBytesPerSecond) * 1000);
    if (this.#ended.signal.aborted) throw new NightjarError('cancelled', 'the recorder closes');
  }

  async #rest(ms: number): Promise<void> {
    await delay(this.#options.clock, ms, this.#ended.signal).catch(() => undefined);
  }
}
