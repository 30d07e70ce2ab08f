// What all recorders hold and where, added up: a disk that several share counts once, and so does a
// camera that has footage on several.

import { forecastStorage, reachByKind, type Reach } from '#base';
import type { Storage } from '#contract';

const MOST_NEXT_DELETIONS = 100;
const DAY_MS = 86_400_000;
/** From the best to the worst. */
const STATES: readonly Disk['state'][] = ['ok', 'low', 'slow', 'critical', 'full', 'failed'];

type Disk = Storage['disks'][number];
type CameraUse = Storage['cameras'][number];

/** Of the recorders that have the same disks. */
interface GroupForecast {
  /** Of cameras for which it is not what their recorder says. */
  readonly reach: ReadonlyMap<string, Reach>;
  readonly daysLeft: number | undefined;
  readonly stopsInDays: number | undefined;
  readonly nextDeletions: Storage['nextDeletions'];
}

interface Part {
  readonly recorder: string;
  readonly answer: Storage;
}

/** `ownerOf` names the recorder that records a camera: its rate is the one that counts. */
export function addUpStorage(
  parts: readonly Part[],
  ownerOf: (camera: string) => string | undefined,
  nowUnixMs: number,
): Omit<Storage, 'unavailable'> {
  const most = (pick: (part: Storage) => number) =>
    Math.max(0, ...parts.map(({ answer }) => pick(answer)));
  const groups = byDisks(parts);
  const forecasts = groups.map((group) => forecastOf(group, ownerOf, nowUnixMs));
  const reach = new Map(forecasts.flatMap((forecast) => [...forecast.reach]));
  const least = (pick: (forecast: GroupForecast) => number | undefined) => {
    const days = forecasts.flatMap((forecast) => pick(forecast) ?? []);
    return days.length === 0 ? undefined : Math.min(...days);
  };
  const [daysLeft, stopsInDays] = [
    least((forecast) => forecast.daysLeft),
    least((forecast) => forecast.stopsInDays),
  ];
  return {
    disks: disksOf(parts),
    watermarks: {
      lowBytes: most((part) => part.watermarks.lowBytes),
      criticalBytes: most((part) => part.watermarks.criticalBytes),
      stopBytes: most((part) => part.watermarks.stopBytes),
    },
    cameras: camerasOf(parts, ownerOf).map((use) => withReach(use, reach.get(use.id))),
    // The first disk to fill up is the one to know of.
    ...(daysLeft === undefined ? {} : { daysLeft }),
    ...(stopsInDays === undefined ? {} : { stopsInDays }),
    nextDeletions: forecasts
      .flatMap((forecast) => forecast.nextDeletions)
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .slice(0, MOST_NEXT_DELETIONS),
    scrubs: parts.flatMap(({ answer }) => answer.scrubs),
    warmTiers: parts.flatMap(({ answer }) => answer.warmTiers),
  };
}

function disksOf(parts: readonly Part[]): Disk[] {
  const disks = new Map<string, Disk>();
  for (const { recorder, answer } of parts) {
    for (const disk of answer.disks) {
      const key = disk.device ?? `${recorder} ${disk.path}`;
      const known = disks.get(key);
      disks.set(key, known === undefined ? { ...disk } : sameDisk(known, disk));
    }
  }
  return [...disks.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function sameDisk(a: Disk, b: Disk): Disk {
  const worse = STATES.indexOf(b.state) > STATES.indexOf(a.state) ? b : a;
  return {
    ...a,
    path: b.path.length < a.path.length ? b.path : a.path,
    state: worse.state,
    ...(worse.reason === undefined ? {} : { reason: worse.reason }),
    sizeBytes: Math.max(a.sizeBytes, b.sizeBytes),
    freeBytes: Math.min(a.freeBytes, b.freeBytes),
    footageBytes: a.footageBytes + b.footageBytes,
  };
}

function camerasOf(
  parts: readonly Part[],
  ownerOf: (camera: string) => string | undefined,
): CameraUse[] {
  const cameras = new Map<string, CameraUse>();
  for (const { recorder, answer } of parts) {
    for (const use of answer.cameras) {
      const known = cameras.get(use.id);
      if (known === undefined) cameras.set(use.id, use);
      else cameras.set(use.id, sameCamera(known, use, ownerOf(use.id) === recorder));
    }
  }
  return [...cameras.values()];
}

function sameCamera(a: CameraUse, b: CameraUse, bRecords: boolean): CameraUse {
  const oldest = [a.oldest, b.oldest].filter((at) => at !== undefined).sort()[0];
  const newest = [a.newest, b.newest]
    .filter((at) => at !== undefined)
    .sort()
    .at(-1);
  const now = bRecords ? b : a;
  return {
    ...now,
    bytes: a.bytes + b.bytes,
    chunks: a.chunks + b.chunks,
    ...(oldest === undefined ? {} : { oldest }),
    ...(newest === undefined ? {} : { newest }),
  };
}

/** Recorders that share their disks fill them together. */
function byDisks(parts: readonly Part[]): Part[][] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const devices = part.answer.disks.map((disk) => disk.device ?? `${part.recorder} ${disk.path}`);
    const key = JSON.stringify(devices.sort());
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()];
}

/** What a single recorder says holds; for several that share disks it is worked out anew. */
function forecastOf(
  group: readonly Part[],
  ownerOf: (camera: string) => string | undefined,
  nowUnixMs: number,
): GroupForecast {
  const [only] = group;
  if (group.length === 1 && only !== undefined) {
    const { daysLeft, stopsInDays, nextDeletions } = only.answer;
    return { daysLeft, stopsInDays, nextDeletions, reach: new Map() };
  }
  const disks = disksOf(group);
  const users = group
    .flatMap(({ recorder, answer }) => answer.cameras.filter(({ id }) => ownerOf(id) === recorder))
    .map(({ brings, givesSpace = true, bytesPerDay, retentionDays, ...use }) => ({
      ...{ ...use, givesSpace },
      inflows: brings ?? [{ bytesPerDay, days: retentionDays }],
    }));
  const { reach, daysLeft, stopsInDays, lowInDays } = forecastStorage({
    users,
    disks: disks
      .filter(({ state }) => state !== 'failed')
      .map(({ freeBytes, watermarks: { lowBytes = 0, stopBytes = 0 } = {} }) => ({
        ...{ freeBytes, lowBytes, stopBytes },
      })),
    footageBytes: disks.reduce((sum, disk) => sum + disk.footageBytes, 0),
    warm: group.flatMap(({ answer }) => answer.warmTiers),
  });
  const inDays = (days: number) => new Date(nowUnixMs + days * DAY_MS).toISOString();
  const [now, lowAt] = [inDays(0), inDays(lowInDays)];
  return {
    ...{ reach, daysLeft, stopsInDays },
    nextDeletions: group
      .flatMap(({ answer }) => answer.nextDeletions)
      .map((next) =>
        next.rule === 'disk-space' && next.at > lowAt && next.at > now
          ? { ...next, at: lowAt }
          : next,
      ),
  };
}

function withReach(use: CameraUse, reach: Reach | undefined): CameraUse {
  if (reach === undefined || use.brings === undefined) return use;
  return { ...use, ...reachByKind(use.brings, reach) };
}
