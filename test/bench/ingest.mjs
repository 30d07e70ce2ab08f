// What one camera costs: our recorder with everything on, against one `ffmpeg -c copy` per camera,
// alternating in one run. The simulator paces packets over the frame time, as a camera does.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { cpuMs, median, memory, processTree } from './process-meter.mjs';

const SECRET = 'bench-'.repeat(8);

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
  const clip = makeClip(directory);
  const simulator = await startSimulator(clip, cameras, directory);
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

function makeClip(directory) {
  const clip = join(directory, 'clip.mp4');
  const made = spawnSync(
    'ffmpeg',
    // prettier-ignore
    ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=25', '-vf', 'noise=alls=12:allf=t', '-t', '8',
      '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '4M', '-minrate', '4M', '-maxrate', '4M', '-bufsize', '2M',
      '-x264-params', 'nal-hrd=cbr', '-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-bf', '0', '-pix_fmt', 'yuv420p', clip],
    { stdio: 'inherit' },
  );
  if (made.status !== 0) throw new Error('ffmpeg is needed for the clip and for the comparison');
  return clip;
}

async function startSimulator(clip, cameras, directory) {
  const child = spawn(
    process.execPath,
    [
      'dist/apps/simulator/src/main.js',
      'simulator',
      '--clip',
      `bench=${clip}`,
      '--copies',
      String(cameras),
    ],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        NIGHTJAR_SIMULATOR_PORT: '0',
        NIGHTJAR_SIMULATOR_ONVIF_PORT: '0',
        NIGHTJAR_SIMULATOR_CLIP_DIR: join(directory, 'clips'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const { rtspPort } = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n'))
        if (line.includes('"ready":true')) resolve(JSON.parse(line));
    });
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}`)));
  });
  return { child, url: (number) => `rtsp://127.0.0.1:${rtspPort}/bench/${number}` };
}

/** The recorder alone, told what to record by a stand-in for the server. */
async function measureRecorder({ cameras, seconds, warmupMs, directory, simulator, profile }) {
  const data = join(directory, 'data');
  const config = {
    version: 'bench',
    holds: [],
    cameras: Array.from({ length: cameras }, (_, index) => ({
      id: `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`,
      name: `Camera ${index + 1}`,
      streams: { main: simulator.url(index + 1) },
      transport: 'tcp',
      recording: { mode: 'continuous', preRollSeconds: 5, postRollSeconds: 10 },
      retention: { days: 30 },
      motion: { sensitivity: 0.5 },
    })),
  };
  let door;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const announce = text === '' ? {} : JSON.parse(text);
      door = announce.url ?? door;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(announce.configVersion === 'bench' ? {} : { config }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const recorder = spawn(
    process.execPath,
    [
      ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${ROOT}/.cache/profiles`] : []),
      'dist/apps/recorder/src/main.js',
      'recorder',
    ],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        NIGHTJAR_DATA_DIR: data,
        NIGHTJAR_STORE_DIRS: join(data, 'store'),
        NIGHTJAR_SECRET_KEY: SECRET,
        NIGHTJAR_INTERNAL_SECRET: SECRET,
        NIGHTJAR_SERVER_URL: `http://127.0.0.1:${server.address().port}`,
        NIGHTJAR_LOG_LEVEL: 'warn',
        DATABASE_URL: '',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const status = async () => {
    const response = await fetch(`${door}/internal/status`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    return response.json();
  };
  try {
    const endMs = performance.now() + 60_000;
    for (;;) {
      const online =
        door === undefined
          ? 0
          : (await status().catch(() => ({ cameras: [] }))).cameras.filter(
              (camera) => camera.status.recording.active,
            ).length;
      if (online === cameras) break;
      if (performance.now() > endMs) throw new Error(`only ${online} of ${cameras} cameras record`);
      await sleep(250);
    }
    await sleep(warmupMs);
    const before = totals(await status());
    const tree = processTree(recorder.pid);
    const cpuBefore = cpuMs(tree);
    const startedMs = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - startedMs) / 1000;
    const cpu = cpuMs(tree) - cpuBefore;
    const { rssBytes } = memory(tree);
    const after = totals(await status());
    return {
      cpuPerCameraSecond: cpu / cameras / passed,
      rssPerCamera: rssBytes / cameras,
      lost: after.lost - before.lost,
      frames: after.frames - before.frames,
    };
  } finally {
    await stop(recorder);
    server.closeAllConnections();
    server.close();
    rmSync(data, { recursive: true, force: true });
  }
}

function totals({ cameras }) {
  const tracks = cameras.flatMap((camera) => camera.status.tracks);
  const sum = (pick) => tracks.reduce((total, track) => total + pick(track), 0);
  return {
    frames: sum((track) => track.frames),
    lost: sum(
      (track) => track.lostPackets + Object.values(track.dropped).reduce((a, b) => a + b, 0),
    ),
  };
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

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
