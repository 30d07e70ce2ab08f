// Prometheus metrics of a recorder, gathered when they are asked for.

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Playback, Recorder } from '#pipeline';

/** One registry per process: the default metrics watch the event loop from the start. */
const processRegistry = new Registry();
let watching = false;

export async function metricsText(recorder: Recorder, playback: Playback): Promise<string> {
  if (!watching) collectDefaultMetrics({ register: processRegistry });
  watching = true;
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `nightjar_${name}`, help, labelNames, registers: [registry] });

  const online = gauge('camera_online', 'Whether the main stream comes.', 'camera');
  const recording = gauge('camera_recording', 'Whether footage is kept now.', 'camera');
  const frames = gauge('track_frames_total', 'Frames received.', 'camera', 'track');
  const bitrate = gauge('track_bits_per_second', 'Over the last seconds.', 'camera', 'track');
  const lost = gauge('track_lost_packets_total', 'RTP packets lost.', 'camera', 'track');
  const connects = gauge('track_connects_total', 'Runs begun.', 'camera', 'track');
  const dropped = gauge(
    'track_dropped_frames_total',
    'Frames not kept.',
    'camera',
    'track',
    'reason',
  );
  const ended = gauge('track_disconnects_total', 'Runs ended.', 'camera', 'track', 'reason');
  const events = gauge('camera_events_ok', 'Whether its own events are told.', 'camera');
  const endless = gauge('camera_endless_alarms_total', 'Alarms closed by us.', 'camera');
  for (const { id: camera, state, recording: kept, motion, tracks } of recorder.reports()) {
    if (motion.events !== undefined) {
      events.set({ camera }, motion.events.state === 'ok' ? 1 : 0);
      endless.set({ camera }, motion.events.endlessAlarms);
    }
    online.set({ camera }, state === 'online' ? 1 : 0);
    recording.set({ camera }, kept.active ? 1 : 0);
    for (const report of tracks) {
      const labels = { camera, track: report.track };
      frames.set(labels, report.frames);
      bitrate.set(labels, report.bitrate ?? 0);
      lost.set(labels, report.lostPackets);
      connects.set(labels, report.connects);
      for (const [reason, count] of Object.entries(report.dropped))
        dropped.set({ ...labels, reason }, count);
      for (const [reason, count] of Object.entries(report.disconnects))
        ended.set({ ...labels, reason }, count);
    }
  }

  const written = gauge('track_written_bytes_total', 'Payload written.', 'camera', 'track');
  const syncs = gauge('track_syncs_total', 'How often footage was made safe.', 'camera', 'track');
  const slowest = gauge('track_slowest_sync_ms', 'Since the start.', 'camera', 'track');
  const lostRecords = gauge('track_lost_records_total', 'Records no disk took.', 'camera', 'track');
  for (const { camera, track, ...counters } of recorder.flushCounters()) {
    const labels = { camera, track };
    written.set(labels, counters.bytes);
    syncs.set(labels, counters.syncs);
    slowest.set(labels, counters.slowestSyncMs);
    lostRecords.set(labels, counters.lostRecords);
  }

  const free = gauge('disk_free_bytes', 'Of the file system.', 'path');
  const size = gauge('disk_size_bytes', 'Of the file system.', 'path');
  const usable = gauge('disk_usable', 'Whether footage can be written to it.', 'path');
  for (const { path, freeBytes, sizeBytes, state } of recorder.store.directories) {
    free.set({ path }, freeBytes);
    size.set({ path }, sizeBytes);
    usable.set({ path }, state === 'ok' ? 1 : 0);
  }
  gauge('waiting_bytes', 'Footage that waits for a disk.').set(recorder.waiting.total);
  gauge('pre_roll_bytes', 'Memory of the pre-rolls.').set(recorder.ringBytes);
  gauge('record_memory_bytes', 'Memory of all records.').set(recorder.pool.usedBytes);
  gauge('record_free_memory_bytes', 'Memory kept for records to come.').set(
    recorder.pool.freeBytes,
  );
  gauge('deleted_bytes_total', 'By retention, since the start.').set(
    recorder.retention.deletedBytes,
  );
  gauge('damaged_groups_total', 'Groups that could not be read.').set(playback.damagedGroups);
  const scrub = recorder.scrub.report();
  gauge('scrub_read_bytes', 'Of this round.').set(scrub.bytes);
  gauge('scrub_total_bytes', 'That a whole round reads.').set(scrub.totalBytes);
  gauge('scrub_broken_seals', 'In this round.').set(scrub.brokenSeals);
  gauge('damaged_chunks', 'Chunks with damage that are still there.').set(scrub.damagedChunks);
  const warm = recorder.warm.report();
  if (warm !== undefined) {
    gauge('warm_bytes', 'Footage in the warm tier, without parity.').set(warm.bytes);
    gauge('warm_chunks', 'Chunks in the warm tier.').set(warm.chunks);
    gauge('warm_moved_chunks_total', 'Since the start.').set(warm.movedChunks);
    gauge('warm_mended_shards_total', 'Lost or damaged, written anew.').set(warm.mendedShards);
    gauge('warm_lost_stripes', 'More than four shards are lost.').set(warm.lostStripes);
    gauge('warm_reconstructed_reads_total', 'Reads that were computed.').set(
      warm.reconstructedReads,
    );
    gauge('warm_fault', 'Whether nothing can move there.').set(warm.reason === undefined ? 0 : 1);
  }
  gauge('faults', 'What is wrong with the recorder.').set(recorder.faults.length);
  return (await processRegistry.metrics()) + (await registry.metrics());
}
