// `kill -9` of the recorder at random moments, while it starts, recovers and records; each time it
// starts again over what that left.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { recoverCopy } from '../../dist/test/faults/killed-copy.js';
import { sleep, startRecorder, startSimulator, stop } from '../bench/rig.mjs';
import { checkStore, decodeNewChunks, judgeKill } from './footage-checks.mjs';

const CAMERAS = 4;
/**
 * After each round a copy of what the kill left is recovered, checked and decoded; after so many of
 * them the same is done with what all the starts made of it, and the timelines are judged.
 */
const ROUNDS_A_BATCH = 10;
const START_DEADLINE_MS = 60_000;

export async function run({ rounds, clip, directory, random, say }) {
  const simulator = await startSimulator({ clip, copies: CAMERAS, directory });
  const urls = Array.from({ length: CAMERAS }, (_, number) => simulator.url(number + 1));
  const result = { fault: 'kill -9 of the recorder', rounds: 0, lossMs: 0, recoveryMs: [] };
  result.failures = [];
  const decoded = new Set();
  const decodedCopies = new Set();
  const fail = (what) => {
    say(`round ${result.rounds}: ${what}`);
    result.failures.push(what);
  };
  const start = () =>
    startRecorder({
      urls,
      directory,
      motion: 'off',
      environment: { NIGHTJAR_LOG_LEVEL: 'error' },
    });
  try {
    while (result.rounds < rounds) {
      const kills = [];
      const batchMs = Date.now();
      for (let left = Math.min(ROUNDS_A_BATCH, rounds - result.rounds); left > 0; left--) {
        const recorder = await start();
        kills.push(await killOnce(recorder, { random, result }));
        result.rounds += 1;
        for (const fault of await checkCopy(recorder.data, { directory, decodedCopies }))
          fail(fault);
      }
      const recorder = await start();
      try {
        const startedMs = performance.now();
        await recorder.untilRecording(START_DEADLINE_MS);
        result.recoveryMs.push(performance.now() - startedMs);
        const { cameras } = await recorder.status();
        const timelines = await untilRecorded(recorder, {
          cameras: cameras.map(({ id }) => id),
          fromMs: batchMs,
          afterMs: kills.at(-1).killMs,
        });
        for (const kill of kills) {
          for (const timeline of timelines) {
            const { lossMs, faults } = judgeKill(timeline, kill);
            result.lossMs = Math.max(result.lossMs, lossMs);
            for (const fault of faults) fail(`camera ${timeline.id}: ${fault}`);
          }
        }
      } finally {
        await recorder.close();
      }
      for (const fault of await checkStore(recorder.data)) fail(fault);
      const chunks = await decodeNewChunks(join(recorder.data, 'store'), decoded);
      for (const fault of chunks.faults) fail(fault);
      say(
        `${result.rounds} rounds, worst loss ${Math.round(result.lossMs)} ms, ${decoded.size} chunks decoded, ${result.failures.length} faults`,
      );
    }
  } finally {
    await stop(simulator.child);
  }
  return result;
}

async function checkCopy(data, { directory, decodedCopies }) {
  // The kill came before the first file.
  if (!['recorder-1/index', 'store'].every((path) => existsSync(join(data, path)))) return [];
  const copy = mkdtempSync(join(directory, 'copy-'));
  try {
    await recoverCopy(data, copy);
    const faults = await checkStore(copy);
    const chunks = await decodeNewChunks(join(copy, 'store'), decodedCopies);
    return [...faults, ...chunks.faults];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A third of the kills hit the start, the others come up to 5 s after all cameras record. */
async function killOnce(recorder, { random, result }) {
  let sinceMs;
  try {
    if (random() < 1 / 3) {
      await sleep(random() * 2500);
    } else {
      const startedMs = performance.now();
      await recorder.untilRecording(START_DEADLINE_MS);
      result.recoveryMs.push(performance.now() - startedMs);
      sinceMs = Date.now();
      await sleep(random() * 5000);
    }
    if (recorder.child.exitCode !== null) throw new Error('the recorder ended by itself');
    const killMs = Date.now();
    await stop(recorder.child, 'SIGKILL');
    return { killMs, sinceMs };
  } finally {
    await recorder.close();
  }
}

/** Timelines since `fromMs`, once all cameras have footage of after `afterMs`. */
async function untilRecorded(recorder, { cameras, fromMs, afterMs }) {
  for (let tries = 0; tries < 150; tries++) {
    const query = `cameras=${cameras.join(',')}&from=${fromMs}&to=${Date.now() + 1000}`;
    const { cameras: timelines } = await recorder.ask(`timeline?${query}`);
    const isThere = timelines.every(({ recordings }) =>
      recordings.some(({ from, track }) => track === 'main' && Date.parse(from) >= afterMs),
    );
    if (isThere) return timelines;
    await sleep(200);
  }
  throw new Error('nothing was recorded after the last kill');
}
