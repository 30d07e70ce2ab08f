// How full the disks are, with what, for how long, and what goes next.

import type { ChunkStore, WarmTier } from '#store';
import type { Timeline } from '#timeline';
import type { Scrub, ScrubReport } from './scrub.js';
import type { WarmMover, WarmReport } from './warm-mover.js';
import type { RetentionPolicy } from './retention-policy.js';
import type { NextDeletion, Retention, Watermarks } from './retention.js';

const DAY_US = 86_400_000_000;
const NEXT_DELETIONS = 20;

export interface StorageReport {
  readonly disks: readonly {
    readonly path: string;
    readonly device?: string;
    readonly state: 'ok' | 'low' | 'critical' | 'full' | 'failed';
    readonly reason?: string;
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly footageBytes: number;
  }[];
  readonly watermarks: Watermarks;
  readonly cameras: readonly {
    readonly id: string;
    readonly bytes: number;
    readonly chunks: number;
    readonly oldestUnixUs: number;
    readonly newestUnixUs: number;
    readonly bytesPerDay: number;
    readonly retentionDays: number;
    /** So far back it will reach at today's rates, and what decides that. */
    readonly forecastDays: number;
    readonly limitedBy: 'age' | 'camera-bytes' | 'disk-space';
  }[];
  readonly daysLeft?: number;
  readonly nextDeletions: readonly NextDeletion[];
  readonly scrub: ScrubReport;
  readonly warm?: WarmReport & { readonly directories: WarmTier['directories'] };
}

export async function reportStorage(recorder: {
  readonly store: ChunkStore;
  readonly timeline: Timeline;
  readonly retention: Retention;
  readonly scrub: Pick<Scrub, 'report'>;
  readonly warm: Pick<WarmMover, 'report'>;
  retentionOf(camera: string): RetentionPolicy | undefined;
  /** Bytes a second that are written now, by camera. */
  writeRates(): ReadonlyMap<string, number>;
}): Promise<StorageReport> {
  const { store, timeline, retention } = recorder;
  await store.refresh();
  const rates = recorder.writeRates();
  const usage = await timeline.usage();
  const cameras = usage.map((row) => ({
    id: row.camera,
    bytes: row.bytes,
    chunks: row.chunks,
    oldestUnixUs: row.oldestUnixUs,
    newestUnixUs: row.newestUnixUs,
    bytesPerDay: Math.round((rates.get(row.camera) ?? 0) * 86_400) || perDay(row),
    retentionDays: recorder.retentionOf(row.camera)?.days ?? 0,
  }));
  const warm = recorder.warm.report();
  const allBytes = usage.reduce((sum, row) => sum + row.bytes, 0);
  const footageBytes = Math.max(0, allBytes - (warm?.bytes ?? 0));
  const directories = store.directories;
  const usedBytes = directories.reduce((sum, disk) => sum + disk.sizeBytes - disk.freeBytes, 0);
  const disks = directories.map((disk) => {
    const { lowBytes, criticalBytes } = retention.watermarks(disk.sizeBytes);
    const { path, device, sizeBytes, freeBytes, reason } = disk;
    // Chunks do not say per disk what they hold without reading them all: by each disk's share.
    const share = usedBytes === 0 ? 0 : (sizeBytes - freeBytes) / usedBytes;
    const level = freeBytes < criticalBytes ? 'critical' : freeBytes < lowBytes ? 'low' : 'ok';
    return {
      path,
      ...(device === undefined ? {} : { device }),
      state: disk.state === 'ok' ? level : disk.state,
      ...(reason === undefined ? {} : { reason }),
      sizeBytes,
      freeBytes,
      footageBytes: Math.round(footageBytes * (directories.length === 1 ? 1 : share)),
    } as const;
  });
  const bytesPerDay = cameras.reduce((sum, camera) => sum + camera.bytesPerDay, 0);
  const freeBytes = disks.reduce((sum, disk) => sum + disk.freeBytes, 0);
  // As long as footage goes for space, the disks hold this, without what the low mark keeps free.
  const lowBytes = directories.reduce(
    (sum, disk) => sum + retention.watermarks(disk.sizeBytes).lowBytes,
    0,
  );
  const spaceDays =
    bytesPerDay > 0 ? Math.max(0, footageBytes + freeBytes - lowBytes) / bytesPerDay : Infinity;
  const largest = Math.max(0, ...directories.map((disk) => disk.sizeBytes));
  return {
    disks,
    watermarks: retention.watermarks(largest),
    cameras: cameras.map((camera) => ({
      ...camera,
      ...forecastOf(recorder.retentionOf(camera.id), camera.bytesPerDay, spaceDays),
    })),
    ...(bytesPerDay > 0 ? { daysLeft: freeBytes / bytesPerDay } : {}),
    nextDeletions: await retention.nextDeletions(NEXT_DELETIONS),
    scrub: recorder.scrub.report(),
    ...(warm === undefined || store.warm === undefined
      ? {}
      : { warm: { ...warm, directories: store.warm.directories } }),
  };
}

function forecastOf(
  policy: RetentionPolicy | undefined,
  bytesPerDay: number,
  spaceDays: number,
): Pick<StorageReport['cameras'][number], 'forecastDays' | 'limitedBy'> {
  const { maxBytes = Infinity, minDays = 0, whenFull } = policy ?? {};
  const ageDays = policy?.days ?? 0;
  const byteDays = bytesPerDay > 0 ? Math.max(minDays, maxBytes / bytesPerDay) : Infinity;
  const diskDays = whenFull === 'stop-recording' ? Infinity : Math.max(minDays, spaceDays);
  if (ageDays <= byteDays && ageDays <= diskDays)
    return { forecastDays: ageDays, limitedBy: 'age' };
  return byteDays <= diskDays
    ? { forecastDays: byteDays, limitedBy: 'camera-bytes' }
    : { forecastDays: diskDays, limitedBy: 'disk-space' };
}

/** Over the time that footage is there; a first hour says little about a day. */
function perDay(row: { bytes: number; oldestUnixUs: number; newestUnixUs: number }): number {
  const spanUs = Math.max(3_600_000_000, row.newestUnixUs - row.oldestUnixUs);
  return Math.round((row.bytes * DAY_US) / Math.max(spanUs, DAY_US / 24));
}
