// Good and hostile cameras on one recorder: what the hostile ones do must cost the good ones nothing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { cpuMs, memory, processTree } from '../bench/process-meter.mjs';
import {
  framesOf,
  indexOf,
  lostOf,
  makeClip,
  sleep,
  startRecorder,
  startSimulator,
  stop,
} from '../bench/rig.mjs';

const FPS = 10;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      good: { type: 'string', default: '50' },
      hostile: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '60' },
    },
  });
  const good = Number(values.good);
  const hostile = Number(values.hostile);
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-hostile-'));
  const video = { size: '640x360', fps: FPS, bitrateKbit: 400, seconds: 8, group: 20 };
  const clip = makeClip(directory, video);
  const simulator = await startSimulator({ clip, copies: good, directory });
  const worker = new Worker(new URL('./hostile-worker.mjs', import.meta.url), {
    workerData: { count: hostile },
  });
  const { cameras } = await new Promise((resolve) => worker.once('message', resolve));
  const urls = [
    ...Array.from({ length: good }, (_, index) => simulator.url(index + 1)),
    ...cameras.map(({ url }) => url),
  ];
  const recorder = await startRecorder({
    urls,
    directory,
    environment: { NIGHTJAR_LOG_LEVEL: 'error' },
  });
  try {
    await recorder.untilRecording(60_000, (index) => index < good);
    const tree = processTree(recorder.child.pid);
    const cpuBefore = cpuMs(tree);
    const before = (await recorder.status()).cameras;
    await sleep(Number(values.seconds) * 1000);
    const after = (await recorder.status()).cameras;
    const cpu = (cpuMs(tree) - cpuBefore) / Number(values.seconds) / 10;
    const { rssBytes } = memory(tree);
    worker.postMessage('connections');
    const { connections } = await new Promise((resolve) => worker.once('message', resolve));
    await recorder.close();
    console.log('\n| hostile camera | connections | frames | runs and attempts that ended |');
    console.log('|---|---|---|---|');
    for (const camera of after) {
      const number = indexOf(camera) - good;
      if (number < 0) continue;
      const ends = camera.status.tracks.map((track) => JSON.stringify(track.disconnects));
      console.log(
        `| ${cameras[number].kind} | ${connections[number]} | ${framesOf(camera)} | ${ends.join(' ').replaceAll('"', '')} |`,
      );
    }
    const { recordedFrames } = await import('./recorded-frames.mjs');
    const store = join(recorder.data, 'store');
    let frames = 0;
    let missing = 0;
    let broken = 0;
    for (const camera of after.filter((candidate) => indexOf(candidate) < good)) {
      const found = await recordedFrames(store, camera.id, 90_000 / FPS);
      frames += found.frames;
      missing += found.missing;
      if (found.runs !== 1 || found.damaged > 0) broken += 1;
    }
    const goodOnes = (list) => list.filter((camera) => indexOf(camera) < good);
    const sum = (list, pick) => goodOnes(list).reduce((total, camera) => total + pick(camera), 0);
    const came = sum(after, framesOf) - sum(before, framesOf);
    const lost = sum(after, lostOf);
    console.log(
      `\n${good} good cameras: ${frames} frames on disk, ${missing} missing, ${broken} cameras interrupted; ` +
        `${came} frames in ${values.seconds} s (${good * FPS * Number(values.seconds)} expected), ${lost} lost or dropped; ` +
        `recorder ${cpu.toFixed(0)} % of a core, ${(rssBytes / 1e6).toFixed(0)} MB resident`,
    );
    process.exitCode = missing === 0 && broken === 0 && lost === 0 && frames > came ? 0 : 1;
  } finally {
    await recorder.close();
    await worker.terminate();
    await stop(simulator.child, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}
