// What came of each camera's tracks and what did not, as Prometheus metrics.

import type { AudioReport, Recorder, TrackReport } from '#pipeline';
import type { Exposition } from './exposition.js';

type Report = TrackReport | AudioReport;

/** What a camera has of a kind is left out where it is not known, and never zero for it. */
export function addTrackMetrics(exposition: Exposition, recorder: Recorder): void {
  const numbers = numbersOf(exposition);
  const drops = exposition.counter(
    'track_dropped_frames_total',
    'Frames that were not kept, by reason.',
    'camera',
    'track',
    'reason',
  );
  const ends = exposition.counter(
    'track_disconnects_total',
    'Connections and attempts that ended, by reason.',
    'camera',
    'track',
    'reason',
  );
  for (const { id: camera, tracks, audio } of recorder.reports()) {
    for (const report of [...tracks, ...(audio === undefined ? [] : [audio])]) {
      const labels = { camera, track: report.track };
      for (const { metric, read } of numbers) {
        const value = read(report);
        if (value !== undefined) metric.set(labels, value);
      }
      for (const [reason, count] of Object.entries(report.dropped)) {
        drops.set({ ...labels, reason }, count);
      }
      if (report.track === 'audio') continue;
      for (const [reason, count] of Object.entries(report.disconnects)) {
        ends.set({ ...labels, reason }, count);
      }
    }
  }
}

interface TrackNumber {
  readonly metric: { set(labels: { camera: string; track: string }, value: number): void };
  /** Undefined where it is not known. */
  read(report: Report): number | undefined;
}

function numbersOf(exposition: Exposition): TrackNumber[] {
  const gauge = (name: string, help: string, read: TrackNumber['read']) => ({
    metric: exposition.gauge(`track_${name}`, help, 'camera', 'track'),
    read,
  });
  const counter = (name: string, help: string, read: TrackNumber['read']) => ({
    metric: exposition.counter(`track_${name}_total`, help, 'camera', 'track'),
    read,
  });
  return [
    counter('frames', 'Whole frames received.', (report) => report.frames),
    counter('packets', 'RTP packets received.', (report) => report.packets),
    counter('received_bytes', 'Of packets, headers included.', (report) => report.bytes),
    counter('lost_packets', 'RTP packets lost.', (report) => report.lostPackets),
    counter(
      'malformed_packets',
      'Packets that could not be read.',
      (report) => report.malformedPackets,
    ),
    counter(
      'clock_jumps',
      'How often the camera set its media clock.',
      (report) => report.clockJumps,
    ),
    counter('connects', 'Runs begun.', (report) => video(report)?.connects),
    gauge('loss_ratio', 'Of packets, over the last minute.', lossRatio),
    gauge(
      'bits_per_second',
      'Payload over the last seconds.',
      (report) => report.bitrate ?? (report.track === 'audio' ? undefined : 0),
    ),
    gauge('frames_per_second', 'Over the last seconds.', (report) => video(report)?.fps),
    gauge('jitter_seconds', 'Interarrival jitter (RFC 3550).', (report) =>
      scaled(report.jitterMs, 0.001),
    ),
    gauge('jitter_floor_seconds', 'What reading in turns makes of the jitter.', (report) =>
      scaled(report.jitterFloorMs, 0.001),
    ),
    gauge(
      'group_seconds',
      'Between the last two key frames.',
      (report) => video(report)?.groupSeconds,
    ),
    gauge(
      'group_shortest_seconds',
      'Between key frames, in the last one to two minutes.',
      (report) => video(report)?.groupSecondsMin,
    ),
    gauge(
      'group_longest_seconds',
      'Between key frames, in the last one to two minutes.',
      (report) => video(report)?.groupSecondsMax,
    ),
    gauge('clock_offset_seconds', "The camera's wall clock minus ours.", (report) =>
      scaled(video(report)?.clockOffsetMs, 0.001),
    ),
    gauge(
      'clock_drift_ratio',
      "How much faster than ours the camera's media clock goes.",
      (report) => scaled(report.clockDriftPpm, 1e-6),
    ),
    gauge('last_frame_timestamp_seconds', 'When the last frame came, Unix time.', (report) =>
      scaled(report.lastFrameUnixUs, 1e-6),
    ),
  ];
}

function video(report: Report): TrackReport | undefined {
  return report.track === 'audio' ? undefined : report;
}

function lossRatio({ recent }: Report): number | undefined {
  if (recent === undefined) return undefined;
  const sent = recent.packets + recent.lostPackets;
  return sent === 0 ? undefined : recent.lostPackets / sent;
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : Number((value * by).toPrecision(12));
}
