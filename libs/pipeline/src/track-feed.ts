// One stream of a camera: its connection, and for each run the ingest that fills the hub and records.

import type { Clock, Log } from '#base';
import type { AudioFormat, AudioSink, FrameSink, TrackName, VideoFormat } from '#media';
import type { PushDoor } from '#rtmp';
import type { StreamEndReason, StreamInfo, StreamListener } from '#rtsp';
import { cameraSource, type CameraSource } from './camera-source.js';
import { AudioIngest, AudioIngestCounters, type AudioRecord } from './audio-ingest.js';
import { TrackHub } from './hub.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { CLOCK_TOLERANCE_US } from './open-ledger.js';
import type { IngestTurns } from './ingest-turns.js';
import type { SlabPool } from './slab-pool.js';
import { RecentTraffic, type Traffic } from './recent-traffic.js';
import type { TrackRecord } from './track-record.js';
import {
  arrivalsOf,
  dropsOf,
  round,
  totalOf,
  type AudioReport,
  type TrackReport,
} from './track-report.js';

const RATE_WINDOW_MS = 4000;
const GROUPS_TURN_MS = 60_000;

export interface TrackFeedOptions {
  readonly track: TrackName;
  readonly url: string;
  readonly transport: 'tcp' | 'udp' | 'http';
  readonly door: PushDoor;
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: SlabPool;
  readonly turns: IngestTurns;
  /** Where the footage of the last run ends; a run's time does not begin before. */
  readonly lastEndUnixUs: number;
  onRecord(record: TrackRecord, firstOfRun: boolean): void;
  /** Takes the camera's sound; without it the camera is not asked for any. */
  readonly sound?: { readonly lastEndUnixUs: number; onRecord(record: AudioRecord): void };
  /** The first frame of a run is there. */
  onOnline(): void;
  /** A run or an attempt ended; every record of the run was handed out before. */
  onOffline(reason: StreamEndReason): void;
}

export class TrackFeed implements StreamListener {
  readonly hub = new TrackHub();
  readonly #options: TrackFeedOptions;
  readonly #stream: CameraSource;
  readonly #counters = new IngestCounters();
  readonly #audioCounters = new AudioIngestCounters();
  /** Present where the sound is taken: that is what the camera is asked by. */
  readonly onAudio?: (format: AudioFormat) => AudioSink;
  #ingest: TrackIngest | undefined;
  #audio: AudioIngest | undefined;
  #info: StreamInfo | undefined;
  #lastSoundUnixUs: number;
  #run = 0;
  #firstRecord = true;
  #lastEndUnixUs: number;
  #online = false;
  #connected = false;
  #message = 'connecting';
  #retryAtMs: number | undefined;
  #clockOffsetMs: number | undefined;
  #fps = 0;
  #bitrate = 0;
  #audioBitrate = 0;
  readonly #recent = new RecentTraffic();
  readonly #recentSound = new RecentTraffic();
  #groupsTurnedAtMs = 0;
  #window = { atMs: 0, frames: 0, bytes: 0, audioBytes: 0 };

  constructor(options: TrackFeedOptions) {
    this.#options = options;
    this.#lastEndUnixUs = options.lastEndUnixUs;
    this.#lastSoundUnixUs = options.sound?.lastEndUnixUs ?? 0;
    if (options.sound !== undefined) this.onAudio = (format) => this.#beginSound(format);
    const { url, transport, door, clock, log, turns } = options;
    this.#stream = cameraSource({
      url,
      transport,
      door,
      listener: this,
      clock,
      log,
      turns: turns.turns,
    });
    this.hub.onWatched = (watched) => turns.watched(watched ? 1 : -1);
  }

  get online(): boolean {
    return this.#online;
  }

  get format(): VideoFormat | undefined {
    return this.#ingest?.format;
  }

  /** UTC where the last record ended that was handed out. */
  get lastEndUnixUs(): number {
    return this.#lastEndUnixUs;
  }

  /** UTC where the last record of sound ended. */
  get lastSoundUnixUs(): number {
    return this.#lastSoundUnixUs;
  }

  get bytes(): number {
    return this.#counters.bytes;
  }

  /** Why nothing comes, as a sentence. */
  get reason(): string | undefined {
    if (this.#online) return undefined;
    if (this.#connected) return 'connected; waiting for the first key frame';
    if (this.#retryAtMs === undefined) return this.#message;
    const waitMs = this.#retryAtMs - this.#options.clock.monotonicMs();
    if (waitMs < 500) return `${this.#message}; trying again`;
    return `${this.#message}; next try in ${Math.round(waitMs / 1000)} s`;
  }

  start(): void {
    if (this.#options.transport === 'udp') this.#options.turns.datagrams(1);
    this.#stream.start();
  }

  /** What the camera has sent is handed out before it resolves. */
  async stop(): Promise<void> {
    await this.#stream.stop();
    if (this.#options.transport === 'udp') this.#options.turns.datagrams(-1);
    this.#endRun();
  }

  /** About once a second. */
  tick(): void {
    const { clock } = this.#options;
    this.#ingest?.closeStale(clock.nowUnixUs());
    this.#audio?.closeStale(clock.nowUnixUs());
    const nowMs = clock.monotonicMs();
    this.#noteRecent(nowMs);
    const { atMs, frames, bytes, audioBytes } = this.#window;
    if (nowMs - atMs < RATE_WINDOW_MS) return;
    const seconds = (nowMs - atMs) / 1000;
    this.#fps = (this.#counters.frames - frames) / seconds;
    this.#bitrate = ((this.#counters.bytes - bytes) * 8) / seconds;
    this.#audioBitrate = ((this.#audioCounters.bytes - audioBytes) * 8) / seconds;
    this.#window = this.#windowFrom(nowMs);
  }

  report(): TrackReport {
    const counters = this.#stream.counters;
    const { format } = this;
    const { groups, lastFrameUnixUs, frames, dropped, clockJumps } = this.#counters;
    const driftPpm = this.#ingest?.driftPpm;
    const nowMs = this.#options.clock.monotonicMs();
    return {
      track: this.#options.track,
      ...(format === undefined ? {} : { format }),
      ...(this.#online ? { fps: round(this.#fps, 2), bitrate: Math.round(this.#bitrate) } : {}),
      ...(groups.lastTicks > 0
        ? {
            groupSeconds: round(groups.lastTicks / 90_000, 3),
            groupSecondsMin: round(groups.shortestTicks / 90_000, 3),
            groupSecondsMax: round(groups.longestTicks / 90_000, 3),
          }
        : {}),
      ...(this.#clockOffsetMs === undefined ? {} : { clockOffsetMs: this.#clockOffsetMs }),
      ...(lastFrameUnixUs === undefined ? {} : { lastFrameUnixUs }),
      frames,
      ...arrivalsOf({
        counters,
        clockJumps,
        driftPpm,
        floorMs: this.#online ? this.#options.turns.jitterFloorMs : undefined,
        recent: this.#online ? this.#recent.report(nowMs, this.#traffic()) : undefined,
      }),
      dropped: dropsOf(counters.dropped, dropped),
      connects: counters.connects,
      disconnects: { ...counters.disconnects },
    };
  }

  /** Undefined where sound is not taken, or the camera has none. */
  audioReport(): AudioReport | undefined {
    const format = this.#audio?.format;
    const { audio: encoding, audioFault: reason } = this.#info ?? {};
    if (this.onAudio === undefined || (encoding === undefined && format === undefined)) {
      return undefined;
    }
    const { frames, lastFrameUnixUs, dropped, wrongReports } = this.#audioCounters;
    const { audio } = this.#stream.counters;
    const nowMs = this.#options.clock.monotonicMs();
    const comes = format !== undefined;
    const wrong = wrongReports === 0 ? {} : { 'wrong-sender-report': wrongReports };
    return {
      track: 'audio',
      ...(format === undefined ? {} : { format }),
      ...(encoding === undefined ? {} : { encoding }),
      ...(reason === undefined ? {} : { reason }),
      ...(format === undefined ? {} : { bitrate: Math.round(this.#audioBitrate) }),
      ...(lastFrameUnixUs === undefined ? {} : { lastFrameUnixUs }),
      frames,
      ...arrivalsOf({
        counters: audio,
        clockJumps: 0,
        driftPpm: this.#audio?.driftPpm,
        floorMs: comes ? this.#options.turns.jitterFloorMs : undefined,
        recent: comes ? this.#recentSound.report(nowMs, this.#soundTraffic()) : undefined,
      }),
      dropped: dropsOf(audio.dropped, dropped, wrong),
    };
  }

  onStart(info: StreamInfo): FrameSink {
    this.#endRun();
    this.#info = info;
    this.#connected = true;
    this.#retryAtMs = undefined;
    this.#firstRecord = true;
    const { clock, pool } = this.#options;
    // Seconds since 1970 count runs without a place to keep the last number.
    this.#run = Math.max(this.#run + 1, Math.floor(clock.nowUnixMs() / 1000));
    this.#ingest = new TrackIngest({
      run: this.#run,
      format: info.format,
      pool,
      notBeforeUnixUs: this.#notBefore(),
      counters: this.#counters,
      onFrame: (frame) => {
        this.hub.publish(frame);
        if (!this.#online) this.#goOnline();
      },
      onRecord: (record) => {
        this.#lastEndUnixUs = record.endUnixUs;
        const first = this.#firstRecord;
        this.#firstRecord = false;
        this.#options.onRecord(record, first);
      },
    });
    return this.#ingest;
  }

  onFormat(format: VideoFormat): void {
    this.#ingest?.setFormat(format);
  }

  onEnd(end: { reason: StreamEndReason; message: string; retryInMs?: number }): void {
    this.#endRun();
    this.#message = end.message;
    this.#retryAtMs =
      end.retryInMs === undefined ? undefined : this.#options.clock.monotonicMs() + end.retryInMs;
    this.#options.onOffline(end.reason);
  }

  onClock(offsetMs: number): void {
    this.#clockOffsetMs = Math.round(offsetMs);
  }

  #beginSound(format: AudioFormat): AudioSink {
    const { pool, sound, clock } = this.#options;
    const latestUs = clock.nowUnixUs() + CLOCK_TOLERANCE_US;
    this.#audio?.end();
    this.#audio = new AudioIngest({
      run: this.#run,
      format,
      pool,
      notBeforeUnixUs: this.#lastSoundUnixUs > latestUs ? 0 : this.#lastSoundUnixUs,
      counters: this.#audioCounters,
      videoUnixUs: (pts90k) => this.#ingest?.unixUsOf(pts90k),
      onRecord: (record) => {
        this.#lastSoundUnixUs = record.endUnixUs;
        sound?.onRecord(record);
      },
    });
    return this.#audio;
  }

  #noteRecent(nowMs: number): void {
    if (this.#recent.isDue(nowMs)) {
      this.#recent.note(nowMs, this.#traffic());
      this.#recentSound.note(nowMs, this.#soundTraffic());
    }
    if (nowMs - this.#groupsTurnedAtMs < GROUPS_TURN_MS) return;
    this.#groupsTurnedAtMs = nowMs;
    this.#counters.groups.turn();
  }

  #traffic(): Traffic {
    const { packets, lostPackets, dropped } = this.#stream.counters;
    const { frames } = this.#counters;
    const droppedFrames = totalOf(dropsOf(dropped, this.#counters.dropped));
    return { packets, lostPackets, frames, droppedFrames };
  }

  #soundTraffic(): Traffic {
    const { packets, lostPackets, dropped } = this.#stream.counters.audio;
    const { frames } = this.#audioCounters;
    const droppedFrames = totalOf(dropsOf(dropped, this.#audioCounters.dropped));
    return { packets, lostPackets, frames, droppedFrames };
  }

  #windowFrom(atMs: number) {
    const { frames, bytes } = this.#counters;
    return { atMs, frames, bytes, audioBytes: this.#audioCounters.bytes };
  }

  /** Unless the clock was set back: then the past run's end is no bound. */
  #notBefore(): number {
    const latestUs = this.#options.clock.nowUnixUs() + CLOCK_TOLERANCE_US;
    return this.#lastEndUnixUs > latestUs ? 0 : this.#lastEndUnixUs;
  }

  #goOnline(): void {
    this.#online = true;
    const nowMs = this.#options.clock.monotonicMs();
    this.#window = this.#windowFrom(nowMs);
    this.#recent.restart();
    this.#recentSound.restart();
    this.#noteRecent(nowMs);
    this.#options.onOnline();
  }

  #endRun(): void {
    this.#online = false;
    this.#connected = false;
    // The picture's clock is asked for by the last sound: it ends first.
    this.#audio?.end();
    this.#audio = undefined;
    this.#ingest?.end();
    this.#run = Math.max(this.#run, this.#ingest?.run ?? 0);
    this.#ingest = undefined;
    this.hub.endRun();
  }
}
