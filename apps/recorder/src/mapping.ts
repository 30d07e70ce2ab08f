// Between the contract's shapes and the pipeline's values.

import { NightjarError } from '#base';
import type {
  CameraStatus,
  Deletion,
  GapReason,
  MotionAnswer,
  RecorderCamera,
  RecorderConfig,
  Storage,
  TimelineAnswer,
  TrackStatus,
} from '#contract';
import { gapReasonSchema } from '#contract';
import type {
  AudioReport,
  CameraReport,
  CameraSettings,
  ClipGap,
  RecorderSettings,
  StorageReport,
  TrackReport,
} from '#pipeline';
import type { DeletionRow, GapRow, MotionPage, MotionRow, RecordingSpan } from '#timeline';

export function instantOf(unixUs: number): string {
  return new Date(Math.round(unixUs / 1000)).toISOString();
}

export function recorderSettingsOf(config: RecorderConfig): RecorderSettings {
  return { cameras: config.cameras.map(cameraSettingsOf), holds: config.holds };
}

function cameraSettingsOf(camera: RecorderCamera): CameraSettings {
  return camera;
}

export function cameraStatusOf(report: CameraReport): CameraStatus {
  const tracks = report.tracks.map(trackStatusOf);
  const main = report.tracks.find(({ track }) => track === 'main');
  if (report.audio !== undefined) tracks.push(soundStatusOf(report.audio));
  const { recording, motion, state, reason } = report;
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...pictureOf(main),
    recording: {
      active: recording.active,
      mode: recording.mode,
      ...(recording.sinceUnixUs === undefined ? {} : { since: instantOf(recording.sinceUnixUs) }),
      ...(recording.reason === undefined ? {} : { reason: recording.reason }),
    },
    motion: { ...motion, level: clamped(motion.level) },
    tracks,
  };
}

/** What the camera's own fields repeat of its main track. */
function pictureOf(main: TrackReport | undefined) {
  if (main === undefined) return {};
  const { codec, width, height } = main.format ?? {};
  const { fps, bitrate, groupSeconds, clockOffsetMs, lastFrameAt } = trackStatusOf(main);
  return definedOf({
    codec,
    width,
    height,
    fps,
    bitrate,
    groupSeconds,
    clockOffsetMs,
    lastFrameAt,
  });
}

function trackStatusOf(report: TrackReport): TrackStatus {
  const { format, lastFrameUnixUs, fps, bitrate } = report;
  const { groupSeconds, groupSecondsMin, groupSecondsMax, clockOffsetMs } = report;
  return {
    track: report.track,
    ...definedOf({
      codec: format?.codec,
      width: format?.width,
      height: format?.height,
      fps,
      bitrate,
      groupSeconds,
      groupSecondsMin,
      groupSecondsMax,
      clockOffsetMs,
      lastFrameAt: lastFrameUnixUs === undefined ? undefined : instantOf(lastFrameUnixUs),
    }),
    frames: report.frames,
    ...arrivalsOf(report),
    dropped: { ...report.dropped },
    connects: report.connects,
    disconnects: { ...report.disconnects },
  };
}

function arrivalsOf(report: TrackReport | AudioReport) {
  const { packets, bytes, lostPackets, malformedPackets, clockJumps } = report;
  const { jitterMs, jitterFloorMs, clockDriftPpm, recent } = report;
  return {
    ...{ packets, bytes, lostPackets, malformedPackets, clockJumps },
    ...definedOf({ jitterMs, jitterFloorMs, clockDriftPpm, recent }),
  };
}

/** The sound of the main stream. Connections are the picture's: sound has none of its own. */
function soundStatusOf(report: AudioReport): TrackStatus {
  const { format, encoding, reason, bitrate, lastFrameUnixUs } = report;
  return {
    track: 'audio',
    ...definedOf({
      codec: format?.codec,
      sampleRate: format?.sampleRate,
      channels: format?.channels,
      encoding,
      reason,
      bitrate,
      lastFrameAt: lastFrameUnixUs === undefined ? undefined : instantOf(lastFrameUnixUs),
    }),
    frames: report.frames,
    ...arrivalsOf(report),
    dropped: { ...report.dropped },
    connects: 0,
    disconnects: {},
  };
}

/** Without the fields that are undefined. */
function definedOf<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

export function cameraTimelineOf(
  id: string,
  rows: {
    recordings: readonly RecordingSpan[];
    motion: readonly MotionRow[];
    gaps: readonly GapRow[];
  },
  period: { fromUnixUs: number; toUnixUs: number; nowUnixUs: number },
): TimelineAnswer['cameras'][number] {
  const { fromUnixUs, toUnixUs, nowUnixUs } = period;
  const endUs = Math.min(toUnixUs, nowUnixUs);
  return {
    id,
    recordings: rows.recordings.map((span) => ({
      from: instantOf(span.fromUnixUs),
      to: instantOf(span.toUnixUs),
      track: span.track,
    })),
    motion: rows.motion
      .map((row) => ({
        from: instantOf(row.startUnixUs),
        to: instantOf(row.endUnixUs),
        peak: clamped(row.peak),
      }))
      .reverse(),
    gaps: rows.gaps
      .map((row) => ({
        fromUs: Math.max(row.startUnixUs, fromUnixUs),
        toUs: Math.min(row.endUnixUs ?? endUs, toUnixUs),
        reason: reasonOf(row.reason),
      }))
      .filter(({ fromUs, toUs }) => fromUs < toUs)
      .map(({ fromUs, toUs, reason }) => ({
        from: instantOf(fromUs),
        to: instantOf(toUs),
        reason,
      })),
  };
}

export function motionAnswerOf(page: MotionPage): MotionAnswer {
  return {
    items: page.items.map((row) => ({
      id: `${row.camera}:${row.startUnixUs}`,
      camera: row.camera,
      from: instantOf(row.startUnixUs),
      to: instantOf(row.endUnixUs),
      peak: clamped(row.peak),
      cells: cellsOf(row.cells),
    })),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}

export function storageOf(report: StorageReport, recorder: string): Storage {
  return {
    disks: report.disks.map((disk) => ({ ...disk })),
    watermarks: report.watermarks,
    cameras: report.cameras.map(({ oldestUnixUs, newestUnixUs, brings, ...camera }) => ({
      ...camera,
      brings: [...brings],
      oldest: instantOf(oldestUnixUs),
      newest: instantOf(newestUnixUs),
    })),
    ...(report.daysLeft === undefined ? {} : { daysLeft: report.daysLeft }),
    ...(report.stopsInDays === undefined ? {} : { stopsInDays: report.stopsInDays }),
    nextDeletions: report.nextDeletions.map((next) => ({
      ...{ camera: next.camera, bytes: next.bytes, rule: next.rule },
      at: instantOf(next.atUnixUs),
      from: instantOf(next.fromUnixUs),
      to: instantOf(next.toUnixUs),
    })),
    scrubs: [scrubOf(report.scrub, recorder)],
    warmTiers: report.warm === undefined ? [] : [warmTierOf(report.warm, recorder)],
  };
}

function scrubOf(scrub: StorageReport['scrub'], recorder: string): Storage['scrubs'][number] {
  const { startedAtUnixUs, completedAtUnixUs, damage, ...rest } = scrub;
  return {
    recorder,
    ...rest,
    damage: damage.map(({ camera, track, fromUnixUs, toUnixUs }) => ({
      ...{ camera, track, from: instantOf(fromUnixUs), to: instantOf(toUnixUs) },
    })),
    ...(startedAtUnixUs === undefined ? {} : { startedAt: instantOf(startedAtUnixUs) }),
    ...(completedAtUnixUs === undefined ? {} : { completedAt: instantOf(completedAtUnixUs) }),
  };
}

function warmTierOf(
  { directories, missingShards, ...warm }: NonNullable<StorageReport['warm']>,
  recorder: string,
): Storage['warmTiers'][number] {
  return {
    recorder,
    ...warm,
    directories: directories.map(({ path, slot, state, reason, sizeBytes, freeBytes }) => ({
      path,
      ...(slot === undefined ? {} : { slot, missingShards: missingShards[slot] ?? 0 }),
      state,
      ...(reason === undefined ? {} : { reason }),
      sizeBytes,
      freeBytes,
    })),
  };
}

/** HTTP headers may not grow without end: what comes behind so many gaps is one item. */
const LISTED_GAPS = 100;

/** `<from>/<to>;<reason>, ...`; with too many gaps the last item, `several`, spans the rest. */
export function gapsHeader(gaps: readonly ClipGap[]): string | undefined {
  if (gaps.length === 0) return undefined;
  const listed = gaps.slice(0, LISTED_GAPS);
  const rest = gaps.slice(LISTED_GAPS);
  const [first] = rest;
  const last = rest.at(-1);
  if (first !== undefined && last !== undefined) {
    const { fromUnixUs } = first;
    listed.push({ fromUnixUs, toUnixUs: last.toUnixUs, reason: 'several' });
  }
  return listed
    .map((gap) => `${instantOf(gap.fromUnixUs)}/${instantOf(gap.toUnixUs)};${gap.reason}`)
    .join(', ');
}

export function deletionOf(row: DeletionRow): Deletion {
  return {
    at: instantOf(row.atUnixUs),
    camera: row.camera,
    track: row.track,
    chunk: row.chunkPath,
    from: instantOf(row.fromUnixUs),
    to: instantOf(row.toUnixUs),
    bytes: row.bytes,
    rule: row.rule,
  };
}

/** The cells that a region of the picture touches, as the timeline's bits. */
export function regionCells(
  [x, y, width, height]: readonly [number, number, number, number],
  columns: number,
  rows: number,
): Uint8Array {
  const bits = new Uint8Array(Math.ceil((columns * rows) / 8));
  const last = (edge: number, count: number) =>
    Math.min(count - 1, Math.ceil(edge * count - 1e-9) - 1);
  for (let row = Math.floor(y * rows); row <= last(y + height, rows); row++) {
    for (let column = Math.floor(x * columns); column <= last(x + width, columns); column++) {
      const cell = row * columns + column;
      bits[cell >> 3] = (bits[cell >> 3] ?? 0) | (1 << (cell & 7));
    }
  }
  return bits;
}

function cellsOf(bits: Uint8Array): number[] {
  const cells: number[] = [];
  for (let cell = 0; cell < bits.length * 8; cell++) {
    if (((bits[cell >> 3] ?? 0) >> (cell & 7)) & 1) cells.push(cell);
  }
  return cells;
}

function reasonOf(text: string): GapReason {
  const reason = gapReasonSchema.safeParse(text);
  return reason.success ? reason.data : 'unknown';
}

function clamped(level: number): number {
  return Math.max(0, Math.min(1, level));
}

export function notKnown(camera: string): NightjarError {
  return new NightjarError('not-found', 'this recorder has no such camera', { camera });
}
