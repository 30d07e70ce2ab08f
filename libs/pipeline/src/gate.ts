// Decides which records of a track are kept: always, never, or around movement.

import type { Clock } from '#base';
import type { TrackRecord } from './track-record.js';

export type GatePolicy = 'always' | 'motion' | 'never';
export type DetectorState = 'starting' | 'ok' | 'behind' | 'failed';

/** Detection is late by the time of a few frames; the ring reaches back further by this. */
const DETECTION_LAG_US = 2_000_000;
/** A detector that takes longer to begin is treated as one that is behind. */
const STARTING_PATIENCE_MS = 20_000;
const RING_BYTES = 96 * 1024 * 1024;

/** `ring`: it was in memory already, and comes with all the rest of the pre-roll at once. */
export type KeptFrom = 'camera' | 'ring';

export interface GateOptions {
  readonly clock: Clock;
  readonly policy: GatePolicy;
  readonly preRollMs: number;
  readonly postRollMs: number;
  /** A record to be written; the callee retains what it keeps. In order, groups without holes. */
  onKeep(record: TrackRecord, from: KeptFrom): void;
  /** Keeping begins with footage from `atUnixUs`, or the footage kept ends there. */
  onChange(keeping: boolean, atUnixUs: number): void;
}

export class TrackGate {
  readonly #options: GateOptions;
  #policy: GatePolicy;
  #preRollUs: number;
  #postRollUs: number;
  /** What may yet be kept: from a key frame, or as continuation of what was kept. */
  readonly #ring: TrackRecord[] = [];
  #ringBytes = 0;
  #keeping = false;
  #keptUntilUs = 0;
  /** What comes next continues what was kept or lies in the ring. */
  #continuous = false;
  #moving = false;
  #keepUntilUs = -Infinity;
  #detector: DetectorState = 'starting';
  #startingSinceMs: number;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#preRollUs = options.preRollMs * 1000;
    this.#postRollUs = options.postRollMs * 1000;
    this.#startingSinceMs = options.clock.monotonicMs();
  }

  get keeping(): boolean {
    return this.#keeping;
  }

  /** UTC where the footage kept last ends. */
  get keptUntilUs(): number {
    return this.#keptUntilUs;
  }

  /** UTC before which nothing will be kept that is not kept already. */
  get reachesBackToUs(): number {
    if (this.#policy === 'never') return Infinity;
    return this.#ring[0]?.startUnixUs ?? this.#keptUntilUs;
  }

  get moving(): boolean {
    return this.#moving;
  }

  get ringBytes(): number {
    return this.#ringBytes;
  }

  /** Keeps everything although the policy is `motion`, because the detector cannot be trusted. */
  get keepsForDetector(): boolean {
    return this.#policy === 'motion' && this.#detectorFails();
  }

  setPolicy(policy: GatePolicy): void {
    if (policy === this.#policy) return;
    const before = this.#policy;
    this.#policy = policy;
    if (policy === 'never') this.#stop(true);
    else if (policy === 'always') this.#start(-Infinity);
    else if (before === 'always' && !this.#wanted()) {
      // The last seconds of continuous recording are the post-roll of nothing: end now.
      this.#keepUntilUs = Math.max(this.#keepUntilUs, this.#keptUntilUs);
    }
  }

  setRolls(preRollMs: number, postRollMs: number): void {
    this.#preRollUs = preRollMs * 1000;
    this.#postRollUs = postRollMs * 1000;
  }

  motion(moving: boolean, atUnixUs: number): void {
    if (moving) {
      this.#moving = true;
      this.#keepUntilUs = Infinity;
      if (this.#policy === 'motion') this.#start(atUnixUs - this.#preRollUs);
    } else if (this.#moving) {
      this.#moving = false;
      this.#keepUntilUs = atUnixUs + this.#postRollUs;
    }
  }

  setDetector(state: DetectorState): void {
    if (state === this.#detector) return;
    const failed = this.#detectorFails();
    this.#detector = state;
    if (state === 'starting') this.#startingSinceMs = this.#options.clock.monotonicMs();
    if (state === 'failed' || state === 'behind') {
      if (this.#policy === 'motion') this.#start(-Infinity);
      this.#moving = false;
    } else if (failed && this.#keeping) {
      // What it did not see may still go on: the usual time after.
      this.#keepUntilUs = Math.max(this.#keepUntilUs, this.#keptUntilUs + this.#postRollUs);
    }
  }

  offer(record: TrackRecord): void {
    if (this.#policy === 'never') {
      this.#continuous = false;
      return;
    }
    if (record.startsGroup) this.#continuous = true;
    // Its group began before anybody wanted it.
    else if (!this.#continuous) return;
    if (!this.#wanted() && record.startUnixUs >= this.#keepUntilUs) {
      this.#stop(false);
      this.#ring.push(record.retain());
      this.#ringBytes += record.sizeBytes;
      this.#trim(record.endUnixUs);
      return;
    }
    if (!this.#keeping) {
      this.#flushRing(0);
      this.#begin(record.startUnixUs);
    }
    this.#keep(record, 'camera');
  }

  /** Gives up what it holds. */
  close(): void {
    this.#stop(true);
  }

  #detectorFails(): boolean {
    const state = this.#detector;
    if (state !== 'starting') return state !== 'ok';
    return this.#options.clock.monotonicMs() - this.#startingSinceMs > STARTING_PATIENCE_MS;
  }

  #wanted(): boolean {
    return this.#policy === 'always' || this.#moving || this.#detectorFails();
  }

  /** Keeps what lies in the ring from the group that `fromUnixUs` falls into, and what comes. */
  #start(fromUnixUs: number): void {
    if (this.#keeping) return;
    let first = 0;
    for (const [index, record] of this.#ring.entries()) {
      if (record.startsGroup && record.startUnixUs <= fromUnixUs) first = index;
    }
    this.#flushRing(first);
  }

  #flushRing(first: number): void {
    const records = this.#ring.splice(0);
    this.#ringBytes = 0;
    const start = records[first];
    if (start !== undefined) this.#begin(start.startUnixUs);
    for (const [index, record] of records.entries()) {
      if (index >= first) this.#keep(record, 'ring');
      record.release();
    }
  }

  #begin(atUnixUs: number): void {
    if (this.#keeping) return;
    this.#keeping = true;
    this.#options.onChange(true, atUnixUs);
  }

  #keep(record: TrackRecord, from: KeptFrom): void {
    this.#keptUntilUs = record.endUnixUs;
    this.#options.onKeep(record, from);
  }

  #stop(forget: boolean): void {
    if (forget) {
      for (const record of this.#ring.splice(0)) record.release();
      this.#ringBytes = 0;
      this.#continuous = false;
    }
    if (!this.#keeping) return;
    this.#keeping = false;
    this.#options.onChange(false, this.#keptUntilUs);
  }

  #trim(newestUnixUs: number): void {
    const reachUs = this.#detector === 'starting' ? STARTING_PATIENCE_MS * 1000 : DETECTION_LAG_US;
    const fromUnixUs = newestUnixUs - this.#preRollUs - reachUs;
    let first = 0;
    let bytes = this.#ringBytes;
    let groupBytes = bytes;
    for (const [index, record] of this.#ring.entries()) {
      const tooOld = record.startUnixUs <= fromUnixUs;
      if (record.startsGroup) {
        groupBytes = bytes;
        if (tooOld || bytes > RING_BYTES) first = index;
      }
      bytes -= record.sizeBytes;
    }
    for (const record of this.#ring.splice(0, first)) {
      this.#ringBytes -= record.sizeBytes;
      record.release();
    }
    // A camera that sends no key frames: without what came before, nothing that comes can be shown.
    if (groupBytes > RING_BYTES) this.#flushRing(0);
  }
}
