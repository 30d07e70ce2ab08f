// A switch reboots: all cameras go at once and come back at once. How long until every one records?

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuMs, processTree } from '../bench/process-meter.mjs';
import {
  framesOf,
  FULL_HD,
  indexOf,
  makeClip,
  sleep,
  startRecorder,
  startSimulator,
  stop,
} from '../bench/rig.mjs';

const DEADLINE_MS = 120_000;
const TARGET_S = 20;
const LIGHT = { size: '320x180', fps: 5, bitrateKbit: 60, seconds: 8, group: 10 };
/** By then what waited for the disks is written. */
const SETTLE_MS = 15_000;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      cameras: { type: 'string', default: '400' },
      away: { type: 'string', default: '30' },
      /** Of 4 instead of 0.06 Mbit/s: hundreds send more at their return than two processors read. */
      heavy: { type: 'boolean', default: false },
    },
  });
  const copies = Number(values.cameras);
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-herd-'));
  const clip = makeClip(directory, values.heavy ? FULL_HD : LIGHT);
  let simulator = await startSimulator({ clip, copies, directory });
  const urls = Array.from({ length: copies }, (_, index) => simulator.url(index + 1));
  const startedMs = performance.now();
  const recorder = await startRecorder({
    urls,
    directory,
    environment: { NIGHTJAR_LOG_LEVEL: 'error' },
  });
  try {
    await recorder.untilRecording(DEADLINE_MS);
    console.log(`${copies} cameras record ${seconds(startedMs)} s after the recorder's start`);
    await sleep(5000);
    await stop(simulator.child, 'SIGKILL');
    await sleep(Number(values.away) * 1000);
    const before = new Map((await recorder.status()).cameras.map((c) => [indexOf(c), framesOf(c)]));
    const again = startSimulator({ clip, copies, directory, port: simulator.port });
    const tree = processTree(recorder.child.pid);
    simulator = await again;
    const cpuBefore = cpuMs(tree);
    const backMs = performance.now();
    const backAfter = new Map();
    while (backAfter.size < copies) {
      // A busy recorder may close a kept connection under a question: the next one is answered.
      const { cameras } = await recorder.status().catch(() => ({ cameras: [] }));
      for (const camera of cameras) {
        const index = indexOf(camera);
        if (backAfter.has(index) || framesOf(camera) <= before.get(index)) continue;
        if (camera.status.recording.active) {
          backAfter.set(index, (performance.now() - backMs) / 1000);
        }
      }
      if (performance.now() - backMs > DEADLINE_MS) break;
      await sleep(200);
    }
    const cpu = cpuMs(tree) - cpuBefore;
    const times = [...backAfter.values()].sort((a, b) => a - b);
    const at = (part) => times[Math.floor((times.length - 1) * part)]?.toFixed(1) ?? 'never';
    console.log(
      `away for ${values.away} s; ${times.length} of ${copies} record again: p50 ${at(0.5)} s, p95 ${at(0.95)} s, ` +
        `max ${at(1)} s (target ${TARGET_S} s); recorder CPU ${(cpu / 1000).toFixed(1)} s`,
    );
    await sleep(SETTLE_MS);
    const lost = await recorder.metric('nightjar_track_lost_records_total');
    const waiting = await recorder.metric('nightjar_waiting_bytes');
    console.log(
      `${lost} records lost; ${(waiting / 1e6).toFixed(0)} MB wait for the disk at the end`,
    );
    const isBack = times.length === copies && times.at(-1) <= TARGET_S;
    process.exitCode = isBack && lost === 0 ? 0 : 1;
  } finally {
    await recorder.close();
    await stop(simulator.child, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

function seconds(sinceMs) {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}
