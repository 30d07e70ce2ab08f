// How full the disks are, with what, for how long, and what goes next.

import {
  forecastStorage,
  reachByKind,
  type Clock,
  type KindInflow,
  type Reach,
  type StorageForecast,
} from '#base';
import { DATA_SHARDS, type ChunkStore, type StoreDirectory, type WarmTier } from '#store';
import { knownDirectories, type Timeline } from '#timeline';
import type { Scrub, ScrubReport } from './scrub.js';
import type { WarmMover, WarmReport } from './warm-mover.js';
import type { RetentionPolicy } from './retention-policy.js';
import { averagePerDay } from './camera-inflow.js';
import type { NextDeletion } from './next-deletions.js';
import type { Retention, Watermarks } from './retention.js';

const DAY_US = 86_400_000_000;
const NEXT_DELETIONS = 20;
/** Whoever asks is not to wait for a disk that hangs. */
const PATIENCE_MS = 1000;
const BY_AGE: Reach = { days: Infinity, limitedBy: 'age' };

interface CameraUse {
  readonly id: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly oldestUnixUs: number;
  readonly newestUnixUs: number;
  readonly bytesPerDay: number;
  readonly brings: readonly KindInflow[];
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
  readonly warm?: WarmReport & {
    readonly directories: WarmTier['directories'];
    /** Of footage that it still takes; absent while it takes none. */
    readonly roomBytes?: number;
  };
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
  const usable = store.directories.filter(({ state }) => state !== 'failed');
  const roomBytes = warmRoomOf(store, retention);
  const forecast = forecastStorage({
    users: cameras.map((camera) => ({ ...camera, inflows: camera.brings })),
    disks: usable.map(({ sizeBytes, freeBytes }) => ({
      ...retention.watermarks(sizeBytes),
      freeBytes,
    })),
    footageBytes,
    warm: warm === undefined ? [] : [{ bytes: warm.bytes, roomBytes }],
  });
  const { daysLeft, stopsInDays } = forecast;
  return {
    disks,
    watermarks: retention.watermarks(largest),
    cameras: cameras.map((camera) => ({
      ...camera,
      ...reachByKind(camera.brings, forecast.reach.get(camera.id) ?? BY_AGE),
    })),
    ...(daysLeft === undefined ? {} : { daysLeft }),
    ...(stopsInDays === undefined ? {} : { stopsInDays }),
    nextDeletions: await retention.nextDeletions({
      limit: NEXT_DELETIONS,
      usage: new Map(cameras.map((camera) => [camera.id, camera])),
      lowAtUnixUs: new Map(
        [...lowInDaysOf(usable, retention, forecast)].map(([id, days]) => [
          id,
          nowUnixUs + days * DAY_US,
        ]),
      ),
    }),
    scrub: recorder.scrub.report(),
    ...(warm === undefined || store.warm === undefined
      ? {}
      : {
          warm: {
            ...{ ...warm, directories: store.warm.directories },
            ...(roomBytes === undefined ? {} : { roomBytes }),
          },
        }),
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

/** Bytes of footage that the tier still takes; undefined while it takes none. */
function warmRoomOf(store: ChunkStore, retention: Retention): number | undefined {
  const { warm } = store;
  if (warm === undefined || warm.fault !== undefined) return undefined;
  const free = warm.directories.map(
    (disk) => disk.freeBytes - retention.watermarks(disk.sizeBytes).lowBytes,
  );
  // A tenth of each chunk lies on each warm disk: the fullest one decides.
  return Math.max(0, Math.min(...free)) * DATA_SHARDS;
}

/** By the id of a store. They fill up together, since a new chunk goes where most is free. */
function lowInDaysOf(
  directories: readonly StoreDirectory[],
  retention: Retention,
  { reach, lowInDays }: StorageForecast,
): ReadonlyMap<string, number> {
  const isShort = [...reach.values()].some(({ limitedBy }) => limitedBy === 'disk-space');
  const low = new Map<string, number>();
  for (const { id, freeBytes, sizeBytes } of directories) {
    const isLow = freeBytes < retention.watermarks(sizeBytes).lowBytes;
    if (id !== undefined && (isLow || isShort)) low.set(id, isLow ? 0 : lowInDays);
  }
  return low;
}
