// What a track tells of itself: its format, what came of it, what did not, and how evenly.

import type { AudioFormat, TrackName, VideoFormat } from '#media';
import type { AudioCounters, StreamCounters } from '#rtsp';
import type { RecentTrafficReport } from './recent-traffic.js';

/** Counts are over all runs since the process began. */
interface ArrivalReport {
  /** RTP packets; messages where a camera pushes. */
  readonly packets: number;
  /** Of packets, headers included. */
  readonly bytes: number;
  readonly lostPackets: number;
  readonly malformedPackets: number;
  /** How often the camera set its clock. */
  readonly clockJumps: number;
  /** Interarrival jitter (RFC 3550): of datagrams, or of whole frames within a connection. */
  readonly jitterMs?: number;
  /** What of it reading in turns makes by itself, on average. */
  readonly jitterFloorMs?: number;
  /** How much faster than ours the camera's media clock goes; after the first minute of a run. */
  readonly clockDriftPpm?: number;
  readonly recent?: RecentTrafficReport;
}

export interface TrackReport extends ArrivalReport {
  readonly track: TrackName;
  readonly format?: VideoFormat;
  readonly fps?: number;
  readonly bitrate?: number;
  /** Between the last two key frames. */
  readonly groupSeconds?: number;
  /** In the last one to two minutes. */
  readonly groupSecondsMin?: number;
  readonly groupSecondsMax?: number;
  /** The camera's wall clock minus ours, by its last sender report. */
  readonly clockOffsetMs?: number;
  readonly lastFrameUnixUs?: number;
  readonly frames: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly connects: number;
  readonly disconnects: Readonly<Record<string, number>>;
}

/** The sound that a stream brings beside its picture. */
export interface AudioReport extends ArrivalReport {
  readonly track: 'audio';
  /** Absent while none comes. */
  readonly format?: AudioFormat;
  /** As the camera names its coding. */
  readonly encoding?: string;
  /** Why it does not come, as a sentence. */
  readonly reason?: string;
  readonly bitrate?: number;
  readonly lastFrameUnixUs?: number;
  readonly frames: number;
  readonly dropped: Readonly<Record<string, number>>;
}

export function arrivalsOf(o: {
  readonly counters: Readonly<StreamCounters> | Readonly<AudioCounters>;
  /** Those that the pipeline saw, beside the stream's own. */
  readonly clockJumps: number;
  readonly driftPpm: number | undefined;
  /** Undefined while nothing comes: then there is no jitter to tell of. */
  readonly floorMs: number | undefined;
  readonly recent: RecentTrafficReport | undefined;
}): ArrivalReport {
  const { counters, driftPpm, floorMs, recent } = o;
  const { packets, bytes, lostPackets, malformedPackets, jitter } = counters;
  return {
    packets,
    bytes,
    lostPackets,
    malformedPackets,
    clockJumps: counters.clockJumps + o.clockJumps,
    ...(floorMs === undefined
      ? {}
      : { jitterMs: round(jitter.ms, 2), jitterFloorMs: round(floorMs, 2) }),
    ...(driftPpm === undefined ? {} : { clockDriftPpm: round(driftPpm, 1) }),
    ...(recent === undefined ? {} : { recent }),
  };
}

/** A frame that the stream gives up is counted by it and by the ingest, under one reason. */
export function dropsOf(...records: readonly Readonly<Record<string, number>>[]) {
  const drops: Record<string, number> = {};
  for (const record of records) {
    for (const reason in record) {
      drops[reason] = Math.max(drops[reason] ?? 0, record[reason] ?? 0);
    }
  }
  return drops;
}

export function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
