// How long a recorder takes from its start until it records, over 1 TB of (sparse) chunks of 100
// cameras that a kill left with unindexed tails; beside it, the same over an empty store.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, startRecorder, startSimulator, stop } from '../bench/rig.mjs';
import { buildLargeStore } from '../../dist/test/faults/large-store.js';

const CAMERAS = 100;
const CHUNKS_PER_CAMERA = 1000;
const MOST_MS = 5000;
const EXTRA_MS = 1000;
const START_DEADLINE_MS = 120_000;

export async function run({ clip, directory, say }) {
  const simulator = await startSimulator({ clip, copies: CAMERAS, directory });
  const urls = Array.from({ length: CAMERAS }, (_, number) => simulator.url(number + 1));
  const results = [];
  try {
    for (const what of ['an empty store', `${CAMERAS} cameras, 1 TB of chunks`]) {
      const result = { fault: `start over ${what}`, rounds: 1, recoveryMs: [], failures: [] };
      results.push(result);
      const isLarge = results.length > 1;
      const place = join(directory, isLarge ? 'large' : 'empty');
      mkdirSync(place, { recursive: true });
      const endUnixUs = (Date.now() - 60_000) * 1000;
      const cameras = urls.map(
        (_, index) => `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`,
      );
      if (isLarge) {
        const data = join(place, 'data');
        await buildLargeStore({ data, cameras, chunksPerCamera: CHUNKS_PER_CAMERA, endUnixUs });
        say('the large store is built');
      }
      const recorder = await startRecorder({
        urls,
        directory: place,
        motion: 'off',
        environment: { NIGHTJAR_LOG_LEVEL: 'error' },
      });
      const startedMs = performance.now();
      const since = () => Math.round(performance.now() - startedMs);
      try {
        const times = await untilFirstAndAll(recorder, since);
        result.recoveryMs.push(times.first);
        say(`${what}: up ${times.up} ms, first camera ${times.first} ms, all ${times.all} ms`);
        if (isLarge) {
          // What the machine takes for an empty store is no matter of recovery.
          if (times.first > Math.max(MOST_MS, results[0].recoveryMs[0] + EXTRA_MS)) {
            result.failures.push(`it recorded after ${times.first} ms`);
          }
          const query = `cameras=${cameras.join(',')}&from=${endUnixUs / 1000 - 1500}&to=${endUnixUs / 1000 + 1500}`;
          const { cameras: timelines } = await recorder.ask(`timeline?${query}`);
          const lacking = timelines.filter(
            ({ recordings }) =>
              !recordings.some(({ to }) => Date.parse(to) >= endUnixUs / 1000 - 50),
          );
          if (lacking.length > 0) {
            result.failures.push(`the tails of ${lacking.length} cameras were not recovered`);
          }
        }
      } finally {
        await stop(recorder.child, 'SIGKILL');
        await recorder.close();
      }
    }
  } finally {
    await stop(simulator.child);
  }
  return results;
}

async function untilFirstAndAll({ status }, since) {
  const times = {};
  while (since() < START_DEADLINE_MS) {
    const { cameras } = await status().catch(() => ({ cameras: [] }));
    if (cameras.length > 0) times.up ??= since();
    const recording = cameras.filter((camera) => camera.status.recording.active).length;
    if (recording > 0) times.first ??= since();
    if (recording === CAMERAS) return { ...times, all: since() };
    await sleep(100);
  }
  throw new Error('not all cameras record');
}
