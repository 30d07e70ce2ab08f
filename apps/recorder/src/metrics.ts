// Prometheus metrics of a recorder, gathered when they are asked for.

import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Playback, Recorder } from '#pipeline';
import { Exposition } from './exposition.js';
import { addTrackMetrics } from './track-metrics.js';

/** One registry per process: the default metrics watch the event loop from the start. */
const processRegistry = new Registry();
let watching = false;

export async function metricsText(recorder: Recorder, playback: Playback): Promise<string> {
  if (!watching) collectDefaultMetrics({ register: processRegistry });
  watching = true;
  const exposition = new Exposition();
  const { gauge, counter } = exposition;

  const online = gauge('camera_online', 'Whether the main stream comes.', 'camera');
  const recording = gauge('camera_recording', 'Whether footage is kept now.', 'camera');
  const events = gauge('camera_events_ok', 'Whether its own events are told.', 'camera');
  const endless = counter('camera_endless_alarms_total', 'Alarms closed by us.', 'camera');
  for (const { id: camera, state, recording: kept, motion } of recorder.reports()) {
    if (motion.events !== undefined) {
      events.set({ camera }, motion.events.state === 'ok' ? 1 : 0);
      endless.set({ camera }, motion.events.endlessAlarms);
    }
    online.set({ camera }, state === 'online' ? 1 : 0);
    recording.set({ camera }, kept.active ? 1 : 0);
  }
  addTrackMetrics(exposition, recorder);

  const written = counter('track_written_bytes_total', 'Payload written.', 'camera', 'track');
  const syncs = counter('track_syncs_total', 'How often footage was made safe.', 'camera', 'track');
  const slowest = gauge('track_slowest_sync_seconds', 'Since the start.', 'camera', 'track');
  const lostRecords = counter(
    'track_lost_records_total',
    'Records no disk took.',
    'camera',
    'track',
  );
  for (const { camera, track, ...counters } of recorder.flushCounters()) {
    const labels = { camera, track };
    written.set(labels, counters.bytes);
    syncs.set(labels, counters.syncs);
    slowest.set(labels, counters.slowestSyncMs / 1000);
    lostRecords.set(labels, counters.lostRecords);
  }

  const free = gauge('disk_free_bytes', 'Of the file system.', 'path');
  const size = gauge('disk_size_bytes', 'Of the file system.', 'path');
  const usable = gauge('disk_usable', 'Whether footage can be written to it.', 'path');
  const slow = gauge('disk_slow', 'Whether its writes take seconds.', 'path');
  const marks = gauge('disk_watermark_bytes', 'Free space at which it acts.', 'path', 'level');
  for (const { path, freeBytes, sizeBytes, state } of recorder.store.directories) {
    const { lowBytes, criticalBytes, stopBytes } = recorder.retention.watermarks(sizeBytes);
    marks.set({ path, level: 'low' }, lowBytes);
    marks.set({ path, level: 'critical' }, criticalBytes);
    marks.set({ path, level: 'stop' }, stopBytes);
    free.set({ path }, freeBytes);
    size.set({ path }, sizeBytes);
    usable.set({ path }, state === 'ok' || state === 'slow' ? 1 : 0);
    slow.set({ path }, state === 'slow' ? 1 : 0);
  }
  gauge('waiting_bytes', 'Footage that waits for a disk.').set(recorder.waiting.total);
  gauge('pre_roll_bytes', 'Memory of the pre-rolls.').set(recorder.ringBytes);
  gauge('record_memory_bytes', 'Memory of all records.').set(recorder.pool.usedBytes);
  gauge('record_payload_bytes', 'What cameras sent of it, without room.').set(
    recorder.pool.payloadBytes,
  );
  gauge('record_free_memory_bytes', 'Memory kept for records to come.').set(
    recorder.pool.freeBytes,
  );
  counter('deleted_bytes_total', 'By retention, since the start.').set(
    {},
    recorder.retention.deletedBytes,
  );
  counter('damaged_groups_total', 'Groups that could not be read.').set({}, playback.damagedGroups);
  gauge('retention_stuck_disks', 'Low disks on which nothing more may be deleted.').set(
    recorder.retention.alarms.length,
  );
  const scrub = recorder.scrub.report();
  gauge('scrub_read_bytes', 'Of this round.').set(scrub.bytes);
  gauge('scrub_round_bytes', 'That a whole round reads.').set(scrub.totalBytes);
  gauge('scrub_broken_seals', 'In this round.').set(scrub.brokenSeals);
  gauge('damaged_chunks', 'Chunks with damage that are still there.').set(scrub.damagedChunks);
  const warm = recorder.warm.report();
  if (warm !== undefined) {
    gauge('warm_bytes', 'Footage in the warm tier, without parity.').set(warm.bytes);
    gauge('warm_chunks', 'Chunks in the warm tier.').set(warm.chunks);
    counter('warm_moved_chunks_total', 'Since the start.').set({}, warm.movedChunks);
    counter('warm_mended_shards_total', 'Lost or damaged, written anew.').set(
      {},
      warm.mendedShards,
    );
    const stripes = gauge('warm_stripes', 'By what of their 14 shards is there.', 'state');
    for (const [state, count] of Object.entries(warm.stripes)) stripes.set({ state }, count);
    const missing = gauge('warm_missing_shards', 'That a directory lacks.', 'slot');
    for (const [slot, count] of warm.missingShards.entries()) {
      missing.set({ slot: String(slot) }, count);
    }
    gauge('warm_mending_stripes', 'Still to be mended.').set(
      warm.mending === undefined ? 0 : warm.mending.total - warm.mending.done,
    );
    gauge('warm_lost_stripes', 'More than four shards are lost.').set(warm.lostStripes);
    counter('warm_reconstructed_reads_total', 'Reads that were computed.').set(
      {},
      warm.reconstructedReads,
    );
    gauge('warm_fault', 'Whether nothing can move there.').set(warm.reason === undefined ? 0 : 1);
  }
  gauge('faults', 'What is wrong with the recorder.').set(recorder.faults.length);
  return (await processRegistry.metrics()) + (await exposition.text());
}
