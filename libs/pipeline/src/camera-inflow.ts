// What a camera brings a day, by the rules that its footage falls under.

import type { Clock, KindInflow } from '#base';
import type { CameraUsage, Timeline } from '#timeline';
import {
  DAY_US,
  daysOf,
  hasMotion,
  motionDaysOf,
  type RetentionPolicy,
} from './retention-policy.js';

/** So many of the newest chunks tell how much of it is low resolution, and how much moved. */
const SAMPLE = 64;
const FRESH_MS = 3_600_000;

interface Shares {
  readonly policy: string;
  readonly atMs: number;
  readonly lowres: number;
  /** Of what is not low resolution. */
  readonly motion: number;
}

export class InflowBook {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #shares = new Map<string, Shares>();

  constructor(timeline: Timeline, clock: Clock) {
    this.#timeline = timeline;
    this.#clock = clock;
  }

  /** Kinds whose days are the same are one. */
  async of(camera: string, policy: RetentionPolicy, bytesPerDay: number): Promise<KindInflow[]> {
    const days = daysOf(policy, 'main');
    const [motionDays, lowresDays] = [motionDaysOf(policy, 'main'), daysOf(policy, 'sub')];
    if (motionDays === days && lowresDays === days) return [{ kind: 'all', bytesPerDay, days }];
    const { lowres, motion } = await this.#sharesOf(camera, policy);
    const rest = bytesPerDay * (1 - lowres);
    const kinds: KindInflow[] = [
      { kind: 'all', bytesPerDay: rest * (1 - motion), days },
      { kind: 'motion', bytesPerDay: rest * motion, days: motionDays },
      { kind: 'lowres', bytesPerDay: bytesPerDay * lowres, days: lowresDays },
    ];
    return kinds.map((inflow) => ({ ...inflow, bytesPerDay: Math.round(inflow.bytesPerDay) }));
  }

  async #sharesOf(camera: string, policy: RetentionPolicy): Promise<Shares> {
    const [text, nowMs] = [JSON.stringify(policy), this.#clock.monotonicMs()];
    const known = this.#shares.get(camera);
    if (known?.policy === text && nowMs - known.atMs < FRESH_MS) return known;
    const newest = await this.#timeline.chunksOf(camera, { reverse: true, limit: SAMPLE });
    let [all, lowres, motion] = [0, 0, 0];
    for (const chunk of newest) {
      all += chunk.sizeBytes;
      if (chunk.track === 'sub') lowres += chunk.sizeBytes;
      else if (await hasMotion(this.#timeline, policy, chunk)) motion += chunk.sizeBytes;
    }
    const shares = {
      ...{ policy: text, atMs: nowMs },
      lowres: all === 0 ? 0 : lowres / all,
      motion: all === lowres ? 0 : motion / (all - lowres),
    };
    this.#shares.set(camera, shares);
    return shares;
  }
}

/** Over the time that footage is there; a first hour says little about a day. */
export function averagePerDay(row: CameraUsage, nowUnixUs: number): number {
  const spanUs = Math.max(DAY_US / 24, nowUnixUs - row.oldestUnixUs);
  return Math.round((row.bytes * DAY_US) / spanUs);
}
