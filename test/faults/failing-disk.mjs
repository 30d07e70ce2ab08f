// A disk that fails writes and syncs of a running recorder for some seconds: those of the chunks, or
// those of the index alone. It says so, loses nothing that was safe, and goes on by itself.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { sleep, startRecorder, startSimulator, stop } from '../bench/rig.mjs';
import { checkStore, decodeNewChunks, MOST_LOST_MS } from './footage-checks.mjs';
import { until } from './whole-installation.mjs';

const CAMERAS = 4;
const ROUNDS_A_BATCH = 5;
const DEADLINE_MS = 60_000;
/** Each a part of the paths that fail, and what it is called. */
const TARGETS = [
  { part: '.h264', fault: 'writes of chunks that fail (EIO)', isShownIn: /disk|\.h264/ },
  { part: '/index/', fault: 'syncs of the index that fail (EIO)', isShownIn: /index/ },
];

export async function run({ rounds, clip, directory, random, say }) {
  const shim = join(directory, 'failing-disk.so');
  const source = join(ROOT, 'test/faults/failing-disk.c');
  if (spawnSync('cc', ['-shared', '-fPIC', '-o', shim, source, '-ldl']).status !== 0) {
    say('skipped: it needs a C compiler (cc)');
    return [];
  }
  const control = join(directory, 'fail');
  const results = TARGETS.map(({ fault }) => ({ fault, rounds: 0, lossMs: 0, recoveryMs: [] }));
  for (const result of results) result.failures = [];
  const simulator = await startSimulator({ clip, copies: CAMERAS, directory });
  const urls = Array.from({ length: CAMERAS }, (_, number) => simulator.url(number + 1));
  const environment = {
    NIGHTJAR_LOG_LEVEL: 'error',
    LD_PRELOAD: shim,
    NIGHTJAR_FAULTS_FAIL: control,
  };
  const decoded = new Set();
  try {
    for (let done = 0; done < rounds;) {
      const recorder = await startRecorder({ urls, directory, motion: 'off', environment });
      const fail = [];
      const times = [];
      try {
        await recorder.untilRecording(DEADLINE_MS);
        const fromMs = Date.now();
        for (const end = Math.min(rounds, done + ROUNDS_A_BATCH); done < end; done++) {
          const which = done % TARGETS.length;
          times.push(await failOnce(recorder, { ...TARGETS[which], control, random }));
          results[which].recoveryMs.push(times.at(-1).recoveryMs);
          results[which].rounds += 1;
          times.at(-1).result = results[which];
        }
        await sleep(3000);
        await judge(recorder, { fromMs, times });
      } finally {
        rmSync(control, { force: true });
        await recorder.close();
      }
      fail.push(...(await checkStore(recorder.data)));
      const chunks = await decodeNewChunks(join(recorder.data, 'store'), decoded);
      results[0].failures.push(...fail, ...chunks.faults);
      const failures = results.flatMap((result) => result.failures);
      say(`${done} rounds, ${decoded.size} chunks decoded, ${failures.length} faults`);
      for (const failure of failures.slice(0, 5)) say(failure);
    }
  } finally {
    await stop(simulator.child);
  }
  return results;
}

/** When it failed, when it worked again, and how long it took until all was well. */
async function failOnce(recorder, { part, isShownIn, control, random }) {
  await sleep(1000 + random() * 2000);
  const failedMs = Date.now();
  writeFileSync(control, part);
  let shown = true;
  // A sync of the index comes every 10 s.
  await until('the fault shows', 20_000, async () => {
    const { faults } = await recorder.status();
    return faults.some((fault) => isShownIn.test(fault));
  }).catch(() => (shown = false));
  await sleep(random() * 3000);
  rmSync(control);
  const mendedMs = Date.now();
  const startedMs = performance.now();
  await until('all is well', DEADLINE_MS, async () => {
    const { healthy, cameras } = await recorder.status();
    return healthy && cameras.every(({ status }) => status.recording.active);
  });
  return { part, failedMs, mendedMs, shown, recoveryMs: performance.now() - startedMs };
}

/** Chunks: nothing older than 2 s before the fault is missing, and why is said. Index: nothing is. */
async function judge(recorder, { fromMs, times }) {
  const { cameras } = await recorder.status();
  const ids = cameras.map(({ id }) => id).join(',');
  const toMs = Date.now();
  const query = `timeline?cameras=${ids}&from=${fromMs}&to=${toMs}`;
  const { cameras: timelines } = await recorder.ask(query);
  for (const [index, { part, failedMs, mendedMs, shown, result }] of times.entries()) {
    const beforeMs = times[index - 1]?.mendedMs ?? fromMs;
    if (!shown) result.failures.push(`it did not show in 20 s that ${part} fails`);
    for (const { gaps, id } of timelines) {
      for (const gap of gaps) {
        const [from, to] = [Date.parse(gap.from), Date.parse(gap.to ?? new Date(toMs))];
        if (from < beforeMs || to < failedMs - MOST_LOST_MS || from > mendedMs) continue;
        if (part !== '.h264' || gap.reason !== 'disk-error') {
          result.failures.push(`camera ${id}: a gap ${gap.reason} of ${to - from} ms for ${part}`);
        }
        result.lossMs = Math.max(result.lossMs, failedMs - from);
        if (failedMs - from > MOST_LOST_MS) {
          result.failures.push(
            `camera ${id}: ${failedMs - from} ms in front of the fault are lost`,
          );
        }
      }
    }
  }
}
