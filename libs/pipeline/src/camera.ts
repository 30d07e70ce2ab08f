// One camera as it is recorded: its streams, what of them is kept, what is missing and why.

import type { Clock, Log, Timer } from '#base';
import type { TrackName } from '#media';
import type { MotionSample, MotionService } from '#motion';
import type { PushDoor } from '#rtmp';
import type { StreamEndReason } from '#rtsp';
import type { ChunkStore } from '#store';
import type { Timeline, TimelineBatch } from '#timeline';
import { cameraSentence } from './camera-sentence.js';
import { diskSentence, gapReasonOf, isOutage } from './gap-reasons.js';
import { CLOCK_TOLERANCE_US, openLedger } from './open-ledger.js';
import { AudioLane } from './audio-lane.js';
import type { OpenAlarms } from './camera-alarms.js';
import {
  modeAt,
  type CameraSettings,
  type MotionSource,
  type RecordingMode,
} from './camera-settings.js';
import type { FlushedCamera, FlushScheduler } from './flush-scheduler.js';
import type { GapLedger, GapReason, LedgerState } from './gap-ledger.js';
import { TrackGate, type DetectorState, type GatePolicy } from './gate.js';
import type { TrackHub } from './hub.js';
import type { IngestTurns } from './ingest-turns.js';
import { MotionEvents } from './motion-events.js';
import { MotionWatch, moreTrusted, sourceOf, type AlarmReport } from './motion-watch.js';
import type { SlabPool } from './slab-pool.js';
import { TrackFeed } from './track-feed.js';
import type { AudioReport, TrackReport } from './track-report.js';
import { TrackFlush, type DiskFailure, type WaitingBytes } from './track-flush.js';

/** A sub stream that is away for so long is not waited for: movement is looked for in the main one. */
const SUB_PATIENCE_MS = 20_000;

export type VideoTrack = Exclude<TrackName, 'audio'>;

export interface RecordedCameraOptions {
  readonly settings: CameraSettings;
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly scheduler: FlushScheduler;
  readonly motion: MotionService;
  readonly door: PushDoor;
  readonly openAlarms?: OpenAlarms | undefined;
  readonly pool: SlabPool;
  readonly turns: IngestTurns;
  readonly waiting: WaitingBytes;
  readonly clock: Clock;
  readonly log: Log;
  onEvent(event: CameraEvent): void;
}

export interface CameraEvent {
  readonly kind: 'camera-online' | 'camera-offline' | 'motion' | 'storage';
  readonly camera: string;
  readonly atUnixUs: number;
  readonly message: string;
}

export interface CameraReport {
  readonly id: string;
  readonly state: 'online' | 'connecting' | 'offline' | 'disabled';
  readonly reason?: string;
  readonly recording: {
    readonly active: boolean;
    readonly mode: RecordingMode;
    readonly sinceUnixUs?: number;
    readonly reason?: GapReason;
  };
  readonly motion: {
    readonly active: boolean;
    readonly level: number;
    readonly detector: DetectorState | 'off';
    readonly source: MotionSource;
    /** The camera's own events, where they are asked for. */
    readonly events?: AlarmReport;
  };
  readonly tracks: readonly TrackReport[];
  /** Absent when the camera has none. */
  readonly audio?: AudioReport;
}

interface Lane {
  readonly feed: TrackFeed;
  readonly gate: TrackGate;
  readonly flush: TrackFlush;
  /** The sound that comes with the main stream. */
  readonly audio?: AudioLane;
}

export class RecordedCamera implements FlushedCamera {
  readonly #options: RecordedCameraOptions;
  readonly #ledger: GapLedger;
  readonly #events: MotionEvents;
  readonly #motion: MotionWatch;
  /** UTC where each track's footage ends, over its runs. */
  readonly #ends: Map<TrackName, number>;
  readonly #lanes = new Map<VideoTrack, Lane>();
  readonly #log: Log;
  #settings: CameraSettings;
  #mode: RecordingMode;
  #timer: Timer | undefined;
  /** Why the main stream is away; undefined while its records come. */
  #away: GapReason | undefined = 'restart';
  #everTried = false;
  #disk: { failure: DiskFailure; message: string } | undefined;
  #keepingSinceUs: number | undefined;
  /** Since when the sub stream is waited for; undefined while it comes. */
  #subAwaySinceMs: number | undefined;
  /** Where movement is looked for. */
  #watchedTrack: VideoTrack = 'main';
  #announced: 'camera-online' | 'camera-offline' | undefined;

  private constructor(
    options: RecordedCameraOptions,
    ledger: GapLedger,
    ends: Map<TrackName, number>,
  ) {
    const { settings, clock } = options;
    this.#options = options;
    this.#settings = settings;
    this.#ledger = ledger;
    this.#ends = ends;
    this.#log = options.log.child({ camera: settings.id });
    this.#events = new MotionEvents(settings.id);
    this.#motion = new MotionWatch({
      motion: options.motion,
      openAlarms: options.openAlarms,
      clock,
      onSample: (sample) => this.#onSample(sample),
      onMoving: (moving, atUnixUs) => this.#lanes.get('main')?.gate.motion(moving, atUnixUs),
      onState: () => this.#feedDetector(),
    });
    this.#mode = modeAt(settings.recording, clock.nowUnixMs());
    this.#subAwaySinceMs = clock.monotonicMs();
  }

  /** Reads where its footage and gaps end, then connects. */
  static async open(options: RecordedCameraOptions): Promise<RecordedCamera> {
    const { timeline, settings, clock } = options;
    // Footage of the future was made under a wrong clock: nothing is to continue there.
    const toUnixUs = clock.nowUnixUs() + CLOCK_TOLERANCE_US;
    const query = { fromUnixUs: 0, toUnixUs, limit: 1, reverse: true };
    const ends = new Map<TrackName, number>();
    for (const track of ['sub', 'main', 'audio'] as const) {
      const last = (await timeline.groups(settings.id, track, query))[0];
      if (last !== undefined) ends.set(track, last.startUnixUs + last.durationUs);
    }
    const endUnixUs = ends.get('main') ?? 0;
    const ledger = await openLedger(timeline, settings.id, endUnixUs, clock.nowUnixUs());
    const camera = new RecordedCamera(options, ledger, ends);
    camera.#start();
    return camera;
  }

  get settings(): CameraSettings {
    return this.#settings;
  }

  get tracks(): readonly TrackFlush[] {
    return [...this.#lanes.values()].flatMap(({ flush, audio }) =>
      audio === undefined ? [flush] : [flush, audio.flush],
    );
  }

  /** Bytes of the pre-roll. */
  get ringBytes(): number {
    return [...this.#lanes.values()].reduce(
      (sum, { gate, audio }) => sum + gate.ringBytes + (audio?.ringBytes ?? 0),
      0,
    );
  }

  /** Bytes a second that are kept now. */
  get writeRate(): number {
    const kept = [...this.#lanes.values()].filter((lane) => lane.gate.keeping);
    return kept.reduce((sum, lane) => sum + (lane.feed.report().bitrate ?? 0) / 8, 0);
  }

  hub(track: VideoTrack): TrackHub | undefined {
    return this.#lanes.get(track)?.feed.hub;
  }

  drainRows(): TimelineBatch | undefined {
    const main = this.#lanes.get('main');
    if (main !== undefined && !main.flush.hasWork) {
      const live = main.gate.keeping && main.feed.online;
      this.#ledger.settle(live ? main.gate.keptUntilUs : this.#options.clock.nowUnixUs());
    }
    const gaps = this.#ledger.drain();
    const motion = this.#events.drain();
    if (gaps === undefined && motion.length === 0) return undefined;
    return { ...gaps, motion };
  }

  /** Applies new settings; a stream is disturbed only where its own address changed. */
  async update(settings: CameraSettings): Promise<void> {
    const before = this.#settings;
    this.#settings = settings;
    const { recording } = settings;
    for (const lane of this.#lanes.values()) {
      lane.gate.setRolls(recording.preRollSeconds * 1000, recording.postRollSeconds * 1000);
    }
    const transportChanged = before.transport !== settings.transport;
    if (transportChanged || before.streams.main !== settings.streams.main) {
      await this.#closeLane('main');
      this.#away = 'restart';
      this.#mark(this.#options.clock.nowUnixUs());
      this.#openLane('main', settings.streams.main);
    }
    if (transportChanged || before.streams.sub !== settings.streams.sub) {
      // Movement may be looked for on the other stream from now on.
      this.#motion.leaveVideo();
      await this.#closeLane('sub');
      if (settings.streams.sub !== undefined) this.#openLane('sub', settings.streams.sub);
      this.#subAwaySinceMs = this.#options.clock.monotonicMs();
    }
    this.#watchMotion();
    this.#applyMode();
  }

  /** Everything that was received is safe when it resolves; the time from now on is `reason`. */
  async close(reason: 'restart' | 'off' | 'moved'): Promise<void> {
    this.#timer?.cancel();
    await Promise.all([
      this.#motion.close(),
      this.#closeLane('main', reason),
      this.#closeLane('sub'),
    ]);
    this.#options.scheduler.remove(this);
    this.#away = reason;
    this.#mark(this.#options.clock.nowUnixUs());
    this.#ledger.settle(this.#options.clock.nowUnixUs());
    const motion = this.#events.drain();
    await this.#options.scheduler.commit({ ...this.#ledger.drain(), motion });
  }

  report(): CameraReport {
    const main = this.#lanes.get('main');
    const reason = this.#sentence();
    const missing = this.#missing();
    const since = this.#keepingSinceUs;
    const events = this.#motion.alarms;
    const audio = main?.feed.audioReport();
    return {
      id: this.#settings.id,
      state: main?.feed.online === true ? 'online' : this.#everTried ? 'offline' : 'connecting',
      ...(reason === undefined ? {} : { reason }),
      recording: {
        active: missing === undefined,
        mode: this.#mode,
        ...(missing === undefined ? {} : { reason: missing }),
        ...(missing === undefined && since !== undefined ? { sinceUnixUs: since } : {}),
      },
      motion: {
        active: main?.gate.moving ?? false,
        level: this.#events.level,
        detector: this.#detector(),
        source: sourceOf(this.#settings),
        ...(events === undefined ? {} : { events }),
      },
      tracks: [...this.#lanes.values()].map((lane) => lane.feed.report()),
      ...(audio === undefined ? {} : { audio }),
    };
  }

  #start(): void {
    const { settings, scheduler, clock } = this.#options;
    this.#openLane('main', settings.streams.main);
    if (settings.streams.sub !== undefined) this.#openLane('sub', settings.streams.sub);
    this.#watchMotion();
    this.#applyMode();
    scheduler.add(this);
    this.#timer = clock.every(1000, () => this.#tick());
  }

  #openLane(track: VideoTrack, url: string): void {
    const { store, clock, door, pool, turns, waiting } = this.#options;
    const { transport, recording, id } = this.#settings;
    const flush = new TrackFlush({
      camera: id,
      track,
      store,
      clock,
      log: this.#log,
      waiting,
      onWritten: () => this.#options.scheduler.due(this),
      onRecorded: (startUnixUs, endUnixUs) => {
        if (track === 'main') this.#ledger.recorded(startUnixUs, endUnixUs);
      },
      onDisk: (failure, atUnixUs, message) => this.#onDisk(track, failure, atUnixUs, message),
    });
    const gate = new TrackGate({
      clock,
      policy: this.#policy(track),
      preRollMs: recording.preRollSeconds * 1000,
      postRollMs: recording.postRollSeconds * 1000,
      onKeep: (record, from) => {
        flush.push(record, from);
        audio?.keptPicture(record);
      },
      onChange: (keeping, atUnixUs) => {
        if (track !== 'main') return;
        this.#keepingSinceUs = keeping ? atUnixUs : undefined;
        this.#mark(atUnixUs);
      },
    });
    const lane = { camera: id, store, clock, log: this.#log, waiting };
    const audio =
      track === 'main'
        ? new AudioLane({ ...lane, pictureReachesBackToUs: () => gate.reachesBackToUs })
        : undefined;
    const feed = new TrackFeed({
      track,
      ...audio?.source(this.#ends.get('audio')),
      url,
      transport,
      door,
      clock,
      log: this.#log.child({ track }),
      pool,
      turns,
      lastEndUnixUs: this.#ends.get(track) ?? 0,
      onRecord: (record, firstOfRun) => {
        if (track === 'main' && firstOfRun) this.#away = undefined;
        gate.offer(record);
        if (track === 'main' && firstOfRun) this.#mark(record.startUnixUs);
      },
      onOnline: () => this.#onOnline(track),
      onOffline: (reason) => this.#onOffline(track, reason, feed),
    });
    this.#lanes.set(track, { feed, gate, flush, ...(audio === undefined ? {} : { audio }) });
    feed.start();
  }

  async #closeLane(track: VideoTrack, reason: GapReason = 'restart'): Promise<void> {
    const lane = this.#lanes.get(track);
    if (lane === undefined) return;
    if (this.#watchedTrack === track) this.#motion.leaveVideo();
    await lane.feed.stop();
    this.#ends.set(track, lane.feed.lastEndUnixUs);
    lane.gate.close();
    // From here on no turn touches the flush: its last rows must be the last to be committed.
    this.#lanes.delete(track);
    await this.#options.scheduler.idle(this);
    const [batch, sound] = await Promise.all([lane.flush.close(), lane.audio?.close()]);
    if (track === 'main') {
      const came = this.#away === undefined;
      this.#away = reason;
      this.#mark(came ? lane.feed.lastEndUnixUs : this.#options.clock.nowUnixUs());
    }
    if (lane.audio !== undefined) this.#ends.set('audio', lane.feed.lastSoundUnixUs);
    void this.#options.scheduler.commit(sound);
    await this.#options.scheduler.commit(batch);
  }

  #onOnline(track: VideoTrack): void {
    this.#log.info({ track }, 'camera online');
    if (track === 'sub') this.#subAwaySinceMs = undefined;
    this.#feedDetector();
    if (track !== 'main' || this.#announced === 'camera-online') return;
    this.#announce('camera-online', 'the camera is online');
  }

  #onOffline(track: VideoTrack, ended: StreamEndReason, feed: TrackFeed): void {
    if (track === 'sub') this.#subAwaySinceMs ??= this.#options.clock.monotonicMs();
    this.#feedDetector();
    if (track !== 'main') return;
    this.#everTried = true;
    const reason = gapReasonOf(ended);
    const sinceUs = this.#away === undefined ? feed.lastEndUnixUs : this.#options.clock.nowUnixUs();
    // One outage has one reason, unless the camera itself now says something else.
    const keep = isOutage(this.#away) && isOutage(reason);
    if (!keep) this.#away = reason;
    this.#mark(sinceUs);
    if (this.#announced !== 'camera-offline' && ended !== 'stopped') {
      this.#log.warn({ reason: ended, message: feed.reason }, 'camera offline');
      this.#announce('camera-offline', feed.reason ?? 'the camera is offline');
    }
  }

  #announce(kind: 'camera-online' | 'camera-offline', message: string): void {
    this.#announced = kind;
    const atUnixUs = this.#options.clock.nowUnixUs();
    this.#options.onEvent({ kind, camera: this.#settings.id, atUnixUs, message });
  }

  #onDisk(track: VideoTrack, failure: DiskFailure | undefined, atUs: number, text: string): void {
    const { onEvent, clock } = this.#options;
    const message =
      failure === undefined ? 'footage is written again' : diskSentence(failure, text);
    if (failure === undefined || failure !== this.#disk?.failure) {
      onEvent({ kind: 'storage', camera: this.#settings.id, atUnixUs: clock.nowUnixUs(), message });
    }
    if (track !== 'main') return;
    this.#disk = failure === undefined ? undefined : { failure, message };
    this.#mark(atUs);
  }

  #tick(): void {
    for (const lane of this.#lanes.values()) {
      lane.feed.tick();
      if (lane.gate.keeping && lane.feed.online) continue;
      void lane.flush.sealIfDue();
      void lane.audio?.flush.sealIfDue();
    }
    this.#applyMode();
    if (this.#motionTrack() !== this.#watchedTrack) this.#watchMotion();
    this.#motion.tick();
    this.#feedDetector();
  }

  #applyMode(): void {
    const mode = modeAt(this.#settings.recording, this.#options.clock.nowUnixMs());
    const changed = mode !== this.#mode;
    this.#mode = mode;
    for (const [track, lane] of this.#lanes) lane.gate.setPolicy(this.#policy(track));
    if (!changed) return;
    const main = this.#lanes.get('main');
    if (main?.gate.keeping === false) this.#mark(this.#options.clock.nowUnixUs());
    this.#watchMotion();
  }

  #policy(track: VideoTrack): GatePolicy {
    const mode = this.#mode;
    if (track === 'sub') return mode === 'motion+lowres' ? 'always' : 'never';
    if (mode === 'off') return 'never';
    return mode === 'continuous' ? 'always' : 'motion';
  }

  /** The small picture where there is one; the main one while the small one is away for long. */
  #motionTrack(): VideoTrack {
    if (!this.#lanes.has('sub')) return 'main';
    if (this.#subAwaySinceMs === undefined) return 'sub';
    const awayMs = this.#options.clock.monotonicMs() - this.#subAwaySinceMs;
    return awayMs < SUB_PATIENCE_MS ? 'sub' : 'main';
  }

  /** Looks for movement where it is to be learned from. */
  #watchMotion(): void {
    const track = this.#motionTrack();
    if (track !== this.#watchedTrack) this.#motion.leaveVideo();
    this.#watchedTrack = track;
    if (this.#mode === 'off') return this.#motion.leave();
    this.#motion.watch(this.#lanes.get(track)?.feed.hub, this.#settings);
    this.#feedDetector();
  }

  #onSample(sample: MotionSample): void {
    if (!this.#events.sample(sample)) return;
    const { id, name } = this.#settings;
    const message = `movement at ${name}`;
    this.#options.onEvent({ kind: 'motion', camera: id, atUnixUs: sample.atUnixUs, message });
  }

  #detector(): DetectorState | 'off' {
    return moreTrusted(this.#videoDetector(), this.#motion.alarms?.state);
  }

  #videoDetector(): DetectorState | 'off' {
    const state = this.#motion.video;
    if (state === 'off') return 'off';
    if (this.#watchedTrack === 'main' || this.#subAwaySinceMs === undefined) return state;
    // Until it is looked for in the main stream nobody sees it: everything is kept.
    return state === 'starting' ? 'starting' : 'failed';
  }

  #feedDetector(): void {
    const detector = this.#detector();
    const gate = this.#lanes.get('main')?.gate;
    if (detector !== 'off') gate?.setDetector(detector);
    // Nobody is to look: a camera that is to be kept on movement is kept continuously.
    else if (sourceOf(this.#settings) === 'off') gate?.setDetector('failed');
  }

  /** Why nothing is kept now; undefined while it is. */
  #missing(): GapReason | undefined {
    if (this.#away === 'off' || this.#away === 'moved') return this.#away;
    if (this.#mode === 'off') return 'off';
    if (this.#away !== undefined) return this.#away;
    if (this.#lanes.get('main')?.gate.keeping !== true) return 'no-motion';
    return this.#disk?.failure;
  }

  #mark(atUnixUs: number): void {
    const state: LedgerState = this.#missing() ?? 'recording';
    this.#ledger.mark(state, atUnixUs);
  }

  #sentence(): string | undefined {
    const main = this.#lanes.get('main');
    return cameraSentence({
      ...{ main: main?.feed, sub: this.#lanes.get('sub')?.feed, mode: this.#mode },
      ...{ disk: this.#disk?.message, alarms: this.#motion.alarms, detector: this.#detector() },
      keepsForDetector: main?.gate.keepsForDetector === true,
      looksInMain: this.#watchedTrack === 'main' && this.#motion.video !== 'off',
    });
  }
}
