// What came and what was lost in about the last minute, from counters that only grow.

const SNAPSHOT_MS = 5000;
const SNAPSHOTS = 13;
const FIELDS = 5;

export interface Traffic {
  readonly packets: number;
  readonly lostPackets: number;
  readonly frames: number;
  readonly droppedFrames: number;
}

export interface RecentTrafficReport extends Traffic {
  /** How long the time is that is told of. */
  readonly seconds: number;
}

export class RecentTraffic {
  readonly #rows = new Float64Array(SNAPSHOTS * FIELDS);
  #count = 0;
  #takenAtMs = -Infinity;

  /** Whether `note` would keep anything now. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#takenAtMs >= SNAPSHOT_MS;
  }

  /** Another run begins: what was before it is not told of. */
  restart(): void {
    this.#count = 0;
    this.#takenAtMs = -Infinity;
  }

  note(nowMs: number, now: Traffic): void {
    if (!this.isDue(nowMs)) return;
    this.#takenAtMs = nowMs;
    const { packets, lostPackets, frames, droppedFrames } = now;
    const row = [nowMs, packets, lostPackets, frames, droppedFrames];
    this.#rows.set(row, (this.#count++ % SNAPSHOTS) * FIELDS);
  }

  /** Undefined before the first seconds are over. */
  report(nowMs: number, now: Traffic): RecentTrafficReport | undefined {
    if (this.#count === 0) return undefined;
    const oldest = this.#count < SNAPSHOTS ? 0 : (this.#count % SNAPSHOTS) * FIELDS;
    const was = (field: number) => this.#rows[oldest + field] ?? 0;
    const seconds = Math.round((nowMs - was(0)) / 1000);
    if (seconds < 1) return undefined;
    return {
      seconds,
      packets: now.packets - was(1),
      lostPackets: now.lostPackets - was(2),
      frames: now.frames - was(3),
      droppedFrames: now.droppedFrames - was(4),
    };
  }
}
