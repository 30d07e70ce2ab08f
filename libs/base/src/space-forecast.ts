// How far back footage will reach with what cameras bring a day, what their rules keep, and what the
// disks hold: pure arithmetic, for one recorder and for several that share disks.

/** A kind of footage that has its own days. */
export interface Inflow {
  readonly bytesPerDay: number;
  /** So long its rule keeps it. */
  readonly days: number;
}

export interface SpaceUser {
  readonly id: string;
  readonly inflows: readonly Inflow[];
  /** Nothing younger goes for space. */
  readonly minDays?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Whether its oldest goes when the disks are low. */
  readonly givesSpace: boolean;
}

export interface Reach {
  /** Nothing older is left for want of space; Infinity where age alone decides. */
  readonly days: number;
  readonly limitedBy: 'age' | 'camera-bytes' | 'disk-space';
}

const STEPS = 60;

/** By id. `capacityBytes`: what the disks can hold of all this footage. */
export function forecastReach(
  users: readonly SpaceUser[],
  capacityBytes: number,
): ReadonlyMap<string, Reach> {
  const ownDays = new Map(users.map((user) => [user.id, daysOfBytes(user)]));
  const held = (cut: number) =>
    users.reduce((sum, user) => {
      const own = ownDays.get(user.id) ?? Infinity;
      return sum + keptBytes(user, user.givesSpace ? Math.min(own, cut) : own);
    }, 0);
  const diskDays = largestDays(users, held, capacityBytes);
  return new Map(
    users.map((user): [string, Reach] => {
      const { id, minDays = 0 } = user;
      const byBytes = ownDays.get(id) ?? Infinity;
      const byDisk = user.givesSpace ? Math.max(minDays, diskDays) : Infinity;
      const days = Math.min(byBytes, byDisk);
      if (days >= longestDays(user)) return [id, { days: Infinity, limitedBy: 'age' }];
      return [id, { days, limitedBy: byBytes <= byDisk ? 'camera-bytes' : 'disk-space' }];
    }),
  );
}

/** Whether all of it fits when everything has gone for space that may. */
export function fitsAtLeast(users: readonly SpaceUser[], capacityBytes: number): boolean {
  const least = users.reduce((sum, user) => {
    const own = daysOfBytes(user);
    return sum + keptBytes(user, user.givesSpace ? Math.min(own, 0) : own);
  }, 0);
  return least <= capacityBytes;
}

/** What of a camera is there once everything older than `cut` days has gone for space. */
function keptBytes({ inflows, minDays = 0 }: SpaceUser, cut: number): number {
  return inflows.reduce(
    (sum, { bytesPerDay, days }) => sum + bytesPerDay * Math.min(days, Math.max(cut, minDays)),
    0,
  );
}

function daysOfBytes(user: SpaceUser): number {
  const { maxBytes = Infinity } = user;
  return largestDays([user], (cut) => keptBytes(user, cut), maxBytes);
}

function longestDays({ inflows }: SpaceUser): number {
  return Math.max(
    0,
    ...inflows.filter(({ bytesPerDay }) => bytesPerDay > 0).map(({ days }) => days),
  );
}

/** The most days for which `held`, which grows with them, stays within `bytes`. */
function largestDays(
  users: readonly SpaceUser[],
  held: (days: number) => number,
  bytes: number,
): number {
  let high = Math.max(0, ...users.map(longestDays));
  if (held(high) <= bytes) return Infinity;
  let low = 0;
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (held(middle) <= bytes) low = middle;
    else high = middle;
  }
  return low;
}
