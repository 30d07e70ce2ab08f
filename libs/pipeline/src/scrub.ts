// Reads every sealed chunk once in a while, slowly, one at a time and behind everybody else, so that
// damage is found while it can still be mended, and not by whoever needs the footage.

import { delay, messageOf, toNightjarError, type Clock, type Log } from '#base';
import { sealOf, type ChunkStore, type ChunkVerification } from '#store';
import type { TrackName } from '#media';
import type { ChunkRow, Timeline } from '#timeline';
import type { DamagedSpan, DamageLedger } from './damage-ledger.js';

const KEY = 'scrub/progress';
const DAY_MS = 86_400_000;
const DEFAULT_PERIOD_DAYS = 30;
const DEFAULT_BYTES_PER_SECOND = 20_000_000;
const PAGE = 64;
const LISTED_DAMAGE = 50;
const PAGE_OF_DELETIONS = 1000;
/** Whoever is busy is asked again after this long, and not waited for longer than the other. */
const YIELD_MS = 100;
const LONGEST_YIELD_MS = 2000;
const SAVE_MS = 30_000;
/** Between two looks whether there is something to read. */
const IDLE_MS = 60_000;
/** Ahead of the average that the period needs, so that a round ends in time. */
const HEADROOM = 1.1;

export interface ScrubOptions {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly damage: DamageLedger;
  readonly clock: Clock;
  readonly log: Log;
  /** Within which every chunk is read once; 30. 0 switches it off. */
  readonly periodDays?: number | undefined;
  /** Never faster than this; 20 MB/s. */
  readonly maxBytesPerSecond?: number | undefined;
  /** Somebody else needs the disks now. */
  readonly isBusy: () => boolean;
  /** Damage that was not known before. */
  readonly onDamage: (chunk: ChunkRow, message: string) => void;
}

export interface ScrubReport {
  readonly state: 'off' | 'reading' | 'resting';
  readonly periodDays: number;
  /** Of the round under way, or the last one. */
  readonly startedAtUnixUs?: number;
  readonly bytes: number;
  readonly chunks: number;
  /** What a whole round reads. */
  readonly totalBytes: number;
  /** Chunks with damage that are still there. */
  readonly damagedChunks: number;
  /** Seals that do not fit the seal before: in this round, or in the last one if there are more. */
  readonly brokenSeals: number;
  readonly completedAtUnixUs?: number;
  /** The latest finds first; at most 50. */
  readonly damage: readonly (DamagedSpan & {
    readonly camera: string;
    readonly track: TrackName;
  })[];
}

/** What is kept over restarts. */
interface Progress {
  /** 0 before the first round. */
  startedAtUnixUs: number;
  /** The last chunk that was read; undefined between rounds. */
  afterId: number | undefined;
  bytes: number;
  chunks: number;
  brokenSeals: number;
  /** In the round before. */
  brokenBefore: number;
  completedAtUnixUs?: number;
}

export class Scrub {
  readonly #options: ScrubOptions;
  readonly #periodDays: number;
  readonly #maxBytesPerSecond: number;
  readonly #ended = new AbortController();
  /** By track, what this process read last of it. */
  readonly #before = new Map<string, ChunkRow>();
  #progress: Progress = fresh(0);
  #totalBytes = 0;
  #savedAtMs = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#periodDays = options.periodDays ?? DEFAULT_PERIOD_DAYS;
    this.#maxBytesPerSecond = options.maxBytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
  }

  /** Goes on where the process before stopped. */
  async start(): Promise<void> {
    const bytes = await this.#options.timeline.getSetting(KEY);
    if (bytes !== undefined) this.#progress = JSON.parse(Buffer.from(bytes).toString()) as Progress;
    if (this.#periodDays === 0) return;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
    await this.#save();
  }

  report(): ScrubReport {
    const { startedAtUnixUs, completedAtUnixUs, afterId, bytes, chunks } = this.#progress;
    const { brokenSeals, brokenBefore } = this.#progress;
    return {
      state: this.#periodDays === 0 ? 'off' : afterId === undefined ? 'resting' : 'reading',
      periodDays: this.#periodDays,
      ...(startedAtUnixUs === 0 ? {} : { startedAtUnixUs }),
      bytes,
      chunks,
      totalBytes: Math.max(this.#totalBytes, bytes),
      damagedChunks: this.#options.damage.size,
      brokenSeals: Math.max(brokenSeals, brokenBefore),
      damage: this.#options.damage
        .list()
        .slice(-LISTED_DAMAGE)
        .reverse()
        .flatMap(({ camera, track, spans }) => spans.map((span) => ({ camera, track, ...span })))
        .slice(0, LISTED_DAMAGE),
      ...(completedAtUnixUs === undefined ? {} : { completedAtUnixUs }),
    };
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        this.#options.log.error({ err: error }, 'the scrub could not go on');
        await this.#rest(IDLE_MS);
      }
    }
  }

  /** One page of chunks, or a rest. */
  async #step(): Promise<void> {
    const { timeline, clock, damage, log } = this.#options;
    const progress = this.#progress;
    if (progress.afterId === undefined) {
      const nextUs = progress.startedAtUnixUs + this.#periodDays * DAY_MS * 1000;
      const restMs = progress.startedAtUnixUs === 0 ? 0 : (nextUs - clock.nowUnixUs()) / 1000;
      if (restMs > 0) return this.#rest(Math.min(restMs, IDLE_MS));
      await damage.prune();
      this.#before.clear();
      const { completedAtUnixUs, brokenSeals: brokenBefore } = progress;
      this.#progress = {
        ...fresh(clock.nowUnixUs()),
        afterId: 0,
        brokenBefore,
        ...(completedAtUnixUs === undefined ? {} : { completedAtUnixUs }),
      };
      await this.#save();
    }
    const usage = await timeline.usage();
    this.#totalBytes = usage.reduce((sum, { bytes }) => sum + bytes, 0);
    const page = await timeline.chunksAfter(this.#progress.afterId ?? 0, PAGE);
    for (const chunk of page) {
      if (chunk.sealed) await this.#read(chunk);
      else this.#progress.afterId = chunk.id;
      if (this.#ended.signal.aborted) return;
      if (clock.monotonicMs() - this.#savedAtMs >= SAVE_MS) await this.#save();
    }
    if (page.length > 0) return;
    const { chunks, bytes } = this.#progress;
    // Nothing was there to read: not a round.
    if (chunks === 0) return this.#rest(IDLE_MS);
    this.#progress.afterId = undefined;
    this.#progress.completedAtUnixUs = clock.nowUnixUs();
    log.info({ chunks, bytes, damagedChunks: damage.size }, 'every sealed chunk was read');
    await this.#save();
  }

  async #read(chunk: ChunkRow): Promise<void> {
    const { clock, store } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      await this.#mend(chunk);
      const found = await store.verify(chunk, (bytes) => this.#turn(bytes));
      await this.#judge(chunk, found);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      await this.#missing(chunk, error);
    }
    if (this.#ended.signal.aborted) return;
    if (!(await this.#followsChain(chunk))) {
      this.#progress.brokenSeals += 1;
      this.#tell(chunk, 'the chunk that was sealed before it is gone, and no deletion says why');
    }
    this.#progress.afterId = chunk.id;
    this.#progress.chunks += 1;
    this.#progress.bytes += chunk.sizeBytes;
    const average = (this.#totalBytes / (this.#periodDays * 86_400)) * HEADROOM;
    const dueMs = (chunk.sizeBytes / Math.min(average, this.#maxBytesPerSecond)) * 1000;
    // The saving keeps pace with rests, too.
    let restMs = dueMs - (clock.monotonicMs() - startedMs);
    while (restMs > 0 && !this.#ended.signal.aborted) {
      await this.#rest(Math.min(restMs, IDLE_MS));
      restMs -= IDLE_MS;
    }
  }

  /** In the warm tier parity is read, too, and what is damaged is written anew. */
  async #mend({ store: tier, path }: ChunkRow): Promise<void> {
    const { store, log } = this.#options;
    if (store.warm === undefined || tier !== store.warm.id) return;
    const { mended } = await store.warm.mend(path, { beforeRead: (bytes) => this.#turn(bytes) });
    if (mended.length > 0) log.warn({ path, shards: mended }, 'damaged shards were written anew');
  }

  /** Waits for whoever is busy, and for the pace. */
  async #turn(bytes: number): Promise<void> {
    for (let waited = 0; waited < LONGEST_YIELD_MS; waited += YIELD_MS) {
      if (this.#ended.signal.aborted) throw new Error('closed');
      if (!this.#options.isBusy()) break;
      await this.#rest(YIELD_MS);
    }
    await this.#rest((bytes / this.#maxBytesPerSecond) * 1000);
    if (this.#ended.signal.aborted) throw new Error('closed');
  }

  async #judge(chunk: ChunkRow, found: ChunkVerification): Promise<void> {
    const { damage } = this.#options;
    const spans = damageOf(chunk, found);
    const isAsSealed = found.seal === 'valid' && found.sha256 === chunk.sha256;
    if (spans.length === 0 && isAsSealed) {
      await damage.clear(chunk.id);
      return;
    }
    const isNew = await damage.note(chunk, spans);
    if (spans.length === 0) {
      this.#progress.brokenSeals += 1;
      this.#tell(chunk, 'it is not what was sealed, though every record has its checksum');
    } else if (isNew) {
      const seconds = spans.reduce((sum, span) => sum + span.toUnixUs - span.fromUnixUs, 0) / 1e6;
      this.#tell(chunk, `${seconds.toFixed(1)} s are damaged from ${instantOf(spans[0])} on`);
    }
  }

  /** Not there, or not to be read: damage, unless its disk is away altogether. */
  async #missing(chunk: ChunkRow, error: unknown): Promise<void> {
    const { damage, timeline, log } = this.#options;
    const { code } = toNightjarError(error);
    if (code !== 'data-loss' && code !== 'unavailable') {
      log.warn({ path: chunk.path, why: messageOf(error) }, 'the scrub could not read a chunk');
      return;
    }
    // Retention may have deleted it, or a warmer tier taken it, meanwhile.
    const now = await timeline.chunk(chunk.id);
    if (now?.store !== chunk.store || now.path !== chunk.path) return;
    const { firstUnixUs, lastUnixUs } = chunk;
    if (await damage.note(chunk, [{ fromUnixUs: firstUnixUs, toUnixUs: lastUnixUs }])) {
      this.#tell(chunk, `it cannot be read: ${messageOf(error)}`);
    }
  }

  /** Whether the chunk read before it, or the record of a deletion, has the seal that it repeats. */
  async #followsChain(chunk: ChunkRow): Promise<boolean> {
    const track = `${chunk.camera}/${chunk.track}`;
    const before = this.#before.get(track);
    this.#before.set(track, chunk);
    const { previousSeal } = chunk;
    // What comes in front of the first chunk that was read is not known.
    if (before === undefined || previousSeal === undefined) return true;
    if (sealOf(before) === previousSeal) return true;
    let after: string | undefined;
    for (;;) {
      const page = await this.#options.timeline.deletions({
        limit: PAGE_OF_DELETIONS,
        ...(after === undefined ? {} : { after }),
      });
      if (page.some((row) => row.seal === previousSeal)) return true;
      after = page.at(-1)?.id;
      if (page.length < PAGE_OF_DELETIONS || after === undefined) return false;
    }
  }

  #tell(chunk: ChunkRow, what: string): void {
    const { log, onDamage } = this.#options;
    const message = `damaged footage in ${chunk.path}: ${what}`;
    log.error({ chunk: chunk.id, path: chunk.path }, message);
    onDamage(chunk, message);
  }

  async #save(): Promise<void> {
    const { timeline, clock, log } = this.#options;
    this.#savedAtMs = clock.monotonicMs();
    try {
      await timeline.putSetting(KEY, Buffer.from(JSON.stringify(this.#progress)));
    } catch (error) {
      log.error({ why: messageOf(error) }, 'the progress of the scrub could not be kept');
    }
  }

  async #rest(ms: number): Promise<void> {
    await delay(this.#options.clock, ms, this.#ended.signal).catch(() => undefined);
  }
}

function fresh(startedAtUnixUs: number): Progress {
  return {
    startedAtUnixUs,
    afterId: undefined,
    bytes: 0,
    chunks: 0,
    brokenSeals: 0,
    brokenBefore: 0,
  };
}

/** Footage that cannot be played: damage behind the last record costs none. */
function damageOf(chunk: ChunkRow, { damaged }: ChunkVerification): DamagedSpan[] {
  return damaged
    .map(({ fromUnixUs = chunk.firstUnixUs, toUnixUs = chunk.lastUnixUs }) => ({
      fromUnixUs,
      toUnixUs,
    }))
    .filter((span) => span.toUnixUs > span.fromUnixUs);
}

function instantOf(span: DamagedSpan | undefined): string {
  return new Date((span?.fromUnixUs ?? 0) / 1000).toISOString();
}
