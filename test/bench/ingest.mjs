// What one camera costs: our recorder with everything on, against one `ffmpeg -c copy` per camera,
// alternating in one run. The simulator paces packets over the frame time, as a camera does.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { cpuMs, median, memory, processTree } from './process-meter.mjs';
import { framesOf, lostOf, makeClip, sleep, startRecorder, startSimulator, stop } from './rig.mjs';

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      cameras: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      warmup: { type: 'string', default: '8' },
      'only-nightjar': { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  });
  const cameras = Number(values.cameras);
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-bench-'));
  const video = { size: '1920x1080', fps: 25, bitrateKbit: 4000, seconds: 8, group: 50 };
  const clip = makeClip(directory, video);
  const simulator = await startSimulator({ clip, copies: cameras, directory });
  const results = { nightjar: [], ffmpeg: [] };
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      const options = {
        cameras,
        seconds,
        warmupMs: Number(values.warmup) * 1000,
        directory,
        simulator,
        profile: values.profile,
      };
      results.nightjar.push(await measureRecorder(options));
      report(`round ${round} nightjar`, results.nightjar.at(-1));
      if (!values['only-nightjar']) {
        results.ffmpeg.push(await measureFfmpeg(options));
        report(`round ${round} ffmpeg  `, results.ffmpeg.at(-1));
      }
    }
  } finally {
    simulator.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
  const middle = (list, key) => median(list.map((item) => item[key]));
  console.log(
    `\n${cameras} cameras, 1080p25 H.264 4 Mbit/s, RTSP over TCP on loopback, medians of ${values.rounds}`,
  );
  console.log(
    '| | CPU ms per camera-second | RSS MB per camera | lost packets |\n|---|---|---|---|',
  );
  for (const [name, list] of Object.entries(results)) {
    if (list.length === 0) continue;
    console.log(
      `| ${name} | ${middle(list, 'cpuPerCameraSecond').toFixed(2)} | ${(middle(list, 'rssPerCamera') / 1e6).toFixed(2)} | ${list.reduce((sum, item) => sum + (item.lost ?? 0), 0)} |`,
    );
  }
  if (results.ffmpeg.length > 0) {
    const ratio =
      middle(results.ffmpeg, 'cpuPerCameraSecond') / middle(results.nightjar, 'cpuPerCameraSecond');
    console.log(`ffmpeg costs ${ratio.toFixed(1)} times the CPU time`);
  }
}

function report(name, { cpuPerCameraSecond, rssPerCamera, lost, frames }) {
  console.log(
    `${name}: ${cpuPerCameraSecond.toFixed(2)} CPU ms per camera-second, ${(rssPerCamera / 1e6).toFixed(2)} MB RSS per camera` +
      (lost === undefined ? '' : `, ${frames} frames, ${lost} packets lost`),
  );
}

/** The recorder alone, told what to record by a stand-in for the server. */
async function measureRecorder({ cameras, seconds, warmupMs, directory, simulator, profile }) {
  const recorder = await startRecorder({
    urls: Array.from({ length: cameras }, (_, index) => simulator.url(index + 1)),
    directory,
    nodeArgs: profile ? ['--cpu-prof', `--cpu-prof-dir=${ROOT}/.cache/profiles`] : [],
  });
  try {
    await recorder.untilRecording(60_000);
    await sleep(warmupMs);
    const before = totals(await recorder.status());
    const tree = processTree(recorder.child.pid);
    const cpuBefore = cpuMs(tree);
    const startedMs = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - startedMs) / 1000;
    const cpu = cpuMs(tree) - cpuBefore;
    const { rssBytes } = memory(tree);
    const after = totals(await recorder.status());
    return {
      cpuPerCameraSecond: cpu / cameras / passed,
      rssPerCamera: rssBytes / cameras,
      lost: after.lost - before.lost,
      frames: after.frames - before.frames,
    };
  } finally {
    await recorder.close();
    rmSync(recorder.data, { recursive: true, force: true });
  }
}

function totals({ cameras }) {
  const sum = (pick) => cameras.reduce((total, camera) => total + pick(camera), 0);
  return { frames: sum(framesOf), lost: sum(lostOf) };
}

async function measureFfmpeg({ cameras, seconds, warmupMs, directory, simulator }) {
  const output = join(directory, 'ffmpeg');
  mkdirSync(output, { recursive: true });
  const children = Array.from({ length: cameras }, (_, index) =>
    spawn(
      'ffmpeg',
      // prettier-ignore
      ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', simulator.url(index + 1), '-c', 'copy',
        '-f', 'segment', '-segment_time', '10', '-reset_timestamps', '1', join(output, `${index}-%03d.mp4`)],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    ),
  );
  try {
    const last = join(output, `${cameras - 1}-000.mp4`);
    for (let waited = 0; !existsSync(last) && waited < 60_000; waited += 250) await sleep(250);
    await sleep(warmupMs);
    const pids = children.map((child) => child.pid);
    const before = cpuMs(pids);
    const startedMs = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - startedMs) / 1000;
    return {
      cpuPerCameraSecond: (cpuMs(pids) - before) / cameras / passed,
      rssPerCamera: memory(pids).rssBytes / cameras,
    };
  } finally {
    await Promise.all(children.map(stop));
    rmSync(output, { recursive: true, force: true });
  }
}
