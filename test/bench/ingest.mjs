// What one camera costs: our recorder with everything on, against one `ffmpeg -c copy` per camera,
// alternating in one run. The simulator paces packets over the frame time, as a camera does.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { cpuMs, median, memory, processTree } from './process-meter.mjs';
import {
  framesOf,
  FULL_HD,
  lostOf,
  makeClip,
  sleep,
  startRecorder,
  startSimulator,
  stop,
} from './rig.mjs';

/** More processes than these would measure the machine's memory: each takes 54 MB and its own wake-ups. */
const MOST_FFMPEGS = 100;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      /** One number, or several to see how the cost grows. */
      cameras: { type: 'string', default: '50,200,400' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      /** V8 still compiles what runs once a second for a minute: a recorder runs for months. */
      warmup: { type: 'string', default: '60' },
      /** Looking for movement as well: it costs more than all the rest, see `bench motion`. */
      motion: { type: 'boolean', default: false },
      'only-nightjar': { type: 'boolean', default: false },
      /** Writes a CPU profile below .cache/profiles; open it in Chromium's developer tools. */
      profile: { type: 'boolean', default: false },
    },
  });
  const directory = mkdtempSync(
    join(process.env.NIGHTJAR_BENCH_DIR ?? tmpdir(), 'nightjar-bench-'),
  );
  const clip = makeClip(directory, FULL_HD);
  const rows = [];
  try {
    for (const cameras of values.cameras.split(',').map(Number)) {
      rows.push(...(await measure({ ...values, cameras, clip, directory })));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(
    `\n1080p25 H.264 ${FULL_HD.bitrateKbit / 1000} Mbit/s, groups of 2 s, RTSP over TCP on loopback, paced; medians of ${values.rounds}` +
      '\n\n| cameras | | CPU ms per camera-second | RSS MB per camera | without payload in memory | frames | lost | gaps |\n|---|---|---|---|---|---|---|---|',
  );
  for (const row of rows) console.log(row);
  if (values.cameras.split(',').some((cameras) => Number(cameras) > MOST_FFMPEGS)) {
    console.log(
      `\nmore than ${MOST_FFMPEGS} processes of ffmpeg are not started: each costs the same`,
    );
  }
}

async function measure(o) {
  const { cameras, clip, directory } = o;
  const simulator = await startSimulator({ clip, copies: cameras, directory });
  const options = {
    ...o,
    seconds: Number(o.seconds),
    warmupMs: Number(o.warmup) * 1000,
    simulator,
    ffmpegs: Math.min(cameras, MOST_FFMPEGS),
  };
  const results = { nightjar: [], ffmpeg: [] };
  try {
    for (let round = 1; round <= Number(o.rounds); round++) {
      results.nightjar.push(await measureRecorder(options));
      report(`${cameras} cameras, round ${round}, nightjar`, results.nightjar.at(-1));
      if (o['only-nightjar']) continue;
      results.ffmpeg.push(await measureFfmpeg(options));
      report(`${options.ffmpegs} cameras, round ${round}, ffmpeg`, results.ffmpeg.at(-1));
    }
  } finally {
    simulator.child.kill('SIGKILL');
  }
  const middle = (list, key) => median(list.map((item) => item[key]));
  const megabytes = (list, key) => (middle(list, key) / 1e6).toFixed(2);
  const { nightjar, ffmpeg } = results;
  const sum = (key) => nightjar.reduce((total, item) => total + item[key], 0);
  const cpu = middle(nightjar, 'cpuPerCameraSecond');
  const rows = [
    `| ${cameras} | nightjar | ${cpu.toFixed(2)} | ${megabytes(nightjar, 'rssPerCamera')} | ${megabytes(nightjar, 'ownPerCamera')} | ${sum('frames')} | ${sum('lost')} | ${sum('gaps')} |`,
  ];
  if (ffmpeg.length > 0) {
    const theirs = middle(ffmpeg, 'cpuPerCameraSecond');
    rows.push(
      `| ${options.ffmpegs} | ffmpeg (${(theirs / cpu).toFixed(1)} times the CPU) | ${theirs.toFixed(2)} | ${megabytes(ffmpeg, 'rssPerCamera')} | | | | |`,
    );
  }
  return rows;
}

function report(name, { cpuPerCameraSecond, rssPerCamera, ownPerCamera, lost, frames, gaps }) {
  console.log(
    `${name}: ${cpuPerCameraSecond.toFixed(2)} CPU ms per camera-second, ${(rssPerCamera / 1e6).toFixed(2)} MB RSS per camera` +
      (lost === undefined
        ? ''
        : `, ${(ownPerCamera / 1e6).toFixed(2)} without payload, ${frames} frames, ${lost} lost, ${gaps} gaps`),
  );
}

/** The recorder alone, told what to record by a stand-in for the server. */
async function measureRecorder(o) {
  const { cameras, seconds, warmupMs, directory, simulator, profile, motion } = o;
  const recorder = await startRecorder({
    urls: Array.from({ length: cameras }, (_, index) => simulator.url(index + 1)),
    directory,
    motion: motion ? 'video' : 'off',
    nodeArgs: profile ? ['--cpu-prof', `--cpu-prof-dir=${ROOT}/.cache/profiles`] : [],
  });
  try {
    await recorder.untilRecording(60_000);
    await sleep(warmupMs);
    const before = totals(await recorder.status());
    const tree = processTree(recorder.child.pid);
    const cpuBefore = cpuMs(tree);
    const startedMs = performance.now();
    const fromUnixMs = Date.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - startedMs) / 1000;
    const cpu = cpuMs(tree) - cpuBefore;
    const after = totals(await recorder.status());
    const { rssBytes, ownBytes } = await resident(recorder);
    return {
      cpuPerCameraSecond: cpu / cameras / passed,
      rssPerCamera: rssBytes / cameras,
      ownPerCamera: ownBytes / cameras,
      lost: after.lost - before.lost,
      frames: after.frames - before.frames,
      gaps: await gapsOf(recorder, before.ids, fromUnixMs),
    };
  } finally {
    await recorder.close();
    rmSync(recorder.data, { recursive: true, force: true });
  }
}

/**
 * Means over two groups: resident memory, then what of it is no payload. Payload is what cameras sent
 * and the recorder must hold (hot group, unflushed record, pre-roll), to the byte: room in buffers,
 * and buffers that are kept for later, are the recorder's own. It is asked for behind the memory,
 * since an answer for hundreds of cameras takes memory itself.
 */
async function resident(recorder) {
  const rss = [];
  for (let count = 0; count < 16; count++) {
    await sleep(250);
    rss.push(memory(processTree(recorder.child.pid)).rssBytes);
  }
  const payload = [];
  for (let count = 0; count < 8; count++) {
    await sleep(500);
    payload.push(await recorder.metric('nightjar_record_payload_bytes'));
  }
  const mean = (list) => list.reduce((sum, item) => sum + item, 0) / list.length;
  return { rssBytes: mean(rss), ownBytes: mean(rss) - mean(payload) };
}

function totals({ cameras }) {
  const sum = (pick) => cameras.reduce((total, camera) => total + pick(camera), 0);
  return { ids: cameras.map(({ id }) => id), frames: sum(framesOf), lost: sum(lostOf) };
}

/** What a disk refused is counted by no track: the timeline tells. */
async function gapsOf(recorder, ids, fromUnixMs) {
  let gaps = 0;
  for (let at = 0; at < ids.length; at += 50) {
    const cameras = ids.slice(at, at + 50).join(',');
    const query = `cameras=${cameras}&from=${fromUnixMs}&to=${Date.now()}`;
    const told = await recorder.ask(`timeline?${query}`);
    gaps += told.cameras.reduce((sum, camera) => sum + camera.gaps.length, 0);
  }
  return gaps;
}

async function measureFfmpeg({ ffmpegs, seconds, warmupMs, directory, simulator }) {
  const output = join(directory, 'ffmpeg');
  mkdirSync(output, { recursive: true });
  const children = Array.from({ length: ffmpegs }, (_, index) =>
    spawn(
      'ffmpeg',
      // prettier-ignore
      ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', simulator.url(index + 1), '-c', 'copy',
        '-f', 'segment', '-segment_time', '10', '-reset_timestamps', '1', join(output, `${index}-%03d.mp4`)],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    ),
  );
  try {
    const last = join(output, `${ffmpegs - 1}-000.mp4`);
    for (let waited = 0; !existsSync(last) && waited < 60_000; waited += 250) await sleep(250);
    await sleep(Math.min(warmupMs, 10_000));
    const pids = children.map((child) => child.pid);
    const before = cpuMs(pids);
    const startedMs = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - startedMs) / 1000;
    return {
      cpuPerCameraSecond: (cpuMs(pids) - before) / ffmpegs / passed,
      rssPerCamera: memory(pids).rssBytes / ffmpegs,
    };
  } finally {
    await Promise.all(children.map((child) => stop(child)));
    rmSync(output, { recursive: true, force: true });
  }
}
