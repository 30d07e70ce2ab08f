// Deletes what is over its time or its space, chunk by chunk, oldest first; a hold beats everything.

import { isErrorCode, toNightjarError, type Clock, type Log, type Timer } from '#base';
import type { TrackName } from '#media';
import { DATA_SHARDS, sealOf, type ChunkStore, type StoreDirectory } from '#store';
import type { CameraUsage, ChunkRow, NewDeletion, Timeline } from '#timeline';
import type { CameraSettings } from './camera-settings.js';
import { InflowBook } from './camera-inflow.js';
import { cameraShares, excessOf, type AskElsewhere, type CameraShare } from './camera-share.js';
import { nextDeletions, type NextDeletion, type NextQuery } from './next-deletions.js';
import { givingCameras, oldestFirst, type Policies } from './oldest-first.js';
import {
  chunksByAge,
  DAY_US,
  daysOf,
  expiryOf,
  hasMotion,
  longestDaysOf,
  motionDaysOf,
  shortestDaysOf,
  type RetentionPolicy,
  type RetentionRule,
} from './retention-policy.js';

const INTERVAL_MS = 120_000;
/** A small disk fills between two passes, and one that goes is to show within 10 s. */
const SPACE_MS = 3_000;
/** After so many deletions for space the disk is looked at again. */
const LOOK_AGAIN = 4;
/** So much younger may what goes be than the oldest of another recorder on the disk. */
const TURN_US = 600_000_000;
const UNFINISHED_KEY = 'retention/unfinished';
/** So often chunks that were kept for their movement are looked at anew. */
const LOOK_BACK_MS = 3_600_000;
const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];

interface Unfinished {
  readonly chunk: ChunkRow;
  readonly rule: RetentionRule;
}

/** Up to here the chunks of a track between the two ages were looked at: they have movement. */
interface Examined {
  readonly policy: string;
  readonly atMs: number;
  untilUs: number;
}

export interface Watermarks {
  /** Below `lowBytes` of free space the oldest footage goes, until that much is free. */
  readonly lowBytes: number;
  readonly criticalBytes: number;
  /** Here the store stops writing: the rest is the reserve of the index. */
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
  /** After its files are gone. */
  onDeleted?(chunk: ChunkRow): void;
  /** Absent: no other recorder has footage of these cameras. */
  readonly elsewhere?: AskElsewhere | undefined;
  /** By the size of a disk. */
  readonly watermarks?: ((sizeBytes: number) => Watermarks) | undefined;
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

export class Retention {
  readonly #options: RetentionOptions;
  readonly #watermarks: (sizeBytes: number) => Watermarks;
  readonly #timers: Timer[] = [];
  readonly #inHand: Set<number>;
  /** Out of the index already, their files not known to be gone: kept over restarts. */
  #unfinished: Unfinished[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  readonly #examined = new Map<string, Examined>();
  /** Disks that are low and on which nothing may be deleted, with what is missing. */
  readonly #stuck = new Map<string, number>();
  readonly inflows: InflowBook;
  deletedChunks = 0;
  deletedBytes = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#inHand = options.inHand ?? new Set();
    this.inflows = new InflowBook(options.timeline, options.clock);
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

  /** What cannot be mended without people, as sentences: recording is about to stop, or has. */
  get alarms(): string[] {
    const { directories, warm } = this.#options.store;
    const missingWarm = this.#stuck.get(warm?.id ?? '');
    const warmAlarm =
      missingWarm === undefined
        ? []
        : [
            `the warm tier: ${megabytes(missingWarm)} too few free, and nothing more may be deleted`,
          ];
    return directories
      .flatMap(({ id, path, sizeBytes, freeBytes }) => {
        const missing = this.#stuck.get(id ?? '');
        if (missing === undefined) return [];
        const { stopBytes } = this.#watermarks(sizeBytes);
        const stops = freeBytes < stopBytes ? 'has stopped' : `stops below ${megabytes(stopBytes)}`;
        return [
          `${path}: ${megabytes(freeBytes)} free, ${megabytes(missing)} too few, and nothing more may ` +
            `be deleted (minimum days, holds, cameras that would rather stop): recording ${stops}`,
        ];
      })
      .concat(warmAlarm);
  }

  /** Of these cameras what this recorder holds, for the others that hold some. */
  shares(cameras: readonly string[]): Promise<CameraShare[]> {
    const { timeline, clock, isWriting } = this.#options;
    const [policies, nowUnixUs] = [this.policies, clock.nowUnixUs()];
    return cameraShares({ timeline, policies, cameras, nowUnixUs, isWriting });
  }

  get policies(): Policies {
    return this.#options.cameras();
  }

  /** What goes next by any rule, given what comes and where it lies. */
  async nextDeletions(
    forecast: Pick<NextQuery, 'usage' | 'lowAtUnixUs' | 'limit'>,
  ): Promise<NextDeletion[]> {
    const { timeline, clock, isWriting } = this.#options;
    return nextDeletions({
      ...forecast,
      ...{ timeline, isWriting, policies: this.policies, nowUnixUs: clock.nowUnixUs() },
      elsewhere: await this.#askElsewhere([...forecast.usage.keys()]),
    });
  }

  async #pass(): Promise<void> {
    const { timeline, store } = this.#options;
    await this.#finish();
    const usage = new Map((await timeline.usage()).map((row) => [row.camera, row]));
    const elsewhere = await this.#askElsewhere([...usage.keys()]);
    for (const [camera, { retention }] of this.policies) {
      const used = usage.get(camera);
      const freed = used === undefined ? 0 : await this.#expire(camera, retention, used);
      if (used !== undefined && retention.maxBytes !== undefined) {
        const others = elsewhere.get(camera) ?? [];
        await this.#shrink(camera, excessOf(used.bytes - freed, retention.maxBytes, others));
      }
      // Movement is known for as long as it can keep a chunk that began long before its end.
      const days = longestDaysOf(retention) + (retention.motionDays === undefined ? 0 : 1);
      const beforeUs = this.#options.clock.nowUnixUs() - days * DAY_US;
      // And what is known of held footage stays with it.
      const [oldest] = await timeline.chunksOf(camera, { limit: 1 });
      const keptUs = oldest?.firstUnixUs ?? Infinity;
      await timeline.forget(camera, Math.round(Math.min(beforeUs, keptUs)));
    }
    await store.refresh();
    const low = this.#lowDisks();
    for (const id of this.#stuck.keys()) {
      if (!low.some((disk) => disk.id === id)) this.#stuck.delete(id);
    }
    for (const { id, missingBytes } of low) await this.#makeRoom(id, missingBytes);
  }

  async #askElsewhere(cameras: readonly string[]): ReturnType<AskElsewhere> {
    const policies = this.policies;
    const limited = cameras.filter(
      (camera) => policies.get(camera)?.retention.maxBytes !== undefined,
    );
    if (limited.length === 0) return new Map();
    return (await this.#options.elsewhere?.(limited)) ?? new Map();
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

  /** Chunks all of whose footage is over its time; the bytes freed. */
  async #expire(camera: string, policy: RetentionPolicy, used: CameraUsage): Promise<number> {
    const nowUs = this.#options.clock.nowUnixUs();
    if (used.oldestUnixUs >= nowUs - shortestDaysOf(policy) * DAY_US) return 0;
    let freed = 0;
    for (const track of TRACKS) {
      const plainUs = nowUs - daysOf(policy, track) * DAY_US;
      const movedUs = nowUs - motionDaysOf(policy, track) * DAY_US;
      // Beyond both ages nobody asks for movement.
      for await (const chunk of chunksByAge(this.#options.timeline, camera, { track })) {
        if (this.#closed || chunk.firstUnixUs >= movedUs) break;
        if (chunk.lastUnixUs >= movedUs) continue;
        freed += await this.#delete(chunk, expiryOf(policy, chunk, movedUs < plainUs).rule);
      }
      if (movedUs < plainUs) freed += await this.#expireStill(camera, track, policy);
    }
    return freed;
  }

  /** Between the two ages: what nothing moved in. */
  async #expireStill(camera: string, track: TrackName, policy: RetentionPolicy): Promise<number> {
    const { timeline, clock } = this.#options;
    const plainUs = clock.nowUnixUs() - daysOf(policy, track) * DAY_US;
    const examined = this.#examinedOf(`${camera}/${track}`, policy);
    let freed = 0;
    let isUnbroken = true;
    const from = { track, fromUnixUs: examined.untilUs };
    for await (const chunk of chunksByAge(timeline, camera, from)) {
      if (this.#closed || chunk.firstUnixUs >= plainUs) break;
      const isDue = chunk.lastUnixUs < plainUs;
      if (isDue && (await hasMotion(timeline, policy, chunk))) {
        if (isUnbroken) examined.untilUs = chunk.firstUnixUs;
        continue;
      }
      const bytes = isDue ? await this.#delete(chunk, expiryOf(policy, chunk, false).rule) : 0;
      freed += bytes;
      if (bytes === 0) isUnbroken = false;
    }
    return freed;
  }

  #examinedOf(key: string, policy: RetentionPolicy): Examined {
    const text = JSON.stringify(policy);
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#examined.get(key);
    if (known?.policy === text && nowMs - known.atMs < LOOK_BACK_MS) return known;
    const fresh = { policy: text, atMs: nowMs, untilUs: 0 };
    this.#examined.set(key, fresh);
    return fresh;
  }

  async #shrink(
    camera: string,
    { alone, together, beforeUnixUs }: ReturnType<typeof excessOf>,
  ): Promise<void> {
    let freed = 0;
    if (together <= 0) return;
    for await (const chunk of this.#oldest([camera])) {
      if (freed >= (chunk.firstUnixUs < beforeUnixUs ? together : alone) || this.#closed) return;
      freed += await this.#delete(chunk, 'camera-bytes');
    }
  }

  async #makeRoom(store: string, neededBytes: number): Promise<void> {
    let needed = neededBytes;
    let looked = 0;
    const untilUs = await this.#turnEnds(store);
    for await (const chunk of this.#oldest(givingCameras(this.policies))) {
      if (chunk.store !== store) continue;
      if (chunk.firstUnixUs > untilUs && !this.#isCritical(store)) return;
      needed -= await this.#delete(chunk, 'disk-space');
      looked += 1;
      if (looked % LOOK_AGAIN === 0) {
        // Other recorders on this disk make room, too: what all of them miss is missed once.
        await this.#options.store.refresh();
        needed = this.#lowDisks().find(({ id }) => id === store)?.missingBytes ?? 0;
      }
      if (needed <= 0 || this.#closed) {
        this.#stuck.delete(store);
        return;
      }
    }
    const wasStuck = this.#stuck.has(store);
    this.#stuck.set(store, needed);
    if (wasStuck) return;
    const missingMegabytes = Math.round(needed / 1e6);
    this.#options.log.error({ store, missingMegabytes }, 'nothing more may be deleted here');
  }

  /**
   * Of recorders that share a disk the one with the oldest footage goes first: what is younger than
   * this is left to the others as long as that is not critical.
   */
  async #turnEnds(store: string): Promise<number> {
    for await (const chunk of this.#oldest(givingCameras(this.policies))) {
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

  #oldest(cameras: readonly string[]): AsyncGenerator<ChunkRow> {
    const { timeline, clock } = this.#options;
    const nowUnixUs = clock.nowUnixUs();
    return oldestFirst({ timeline, policies: this.policies, cameras, nowUnixUs });
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
      this.#options.onDeleted?.(chunk);
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
        this.#options.onDeleted?.(chunk);
      } catch (error) {
        log.error({ err: error, chunk: chunk.id }, 'a deletion could not be finished');
        // A hold came in between: it stays.
        if (toNightjarError(error).code !== 'failed-precondition') continue;
      }
      await this.#note(this.#unfinished.filter((other) => other !== note));
    }
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
