// What all recorders hold and where, added up: a disk that several share counts once, and so does a
// camera that has footage on several.

import type { Storage } from '#contract';

const MOST_NEXT_DELETIONS = 100;
/** From the best to the worst. */
const STATES: readonly Disk['state'][] = ['ok', 'low', 'critical', 'full', 'failed'];

type Disk = Storage['disks'][number];
type CameraUse = Storage['cameras'][number];

interface Part {
  readonly recorder: string;
  readonly answer: Storage;
}

/** `ownerOf` names the recorder that records a camera: its rate is the one that counts. */
export function addUpStorage(
  parts: readonly Part[],
  ownerOf: (camera: string) => string | undefined,
): Omit<Storage, 'unavailable'> {
  const most = (pick: (part: Storage) => number) =>
    Math.max(0, ...parts.map(({ answer }) => pick(answer)));
  const days = daysLeftOf(parts, ownerOf);
  return {
    disks: disksOf(parts),
    watermarks: {
      lowBytes: most((part) => part.watermarks.lowBytes),
      criticalBytes: most((part) => part.watermarks.criticalBytes),
      stopBytes: most((part) => part.watermarks.stopBytes),
    },
    cameras: camerasOf(parts, ownerOf),
    ...(days === undefined ? {} : { daysLeft: days }),
    nextDeletions: parts
      .flatMap(({ answer }) => answer.nextDeletions)
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
  return {
    id: a.id,
    bytes: a.bytes + b.bytes,
    chunks: a.chunks + b.chunks,
    ...(oldest === undefined ? {} : { oldest }),
    ...(newest === undefined ? {} : { newest }),
    bytesPerDay: bRecords ? b.bytesPerDay : a.bytesPerDay,
    retentionDays: bRecords ? b.retentionDays : a.retentionDays,
    ...forecastOf(bRecords ? b : a),
  };
}

function forecastOf({ forecastDays, limitedBy }: CameraUse): Partial<CameraUse> {
  return {
    ...(forecastDays === undefined ? {} : { forecastDays }),
    ...(limitedBy === undefined ? {} : { limitedBy }),
  };
}

/** The first disk to fill up is the one to know of; recorders that share disks fill them together. */
function daysLeftOf(
  parts: readonly Part[],
  ownerOf: (camera: string) => string | undefined,
): number | undefined {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const devices = part.answer.disks.map((disk) => disk.device ?? `${part.recorder} ${disk.path}`);
    const key = JSON.stringify(devices.sort());
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  const days = [...groups.values()].flatMap((group) => {
    const [only] = group;
    if (group.length === 1 && only !== undefined) return only.answer.daysLeft ?? [];
    const freeBytes = disksOf(group).reduce((sum, disk) => sum + disk.freeBytes, 0);
    const bytesPerDay = group
      .flatMap(({ recorder, answer }) =>
        answer.cameras.filter((camera) => ownerOf(camera.id) === recorder),
      )
      .reduce((sum, camera) => sum + camera.bytesPerDay, 0);
    return bytesPerDay > 0 ? freeBytes / bytesPerDay : [];
  });
  return days.length === 0 ? undefined : Math.min(...days);
}
