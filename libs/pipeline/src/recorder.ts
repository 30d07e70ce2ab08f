// One recorder: opens its disks and its index, recovers, and runs the cameras it is told to.

import type { Clock, Log, Timer } from '#base';
import { MotionService } from '#motion';
import { PushDoor } from '#rtmp';
import { ChunkStore, type ChunkStoreOptions } from '#store';
import { knownDirectories, rememberDirectories, Timeline, type HoldRow } from '#timeline';
import type { OpenAlarms } from './camera-alarms.js';
import type { CameraSettings } from './camera-settings.js';
import { DamageLedger } from './damage-ledger.js';
import { Scrub, type ScrubOptions } from './scrub.js';
import { RecordedCamera, type CameraEvent, type CameraReport, type VideoTrack } from './camera.js';
import { FlushScheduler } from './flush-scheduler.js';
import type { TrackHub } from './hub.js';
import { IngestTurns } from './ingest-turns.js';
import { recorderFaults, type RecorderFault } from './recorder-faults.js';
import { recoverFootage } from './recovery.js';
import type { RetentionPolicy } from './retention-policy.js';
import { Retention, watermarksOf, type RetentionOptions } from './retention.js';
import { SlabPool } from './slab-pool.js';
import { WaitingBytes, waitingBound } from './track-flush.js';
import { storageWarnings } from './storage-warnings.js';
import { WarmMover, type WarmMoverOptions } from './warm-mover.js';

const ALIVE_MS = 1000;
/** What of the index is not footage, a power cut costs for so long at most. */
const SAFE_POINT_MS = 10_000;
/** With more footage than this waiting for a disk, what has time waits. */
const BUSY_BYTES = 8_000_000;
const PUSH_ADDRESS = { host: '0.0.0.0', port: 1935 };
const PACK_MOTION_MS = 300_000;
const FORMER_KEY = 'retention/former-cameras';

export interface RecorderOptions {
  /** Of the index. */
  readonly directory: string;
  readonly storeDirectories: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly store?: Pick<ChunkStoreOptions, 'files' | 'chunkBytes' | 'chunkSeconds' | 'threads'>;
  readonly retention?: Pick<RetentionOptions, 'intervalMs' | 'watermarks' | 'elsewhere'>;
  /** 14 directories for what is old enough; absent: there is no warm tier. */
  readonly warm?:
    | ({ readonly directories: readonly string[] } & Pick<
        WarmMoverOptions,
        'afterDays' | 'maxBytesPerSecond'
      >)
    | undefined;
  readonly scrub?: Pick<ScrubOptions, 'periodDays' | 'maxBytesPerSecond'>;
  readonly motionProcesses?: number | undefined;
  /** How many recorders share the machine's memory; by default one for each processor. */
  readonly recorders?: number | undefined;
  /** Where cameras push to; open only while there is one. Default: RTMP's port on every address. */
  readonly push?: { readonly host: string; readonly port: number };
  /** Asks cameras for their own events; without it such a camera records continuously. */
  readonly openAlarms?: OpenAlarms;
  /** Cameras are read so often while nobody watches; default 0: whenever something comes. */
  readonly ingestTurnMs?: number;
  onEvent?(event: CameraEvent): void;
}

export interface RecorderSettings {
  readonly cameras: readonly CameraSettings[];
  readonly holds: readonly HoldRow[];
}

export class Recorder {
  readonly timeline: Timeline;
  readonly store: ChunkStore;
  readonly retention: Retention;
  readonly damage: DamageLedger;
  readonly scrub: Scrub;
  readonly warm: WarmMover;
  readonly pool = new SlabPool();
  readonly waiting: WaitingBytes;
  readonly turns: IngestTurns;
  readonly startedAtUnixUs: number;
  readonly #options: RecorderOptions;
  readonly #motion: MotionService;
  readonly #door: PushDoor;
  readonly #scheduler: FlushScheduler;
  readonly #cameras = new Map<string, RecordedCamera>();
  /** No longer recorded; their footage expires by the retention they had. */
  readonly #former = new Map<string, Pick<CameraSettings, 'retention'>>();
  readonly #timers: Timer[] = [];
  #applying: Promise<void> = Promise.resolve();
  #indexFailure: string | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    options: RecorderOptions,
    parts: { timeline: Timeline; store: ChunkStore; motion: MotionService },
  ) {
    const { clock, log, retention } = options;
    this.#options = options;
    this.timeline = parts.timeline;
    this.store = parts.store;
    this.waiting = new WaitingBytes(waitingBound(options.recorders));
    this.#motion = parts.motion;
    this.startedAtUnixUs = clock.nowUnixUs();
    this.#door = new PushDoor({ ...(options.push ?? PUSH_ADDRESS), clock, log });
    const isBehind = () => this.waiting.records > this.store.writesAtOnce;
    this.turns = new IngestTurns(clock, options.ingestTurnMs ?? 0, isBehind);
    this.#scheduler = new FlushScheduler({
      timeline: this.timeline,
      clock,
      log,
      onIndexFailure: (message) => (this.#indexFailure = message),
    });
    const inHand = new Set<number>();
    const isBusy = () => this.store.readsUnderWay > 0 || this.waiting.total > BUSY_BYTES;
    this.retention = new Retention({
      store: this.store,
      timeline: this.timeline,
      clock,
      log,
      cameras: () => new Map([...this.#former, ...this.#declared()]),
      isWriting: (chunkId) => this.isWriting(chunkId),
      inHand,
      onDeleted: (chunk) => this.warm.noteDeleted(chunk),
      ...retention,
    });
    this.damage = new DamageLedger(this.timeline, log);
    this.scrub = new Scrub({
      store: this.store,
      timeline: this.timeline,
      damage: this.damage,
      clock,
      log,
      isBusy,
      onDamage: ({ camera }, message) =>
        options.onEvent?.({ kind: 'storage', camera, atUnixUs: clock.nowUnixUs(), message }),
      ...options.scrub,
    });
    const { store, timeline } = this;
    this.warm = new WarmMover({ ...options.warm, store, timeline, clock, log, inHand, isBusy });
  }

  /**
   * Opens index and disks, repairs what a crash left. No camera runs before
   * `apply`. Throws failed-precondition when no store directory can be used or another process has
   * the index.
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const { directory, clock, log, storeDirectories } = options;
    const timeline = await Timeline.open({ directory, clock, log });
    let store: ChunkStore | undefined;
    try {
      store = await ChunkStore.open({
        ...options.store,
        directories: storeDirectories,
        reserveBytes: (sizeBytes) =>
          (options.retention?.watermarks ?? watermarksOf)(sizeBytes).stopBytes,
        exclusive: true,
        clock,
        log,
        expected: await knownDirectories(timeline, 'store'),
        ...(options.warm === undefined
          ? {}
          : {
              warm: {
                directories: options.warm.directories,
                expected: await knownDirectories(timeline, 'warm'),
              },
            }),
      });
      await rememberDirectories(timeline, 'store', store.directories);
      await rememberDirectories(timeline, 'warm', store.warm?.directories ?? []);
      const { isClean } = await recoverFootage({ store, timeline, clock, log });
      const processes = options.motionProcesses;
      const motion = await MotionService.start({
        clock,
        log,
        ...(processes === undefined ? {} : { processes }),
      });
      const recorder = new Recorder(options, { timeline, store, motion });
      await recorder.#start(isClean);
      return recorder;
    } catch (error) {
      await store?.close();
      await timeline.close();
      throw error;
    }
  }

  /** Empty when all is well. */
  get faults(): RecorderFault[] {
    return recorderFaults({
      ...{ store: this.store, retention: this.retention },
      indexFailure: this.#indexFailure,
    });
  }

  /** What needs care and costs no recording, as sentences. */
  get warnings(): string[] {
    return storageWarnings(this.scrub.report(), this.warm.report());
  }

  /** The port that cameras push to, while it is open. */
  get pushPort(): number | undefined {
    return this.#door.port;
  }

  get ringBytes(): number {
    return [...this.#cameras.values()].reduce((sum, camera) => sum + camera.ringBytes, 0);
  }

  reports(): CameraReport[] {
    return [...this.#cameras.values()].map((camera) => camera.report());
  }

  report(camera: string): CameraReport | undefined {
    return this.#cameras.get(camera)?.report();
  }

  retentionOf(camera: string): RetentionPolicy | undefined {
    return (this.#cameras.get(camera)?.settings ?? this.#former.get(camera))?.retention;
  }

  /** Where live frames of a camera come from; undefined when it has no such track. */
  hub(camera: string, track: VideoTrack): TrackHub | undefined {
    return this.#cameras.get(camera)?.hub(track);
  }

  /**
   * Bytes a second that each camera here brings now; undefined for those that keep what moves, of
   * which a moment says nothing.
   */
  writeRates(): Map<string, number | undefined> {
    return new Map(
      [...this.#cameras].map(([id, { settings, writeRate }]) => {
        const { mode, schedule = [] } = settings.recording;
        return [id, mode === 'continuous' && schedule.length === 0 ? writeRate : undefined];
      }),
    );
  }

  /** What of each track was written, for the metrics. */
  flushCounters() {
    return [...this.#cameras].flatMap(([camera, { tracks }]) =>
      tracks.map((flush) => ({ camera, track: flush.track, ...flush.counters })),
    );
  }

  /**
   * Makes `settings` what is recorded: cameras whose streams did not change are not disturbed.
   * Calls are queued. Holds are safe before it resolves.
   */
  apply(settings: RecorderSettings): Promise<void> {
    this.#applying = this.#applying.catch(() => undefined).then(() => this.#apply(settings));
    return this.#applying;
  }

  /** Everything received is safe when it resolves; the time from now on is a gap `restart`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#applying.catch(() => undefined);
    for (const timer of this.#timers) timer.cancel();
    await this.scrub.close();
    await this.warm.close();
    await this.retention.close();
    await Promise.all([...this.#cameras.values()].map((camera) => camera.close('restart')));
    this.#cameras.clear();
    this.#door.close();
    await this.#motion.close();
    await this.#scheduler.close();
    await this.timeline.markAlive(this.#options.clock.nowUnixUs());
    await this.#sealing;
    await this.store.close();
    await this.timeline.close();
  }

  async #start(isClean: boolean): Promise<void> {
    const { clock, log } = this.#options;
    const former = await this.timeline.getSetting(FORMER_KEY);
    if (former !== undefined) {
      const entries = JSON.parse(Buffer.from(former).toString()) as [
        string,
        { retention: never },
      ][];
      for (const [id, value] of entries) this.#former.set(id, value);
    }
    await this.damage.load();
    await this.retention.start();
    await this.warm.start();
    await this.scrub.start();
    const alive = () => {
      this.timeline.markAlive(clock.nowUnixUs()).catch((error: unknown) => {
        log.error({ err: error }, 'the sign of life could not be written');
      });
    };
    this.#timers.push(clock.every(ALIVE_MS, alive));
    this.#timers.push(
      clock.every(SAFE_POINT_MS, () => {
        this.timeline.commitSafePoint().catch((error: unknown) => {
          log.error({ err: error }, 'the index could not be synced');
        });
      }),
    );
    this.#timers.push(
      clock.every(PACK_MOTION_MS, () => {
        this.timeline.packMotion().catch((error: unknown) => {
          log.error({ err: error }, 'motion could not be packed');
        });
      }),
    );
    this.#sealing = this.#finishRecovery(isClean);
  }

  /** What needs not be done before the cameras run. */
  async #finishRecovery(isClean: boolean): Promise<void> {
    try {
      for await (const chunk of this.store.sealRecovered()) {
        if ((await this.timeline.chunk(chunk.id)) !== undefined) {
          await this.#scheduler.commit({ chunks: [chunk] });
        }
        if (this.#closed) return;
      }
      if (isClean) return;
      for (const { camera } of await this.timeline.usage()) {
        await this.timeline.recountUsage(camera);
        if (this.#closed) return;
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'the recovery could not be finished');
    }
  }

  async #apply(settings: RecorderSettings): Promise<void> {
    if (this.#closed) return;
    await this.timeline.putHolds(settings.holds);
    const wanted = new Map(settings.cameras.map((camera) => [camera.id, camera]));
    const work: Promise<void>[] = [];
    for (const [id, camera] of this.#cameras) {
      const next = wanted.get(id);
      if (next !== undefined && isRecorded(next)) continue;
      this.#cameras.delete(id);
      this.#former.set(id, { retention: (next ?? camera.settings).retention });
      work.push(camera.close(next?.moved === true ? 'moved' : 'off'));
    }
    await Promise.all(work.splice(0));
    for (const next of wanted.values()) {
      const camera = this.#cameras.get(next.id);
      if (!isRecorded(next)) this.#former.set(next.id, { retention: next.retention });
      else if (camera !== undefined) work.push(updated(camera, next));
      else work.push(this.#openCamera(next));
    }
    await Promise.all(work);
    const former = JSON.stringify([...this.#former]);
    await this.timeline.putSetting(FORMER_KEY, Buffer.from(former));
  }

  async #openCamera(settings: CameraSettings): Promise<void> {
    const { clock, log, onEvent, openAlarms } = this.#options;
    const camera = await RecordedCamera.open({
      settings,
      store: this.store,
      timeline: this.timeline,
      scheduler: this.#scheduler,
      motion: this.#motion,
      door: this.#door,
      openAlarms,
      pool: this.pool,
      turns: this.turns,
      waiting: this.waiting,
      clock,
      log,
      onEvent: (event) => onEvent?.(event),
    });
    this.#former.delete(settings.id);
    this.#cameras.set(settings.id, camera);
  }

  #declared(): [string, CameraSettings][] {
    return [...this.#cameras].map(([id, camera]) => [id, camera.settings]);
  }

  /** A chunk that is being written cannot go. */
  isWriting(chunkId: number): boolean {
    for (const camera of this.#cameras.values()) {
      if (camera.tracks.some((flush) => flush.chunkId === chunkId)) return true;
    }
    return false;
  }
}

function isRecorded({ removed, moved }: CameraSettings): boolean {
  return removed !== true && moved !== true;
}

/** What has not changed is not touched. */
async function updated(camera: RecordedCamera, next: CameraSettings): Promise<void> {
  if (JSON.stringify(camera.settings) !== JSON.stringify(next)) await camera.update(next);
}
