// How full the disks are, with what, for how long, and what goes next.

import { fitsAtLeast, forecastReach, type Clock, type Reach } from '#base';
import { DATA_SHARDS, type ChunkStore, type WarmTier } from '#store';
import type { Timeline } from '#timeline';
import type { Scrub, ScrubReport } from './scrub.js';
import type { WarmMover, WarmReport } from './warm-mover.js';
import { knownDirectories } from './known-directories.js';
import type { RetentionPolicy } from './retention-policy.js';
import { averagePerDay, type CameraInflow } from './camera-inflow.js';
import type { NextDeletion } from './next-deletions.js';
import type { Retention, Watermarks } from './retention.js';

const DAY_US = 86_400_000_000;
const NEXT_DELETIONS = 20;
/** Whoever asks is not to wait for a disk that hangs. */
const PATIENCE_MS = 1000;

interface CameraUse {
  readonly id: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly oldestUnixUs: number;
  readonly newestUnixUs: number;
  readonly bytesPerDay: number;
  readonly brings: readonly CameraInflow[];
  readonly retentionDays: number;
  readonly minDays?: number;
  readonly maxBytes?: number;
  /** Whether its oldest goes when the disks are low. */
  readonly givesSpace: boolean;
}

export interface StorageReport {
  readonly disks: readonly {
    readonly path: string;
    readonly device?: string;
    readonly state: 'ok' | 'low' | 'slow' | 'critical' | 'full' | 'failed';
    readonly reason?: string;
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly footageBytes: number;
    readonly watermarks: Watermarks;
  }[];
  readonly watermarks: Watermarks;
  readonly cameras: readonly (CameraUse & {
    /** So far back it will reach at today's rates, and what decides that. */
    readonly forecastDays: number;
    readonly forecastMotionDays?: number;
    readonly forecastLowresDays?: number;
    readonly limitedBy: Reach['limitedBy'];
  })[];
  readonly daysLeft?: number;
  /** Until recording stops, since what must stay does not fit; absent where it fits. */
  readonly stopsInDays?: number;
  readonly nextDeletions: readonly NextDeletion[];
  readonly scrub: ScrubReport;
  readonly warm?: WarmReport & { readonly directories: WarmTier['directories'] };
}

interface Reported {
  readonly clock: Pick<Clock, 'nowUnixUs'>;
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly retention: Retention;
  readonly scrub: Pick<Scrub, 'report'>;
  readonly warm: Pick<WarmMover, 'report'>;
  retentionOf(camera: string): RetentionPolicy | undefined;
  /** Bytes a second that come now, by camera that is recorded here; undefined: by the average. */
  writeRates(): ReadonlyMap<string, number | undefined>;
}

export async function reportStorage(recorder: Reported): Promise<StorageReport> {
  const { store, timeline, retention, clock } = recorder;
  await store.refresh(PATIENCE_MS);
  const nowUnixUs = clock.nowUnixUs();
  const rates = recorder.writeRates();
  const usage = await timeline.usage();
  const cameras: CameraUse[] = [];
  for (const row of usage) {
    const { camera: id, bytes, chunks, oldestUnixUs, newestUnixUs } = row;
    const policy = recorder.retentionOf(id) ?? { days: 0 };
    const now = Math.round((rates.get(id) ?? 0) * 86_400);
    const bytesPerDay = rates.has(id) ? now || averagePerDay(row, nowUnixUs) : 0;
    const brings = await retention.inflows.of(id, policy, bytesPerDay);
    const { minDays, maxBytes, whenFull } = policy;
    cameras.push({
      ...{ id, bytes, chunks, oldestUnixUs, newestUnixUs, bytesPerDay, brings },
      ...{ retentionDays: policy.days, givesSpace: whenFull !== 'stop-recording' },
      ...(minDays === undefined ? {} : { minDays }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
  }
  const warm = recorder.warm.report();
  const allBytes = usage.reduce((sum, row) => sum + row.bytes, 0);
  const footageBytes = Math.max(0, allBytes - (warm?.bytes ?? 0));
  const disks = await disksOf(recorder);
  const largest = Math.max(0, ...store.directories.map((disk) => disk.sizeBytes));
  const forecast = forecastSpace({ store, retention, cameras, footageBytes, warm });
  const perDay = cameras.reduce((sum, camera) => sum + camera.bytesPerDay, 0);
  const freeBytes = disks.reduce((sum, disk) => sum + disk.freeBytes, 0);
  return {
    disks,
    watermarks: retention.watermarks(largest),
    cameras: cameras.map((camera) => ({
      ...camera,
      ...reachOf(camera, forecast.reach.get(camera.id)),
    })),
    ...(perDay > 0 ? { daysLeft: freeBytes / perDay } : {}),
    ...(forecast.stopsInDays === undefined ? {} : { stopsInDays: forecast.stopsInDays }),
    nextDeletions: await retention.nextDeletions({
      limit: NEXT_DELETIONS,
      usage: new Map(cameras.map((camera) => [camera.id, camera])),
      lowAtUnixUs: new Map(
        [...forecast.lowInDays].map(([id, days]) => [id, nowUnixUs + days * DAY_US]),
      ),
    }),
    scrub: recorder.scrub.report(),
    ...(warm === undefined || store.warm === undefined
      ? {}
      : { warm: { ...warm, directories: store.warm.directories } }),
  };
}

async function disksOf({ store, timeline, retention }: Reported): Promise<StorageReport['disks']> {
  const footage = timeline.usageOfStores();
  const known = await knownDirectories(timeline, 'store');
  return store.directories.map((disk) => {
    const { path, device, sizeBytes, freeBytes, reason } = disk;
    const watermarks = retention.watermarks(sizeBytes);
    const { lowBytes, criticalBytes } = watermarks;
    const level = freeBytes < criticalBytes ? 'critical' : freeBytes < lowBytes ? 'low' : 'ok';
    return {
      path,
      ...(device === undefined ? {} : { device }),
      state: disk.state === 'ok' ? level : disk.state,
      ...(reason === undefined ? {} : { reason }),
      ...{ sizeBytes, freeBytes, watermarks },
      footageBytes: footage.get(disk.id ?? known.get(path) ?? '') ?? 0,
    } as const;
  });
}

/** How far back each camera reaches, and when each store is low or full, at these rates. */
function forecastSpace(o: {
  readonly store: ChunkStore;
  readonly retention: Retention;
  readonly cameras: readonly CameraUse[];
  readonly footageBytes: number;
  readonly warm: WarmReport | undefined;
}): {
  readonly reach: ReadonlyMap<string, Reach>;
  readonly lowInDays: ReadonlyMap<string, number>;
  readonly stopsInDays?: number;
} {
  const { store, retention, cameras, footageBytes, warm } = o;
  const usable = store.directories.filter(({ state }) => state !== 'failed');
  const above = (mark: keyof Watermarks, disks: ChunkStore['directories']) =>
    disks.reduce((sum, d) => sum + d.freeBytes - retention.watermarks(d.sizeBytes)[mark], 0);
  const warmFree = store.warm?.directories.map(
    (disk) => disk.freeBytes - retention.watermarks(disk.sizeBytes).lowBytes,
  );
  // A tenth of each chunk lies on each warm disk: the fullest one decides.
  const warmBytes =
    warm === undefined || warmFree === undefined || warm.reason !== undefined
      ? 0
      : warm.bytes + Math.max(0, Math.min(...warmFree)) * DATA_SHARDS;
  const users = cameras.map((camera) => ({ ...camera, inflows: camera.brings }));
  const capacityBytes = Math.max(0, footageBytes + above('lowBytes', usable)) + warmBytes;
  const reach = forecastReach(users, capacityBytes);
  const perDay = cameras.reduce((sum, camera) => sum + camera.bytesPerDay, 0);
  const isShort = [...reach.values()].some(({ limitedBy }) => limitedBy === 'disk-space');
  const inDays = (bytes: number) => (perDay > 0 ? Math.max(0, bytes) / perDay : 0);
  const lowInDays = new Map<string, number>();
  for (const { id, freeBytes, sizeBytes } of usable) {
    const isLow = freeBytes < retention.watermarks(sizeBytes).lowBytes;
    // A new chunk goes where most is free: directories fill up together.
    if (id !== undefined && (isLow || isShort)) {
      lowInDays.set(id, isLow ? 0 : inDays(above('lowBytes', usable)));
    }
  }
  return {
    ...{ reach, lowInDays },
    ...(perDay > 0 && !fitsAtLeast(users, capacityBytes)
      ? { stopsInDays: inDays(above('stopBytes', usable)) }
      : {}),
  };
}

function reachOf(
  { brings }: CameraUse,
  reach: Reach = { days: Infinity, limitedBy: 'age' },
): Pick<
  StorageReport['cameras'][number],
  'forecastDays' | 'forecastMotionDays' | 'forecastLowresDays' | 'limitedBy'
> {
  const daysOf = (kind: CameraInflow['kind']) => {
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
