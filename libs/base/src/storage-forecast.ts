// When disks that several cameras fill will be low and full, and how far back each camera reaches
// then: pure arithmetic, for the disks of one recorder and for those that several share.

import {
  fitsAtLeast,
  forecastReach,
  type Inflow,
  type Reach,
  type SpaceUser,
} from './space-forecast.js';

export interface KindInflow extends Inflow {
  /** `all` where nothing has days of its own. */
  readonly kind: 'all' | 'motion' | 'lowres';
}

export interface StorageUse {
  readonly users: readonly SpaceUser[];
  /** Those that take footage; free bytes, and how many of them stay free. */
  readonly disks: readonly {
    readonly freeBytes: number;
    readonly lowBytes: number;
    readonly stopBytes: number;
  }[];
  /** On disks, those that take no more included. */
  readonly footageBytes: number;
  /** Warm tiers on the same directories; without `roomBytes` one takes nothing now. */
  readonly warm: readonly {
    readonly bytes: number;
    readonly roomBytes?: number | undefined;
  }[];
}

export interface StorageForecast {
  readonly reach: ReadonlyMap<string, Reach>;
  /** Until no byte is free; undefined while nothing comes. */
  readonly daysLeft: number | undefined;
  /** Until the oldest footage goes for space. */
  readonly lowInDays: number;
  /** Until recording stops, since what must stay does not fit; undefined where it fits. */
  readonly stopsInDays: number | undefined;
}

export function forecastStorage({ users, disks, footageBytes, warm }: StorageUse): StorageForecast {
  const inflows = users.flatMap((user) => user.inflows);
  const perDay = inflows.reduce((sum, { bytesPerDay }) => sum + bytesPerDay, 0);
  const sumOf = (pick: (disk: StorageUse['disks'][number]) => number) =>
    disks.reduce((sum, disk) => sum + pick(disk), 0);
  const aboveLow = sumOf(({ freeBytes, lowBytes }) => freeBytes - lowBytes);
  const tiers = warm.flatMap(({ bytes, roomBytes }) =>
    roomBytes === undefined ? [] : { bytes, roomBytes },
  );
  const warmBytes =
    tiers.length === 0
      ? 0
      : tiers.reduce((sum, { bytes }) => sum + bytes, 0) +
        Math.min(...tiers.map(({ roomBytes }) => roomBytes));
  const capacityBytes = Math.max(0, footageBytes + aboveLow) + warmBytes;
  const inDays = (bytes: number) => (perDay > 0 ? Math.max(0, bytes) / perDay : 0);
  const fits = perDay === 0 || fitsAtLeast(users, capacityBytes);
  return {
    reach: forecastReach(users, capacityBytes),
    daysLeft: perDay > 0 ? inDays(sumOf(({ freeBytes }) => freeBytes)) : undefined,
    lowInDays: inDays(aboveLow),
    stopsInDays: fits
      ? undefined
      : inDays(sumOf(({ freeBytes, stopBytes }) => freeBytes - stopBytes)),
  };
}

interface KindReach {
  readonly forecastDays: number;
  readonly forecastMotionDays?: number;
  readonly forecastLowresDays?: number;
  readonly limitedBy: Reach['limitedBy'];
}

/** How far back each kind of a camera's footage reaches: no further than its rule says. */
export function reachByKind(brings: readonly KindInflow[], reach: Reach): KindReach {
  const daysOf = (kind: KindInflow['kind']) => {
    const inflow = brings.find((other) => other.kind === kind);
    return inflow === undefined ? undefined : Math.min(inflow.days, reach.days);
  };
  const [all = 0, motion, lowres] = [daysOf('all'), daysOf('motion'), daysOf('lowres')];
  return {
    forecastDays: all,
    ...(motion === undefined ? {} : { forecastMotionDays: motion }),
    ...(lowres === undefined ? {} : { forecastLowresDays: lowres }),
    limitedBy: reach.limitedBy,
  };
}
