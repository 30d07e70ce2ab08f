// What benchmarks and loads share: a clip, the simulator, and the built recorder with a stand-in for
// the server that tells it what to record.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { NODE_ARGS, RECORDER_ENVIRONMENT } from '../../apps/launcher/child-environment.mjs';

const SECRET = 'bench-'.repeat(8);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a camera of today sends. */
export const FULL_HD = { size: '1920x1080', fps: 25, bitrateKbit: 4000, seconds: 8, group: 50 };

export function makeClip(directory, { size, fps, bitrateKbit, seconds, group }) {
  const clip = join(directory, 'clip.mp4');
  const rate = `${bitrateKbit}k`;
  const made = spawnSync(
    'ffmpeg',
    // prettier-ignore
    ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}`, '-vf', 'noise=alls=12:allf=t',
      '-t', String(seconds), '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', rate, '-minrate', rate,
      '-maxrate', rate, '-bufsize', `${bitrateKbit / 2}k`, '-x264-params', 'nal-hrd=cbr', '-g', String(group), '-keyint_min',
      String(group), '-sc_threshold', '0', '-bf', '0', '-pix_fmt', 'yuv420p', clip],
    { stdio: 'inherit' },
  );
  if (made.status !== 0) throw new Error('ffmpeg is needed for the clip');
  return clip;
}

/** Ready when it resolves. On the same `port` it takes the place of one that has ended. */
export async function startSimulator({ clip, copies, directory, port = 0 }) {
  const child = spawn(
    process.execPath,
    [
      'dist/apps/simulator/src/main.js',
      'simulator',
      '--clip',
      `bench=${clip}`,
      '--copies',
      String(copies),
    ],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        NIGHTJAR_SIMULATOR_PORT: String(port),
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
  return { child, port: rtspPort, url: (number) => `rtsp://127.0.0.1:${rtspPort}/bench/${number}` };
}

/** The recorder alone, recording `urls` continuously; its data lies below `directory`. */
export async function startRecorder({
  urls,
  directory,
  motion = 'video',
  nodeArgs = [],
  environment = {},
}) {
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  const config = {
    version: 'bench',
    holds: [],
    cameras: urls.map((url, index) => ({
      id: `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`,
      name: `Camera ${index + 1}`,
      streams: { main: url },
      transport: 'tcp',
      recording: { mode: 'continuous', preRollSeconds: 5, postRollSeconds: 10 },
      retention: { days: 30 },
      motion: { source: motion, sensitivity: 0.5 },
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
  const child = spawn(
    process.execPath,
    [...NODE_ARGS, ...nodeArgs, 'dist/apps/recorder/src/main.js', 'recorder'],
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
        ...RECORDER_ENVIRONMENT,
        ...environment,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const ask = async (path) => {
    const response = await fetch(`${door}/internal/${path}`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    return response.json();
  };
  const status = async () => (door === undefined ? { cameras: [] } : ask('status'));
  return {
    child,
    data,
    status,
    /** The answer of its internal door, once it has announced that. */
    ask,
    /** The sum of all series of this name. */
    async metric(name) {
      const response = await fetch(`${door}/internal/metrics`, {
        headers: { authorization: `Bearer ${SECRET}` },
      });
      const series = (await response.text()).matchAll(
        new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'),
      );
      return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
    },
    /** Until the cameras that `wanted` picks by their index record. */
    async untilRecording(deadlineMs, wanted = () => true) {
      const endMs = performance.now() + deadlineMs;
      const count = urls.filter((_, index) => wanted(index)).length;
      for (;;) {
        const { cameras } = await status().catch(() => ({ cameras: [] }));
        const online = cameras.filter(
          (camera) => wanted(indexOf(camera)) && camera.status.recording.active,
        ).length;
        if (online === count) return;
        if (performance.now() > endMs) {
          const states = cameras
            .filter(({ status: { recording } }) => !recording.active)
            .map(({ status: { state, reason, recording } }) => [state, reason, recording.reason]);
          throw new Error(
            `only ${online} of ${count} cameras record: ${JSON.stringify(states.slice(0, 10))}`,
          );
        }
        await sleep(250);
      }
    },
    async close() {
      await stop(child);
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Which of the recorder's `urls` a camera of its status is. */
export function indexOf(camera) {
  return Number(camera.id.slice(-12)) - 1;
}

export function framesOf(camera) {
  return camera.status.tracks.reduce((sum, { frames }) => sum + frames, 0);
}

export function lostOf(camera) {
  return camera.status.tracks.reduce(
    (sum, { lostPackets, dropped }) =>
      sum + lostPackets + Object.values(dropped).reduce((a, b) => a + b, 0),
    0,
  );
}

export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}
