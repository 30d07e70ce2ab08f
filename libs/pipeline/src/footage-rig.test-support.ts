// A store, an index and footage in them for tests of what reads, deletes and looks after it.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, type Clock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { VideoFormat } from '#media';
import { ChunkStore, type ChunkStoreOptions } from '#store';
import { Timeline } from '#timeline';
import { encodeVideo, hasFfmpeg, type EncodedVideo } from '../../../test/fixtures/encoded-video.js';
import { DamageLedger } from './damage-ledger.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { Playback } from './playback.js';
import { SlabPool } from './slab-pool.js';
import { TrackFlush, WaitingBytes } from './track-flush.js';

export const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
export const S = 1_000_000;
export const log = silentLog();

/** Two groups of one second, ten frames each, of bytes that no decoder needs to understand. */
function syntheticVideo(width: number): EncodedVideo {
  const sps =
    width === 320
      ? '6742c00ad90507e84000000300400000030c83c48992'
      : '6742c01ed901405ff2c20000030002000003006518f8b2e4';
  const sets = [Buffer.from(sps, 'hex'), Buffer.from('68cb83cb20', 'hex')];
  const format: VideoFormat = {
    codec: 'h264',
    width,
    height: 240,
    parameterSets: sets,
    codecString: 'avc1.42c00a',
    reorderFrames: 0,
  };
  const frames = Array.from({ length: 20 }, (_, index) => {
    const key = index % 10 === 0;
    const slice = Buffer.alloc(3000, index + 1);
    slice[0] = key ? 0x65 : 0x41;
    return { nals: key ? [...sets, slice] : [slice], key, pts90k: index * 9000 };
  });
  return { format, fps: 10, frames };
}

export const video = hasFfmpeg
  ? encodeVideo({ seconds: 2, fps: 10, groupFrames: 10 })
  : syntheticVideo(320);
export const large = hasFfmpeg
  ? encodeVideo({ seconds: 2, fps: 10, groupFrames: 10, width: 640, height: 360 })
  : syntheticVideo(640);

export class Rig {
  readonly directory = mkdtempSync(join(tmpdir(), 'nightjar-playback-'));
  readonly clock = new FakeClock();
  readonly t0 = this.clock.nowUnixUs();
  readonly pool = new SlabPool();
  timeline!: Timeline;
  store!: ChunkStore;
  damage!: DamageLedger;
  #flush: TrackFlush | undefined;
  #run = 1;

  async open(storeDirectory = join(this.directory, 'store')): Promise<this> {
    const { clock } = this;
    const timeline = await Timeline.open({ directory: join(this.directory, 'index'), clock, log });
    this.timeline = timeline;
    this.damage = new DamageLedger(timeline, log);
    await this.openStore({ directories: [storeDirectory] });
    return this;
  }

  /** Again, too: as another process would. */
  async openStore(options: Partial<ChunkStoreOptions> = {}): Promise<void> {
    this.store = await ChunkStore.open({
      directories: [join(this.directory, 'store')],
      clock: this.clock,
      log,
      chunkBytes: 30_000,
      ...options,
    });
  }

  get playback(): Playback {
    const { timeline, store, damage, clock } = this;
    return new Playback({ timeline, store, damage, clock, log });
  }

  /** `seconds` of `source` from `at` seconds on, as one run. */
  async record(at: number, seconds: number, source = video): Promise<void> {
    const { store, clock, pool } = this;
    const flush = (this.#flush ??= new TrackFlush({
      camera: CAMERA,
      track: 'main',
      store,
      clock,
      log,
      waiting: new WaitingBytes(),
      onRecorded: () => undefined,
      onDisk: () => undefined,
    }));
    const ingest = new TrackIngest({
      run: this.#run++,
      format: source.format,
      pool,
      notBeforeUnixUs: 0,
      counters: new IngestCounters(),
      onFrame: () => undefined,
      onRecord: (record) => flush.push(record),
    });
    const { frames, fps } = source;
    for (let index = 0; index < seconds * fps; index++) {
      for (const nal of frames[index % frames.length]?.nals ?? []) {
        ingest.beginNal(nal[0] ?? 0);
        ingest.appendNal(nal, 1, nal.length);
      }
      const pts = Math.round((index * 90_000) / fps);
      ingest.endFrame(pts, this.t0 + at * S + Math.round((index * S) / fps));
    }
    ingest.end();
    const behindMs = at * 1000 + seconds * 1000 - (this.clock.nowUnixUs() - this.t0) / 1000;
    if (behindMs > 0) this.clock.advance(behindMs);
    await this.#commit(flush);
  }

  async #commit(flush: TrackFlush): Promise<void> {
    while (flush.hasWork) {
      const batch = await flush.sync();
      if (batch !== undefined) await this.timeline.commit(batch);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async seal(): Promise<void> {
    const batch = await this.#flush?.close();
    this.#flush = undefined;
    if (batch !== undefined) await this.timeline.commit(batch);
  }

  period(from: number, to: number) {
    return { camera: CAMERA, fromUnixUs: this.t0 + from * S, toUnixUs: this.t0 + to * S };
  }

  async close(): Promise<void> {
    await this.seal();
    await this.store.close();
    await this.timeline.close();
  }
}

/** What the fragments of a file say: duration of all samples, and how many there are. */
export function samplesOf(file: Buffer) {
  let ticks = 0;
  let count = 0;
  for (let at = file.indexOf('trun'); at >= 0; at = file.indexOf('trun', at + 4)) {
    const samples = file.readUInt32BE(at + 8);
    const stride = (file.readUInt32BE(at - 4) - 20) / samples;
    for (let index = 0; index < samples; index++)
      ticks += file.readUInt32BE(at + 16 + index * stride);
    count += samples;
  }
  return { seconds: ticks / 90_000, count };
}

/** What waits on it takes no time, up to the moment it was let run to. */
export class SwiftClock implements Clock {
  readonly #startUnixMs: number;
  #elapsedMs = 0;
  #limitMs = 0;
  readonly #pending = new Set<{ readonly dueMs: number; readonly run: () => void }>();

  constructor(startUnixMs: number) {
    this.#startUnixMs = startUnixMs;
  }

  nowUnixMs = () => this.#startUnixMs + this.#elapsedMs;
  nowUnixUs = () => Math.round(this.nowUnixMs() * 1000);
  monotonicMs = () => this.#elapsedMs;

  after(delayMs: number, run: () => void) {
    const timer = { dueMs: this.#elapsedMs + delayMs, run };
    this.#pending.add(timer);
    setImmediate(() => this.#fire());
    return { cancel: () => void this.#pending.delete(timer) };
  }

  every(): never {
    throw new Error('nothing here runs for ever');
  }

  /** Until everything waits for a moment behind this one. */
  async run(ms: number): Promise<void> {
    this.#limitMs += ms;
    this.#fire();
    await eventually('everything waits', () => {
      const times = [...this.#pending].map(({ dueMs }) => dueMs);
      return times.length > 0 && Math.min(...times) > this.#limitMs;
    });
    this.#elapsedMs = this.#limitMs;
  }

  #fire(): void {
    for (const timer of this.#pending) {
      if (timer.dueMs > this.#limitMs || !this.#pending.delete(timer)) continue;
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      timer.run();
    }
  }
}
