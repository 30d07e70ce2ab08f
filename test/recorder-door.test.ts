// The recorder's internal door with a simulated camera behind it: state, past, live, probing, and
// the configuration it is told.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { Shutdown, silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import {
  announceSchema,
  cameraStatusSchema,
  LIVE_KIND,
  liveMessageSchema,
  motionAnswerSchema,
  probeResultSchema,
  readLiveHeader,
  storageSchema,
  timelineSchema,
  type RecorderConfig,
} from '#contract';
import { readRecorderConfig } from '../apps/recorder/src/config.js';
import { startRecorder, type RunningRecorder } from '../apps/recorder/src/recorder-process.js';
import { makeClip, Simulator } from '../apps/simulator/src/index.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const SECRET = 'x'.repeat(40);
const log = silentLog();
const directory = mkdtempSync(join(tmpdir(), 'nightjar-door-'));

let simulator: Simulator;
let control: Server;
let shutdown: Shutdown;
let recorder: RunningRecorder;
let config: RecorderConfig;
const events: { kind: string; message: string; at: string }[] = [];

beforeAll(async () => {
  const clip = await makeClip('gate', { fromSeconds: 5 });
  const small = await makeClip('gate', { fromSeconds: 5, width: 160, height: 90 });
  simulator = await Simulator.start({ clips: { moving: clip, small } });
  config = {
    version: '1',
    holds: [],
    cameras: [
      {
        id: CAMERA,
        name: 'Gate',
        streams: { main: simulator.url('moving') },
        transport: 'tcp',
        recording: { mode: 'continuous', preRollSeconds: 5, postRollSeconds: 10 },
        retention: { days: 30 },
        motion: { source: 'video', sensitivity: 0.5 },
      },
    ],
  };
  control = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const body = JSON.parse(text) as { events?: typeof events };
      if (request.url === '/internal/events') {
        events.push(...(body.events ?? []));
        response.writeHead(204).end();
        return;
      }
      const { configVersion } = announceSchema.parse(body);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(configVersion === config.version ? {} : { config }));
    });
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  shutdown = new Shutdown(log, 20_000);
  recorder = await start();
}, 60_000);

function start(): Promise<RunningRecorder> {
  const settings = readRecorderConfig({
    NIGHTJAR_DATA_DIR: directory,
    NIGHTJAR_SECRET_KEY: SECRET,
    NIGHTJAR_INTERNAL_SECRET: SECRET,
    NIGHTJAR_SERVER_URL: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
    NIGHTJAR_MOTION_PROCESSES: '1',
  });
  return startRecorder({ config: settings, clock: systemClock, log, shutdown });
}

afterAll(async () => {
  await shutdown?.run('the test is over');
  control?.closeAllConnections();
  control?.close();
  await simulator?.close();
  rmSync(directory, { recursive: true, force: true });
});

function ask(path: string, method = 'GET', body?: unknown): Promise<Response> {
  return fetch(`${recorder.url}/internal/${path}`, {
    method,
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const period = () => `from=${Date.now() - 60_000}&to=${Date.now()}`;

async function timeline() {
  const answer = await ask(`timeline?cameras=${CAMERA}&${period()}`);
  return timelineSchema.parse(await answer.json()).cameras[0];
}

test('lets nobody in without the secret, and says what is wrong in one form', async () => {
  const refused = await fetch(`${recorder.url}/internal/status`);
  expect(refused.status).toBe(401);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect(await refused.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
  const faulty = await ask('timeline?cameras=nobody&from=1&to=2');
  expect(faulty.status).toBe(400);
  expect(await faulty.json()).toMatchObject({ code: 'invalid-argument' });
  expect((await ask('nowhere')).status).toBe(404);
  const authorization = `Bearer ${SECRET}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const url = `${recorder.url}/internal/probe`;
  const broken = await fetch(url, { method: 'POST', headers, body: '{' });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ code: 'invalid-argument' });
  const none = await ask(`cameras/${CAMERA}/clip.mp4?from=1000000000000&to=1000000001000`);
  expect(none.status).toBe(404);
});

test('records what it is told and tells of it', async () => {
  const status = await eventually(
    'the camera records',
    async () => {
      const { cameras, healthy } = (await (await ask('status')).json()) as {
        cameras: { id: string; status: unknown }[];
        healthy: boolean;
      };
      const [camera] = cameras;
      if (camera === undefined) return undefined;
      const now = cameraStatusSchema.parse(camera.status);
      return healthy && now.recording.active && (now.fps ?? 0) > 0 ? now : undefined;
    },
    30_000,
  );
  expect(status).toMatchObject({ state: 'online', codec: 'h264', width: 320, height: 180 });
  await eventually('it was reported', () => events.some(({ kind }) => kind === 'camera-online'));
  await eventually('footage is listed', async () => (await timeline())?.recordings.length);
  const storage = storageSchema.parse(await (await ask('storage')).json());
  const { forecastDays = 0 } = storage.cameras[0] ?? {};
  expect(forecastDays > 0 && forecastDays <= 30).toBe(true);
  const effect = (retention: string) =>
    ask(`retention-effect?camera=${CAMERA}&retention=${encodeURIComponent(retention)}`);
  const shown = (await (await effect('{"days":1}')).json()) as { storedBytes: number };
  expect(shown).toMatchObject({ bytes: 0, chunks: 0 });
  expect(shown.storedBytes).toBeGreaterThan(0);
  for (const faulty of ['nonsense', '{"days":-1}']) {
    expect((await effect(faulty)).status).toBe(400);
  }
  motionAnswerSchema.parse(await (await ask(`motion?cameras=${CAMERA}&${period()}`)).json());
  expect(await (await ask('deletions')).json()).toEqual({ items: [] });
  const metrics = await (await ask('metrics')).text();
  expect(metrics).toContain(`nightjar_camera_recording{camera="${CAMERA}"} 1`);
}, 60_000);

test('serves the past: playlist, what it names, a clip and a still', async () => {
  await eventually('three seconds are there', async () => {
    const [span] = (await timeline())?.recordings ?? [];
    return span !== undefined && Date.parse(span.to) - Date.parse(span.from) > 3000;
  });
  const base = `cameras/${CAMERA}`;
  const list = await ask(`${base}/playback.m3u8?${period()}&rendition=480p`);
  expect(list.headers.get('content-type')).toContain('application/vnd.apple.mpegurl');
  const text = await list.text();
  const names = [...text.matchAll(/(?:^|")((?:init\.mp4|slice\.m4s)\?[^"\n]+)/gm)].map(
    ([, name]) => name,
  );
  expect(names.length).toBeGreaterThan(1);
  for (const name of names) {
    expect(name).toContain('&rendition=480p');
    expect((await ask(`${base}/${name}`)).status).toBe(200);
  }
  // A slice's query finds its initialisation too: a transcoder knows no other.
  const query = names.at(-1)?.split('?')[1];
  expect((await ask(`${base}/init.mp4?${query}`)).headers.get('content-type')).toContain(
    'video/mp4',
  );
  const clip = await ask(`${base}/clip.mp4?${period()}`);
  expect(clip.headers.get('nightjar-gaps')).toMatch(/^\S+Z\/\S+Z;\S+/);
  expect(Buffer.from(await clip.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp');
  const [span] = (await timeline())?.recordings ?? [];
  const at = Date.parse(span?.from ?? '') + 1000;
  const still = await ask(`${base}/still?at=${at}`);
  const frameMs = Number(still.headers.get('nightjar-frame-time')) / 1000;
  expect(at - frameMs).toBeLessThan(150);
}, 60_000);

test.each(['annexb', 'fmp4'])(
  'streams live as %s on a WebSocket, from a key frame on',
  async (format) => {
    const url = `${recorder.url.replace('http', 'ws')}/internal/cameras/${CAMERA}/live?format=${format}`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${SECRET}` } });
    const greetings: unknown[] = [];
    const parts: { kind: number; key: boolean; utcUs: number }[] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) greetings.push(liveMessageSchema.parse(JSON.parse(String(data))));
      else parts.push(readLiveHeader(data) ?? { kind: 0, key: false, utcUs: 0 });
    });
    await eventually('parts come', () => parts.length > 12);
    socket.close();
    expect(greetings[0]).toMatchObject({ type: 'init', format, codec: 'h264', width: 320 });
    const first = format === 'annexb' ? LIVE_KIND.accessUnit : LIVE_KIND.init;
    expect(parts[0]).toMatchObject({ kind: first, key: true });
    expect(Math.abs((parts.at(-1)?.utcUs ?? 0) / 1000 - Date.now())).toBeLessThan(10_000);
  },
);

test('streams live as an endless file, and refuses sockets of strangers', async () => {
  const response = await ask(`cameras/${CAMERA}/live.mp4`);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString('latin1', 4, 8)).toBe('ftyp');
  await reader?.cancel();
  const stranger = new WebSocket(
    `${recorder.url.replace('http', 'ws')}/internal/cameras/${CAMERA}/live`,
  );
  const [error] = (await once(stranger, 'error')) as [Error];
  expect(error.message).toContain('401');
});

test('looks at a camera without adding it', async () => {
  const found = await ask('probe', 'POST', { url: simulator.url('moving') });
  expect(probeResultSchema.parse(await found.json())).toMatchObject({
    reachable: true,
    codec: 'h264',
    width: 320,
  });
  const lost = await ask('probe', 'POST', { url: 'rtsp://127.0.0.1:1/nothing' });
  expect(probeResultSchema.parse(await lost.json())).toMatchObject({
    reachable: false,
    grade: 'unusable',
  });
}, 60_000);

test('a nudge applies what changed before it is answered', async () => {
  const [camera] = config.cameras;
  if (camera === undefined) throw new Error('no camera');
  const recording = { ...camera.recording, mode: 'off' as const };
  config = { ...config, version: '2', cameras: [{ ...camera, recording }] };
  const answer = await ask('refresh', 'POST');
  expect(await answer.json()).toEqual({ configVersion: '2' });
  const { cameras } = (await (await ask('status')).json()) as {
    cameras: { status: { recording: unknown } }[];
  };
  expect(cameras[0]?.status.recording).toEqual({ active: false, mode: 'off', reason: 'off' });
});

test('shows the main stream while no sub stream comes, and the sub stream from then on', async () => {
  const [camera] = config.cameras;
  if (camera === undefined) throw new Error('no camera');
  simulator.stream('small').stop();
  const streams = { main: simulator.url('moving'), sub: simulator.url('small') };
  const recording = { ...camera.recording, mode: 'continuous' as const };
  config = { ...config, version: '3', cameras: [{ ...camera, streams, recording }] };
  await ask('refresh', 'POST');
  const query = 'format=annexb&track=sub';
  const url = `${recorder.url.replace('http', 'ws')}/internal/cameras/${CAMERA}/live?${query}`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${SECRET}` } });
  const widths: number[] = [];
  let parts = 0;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) return (parts += 1);
    const message = liveMessageSchema.parse(JSON.parse(String(data)));
    if (message.type === 'init') widths.push(message.width);
  });
  await eventually('the main stream is shown', () => parts > 3 && widths.at(-1) === 320, 30_000);
  simulator.stream('small').start();
  await eventually('the sub stream is shown', () => widths.at(-1) === 160, 60_000);
  const before = parts;
  await eventually('it goes on', () => parts > before + 3, 30_000);
  expect(widths).toEqual([320, 160]);
  socket.close();
}, 130_000);

test('an endless file ends when its camera is no longer recorded', async () => {
  const live = await ask(`cameras/${CAMERA}/live.mp4`);
  expect(live.status).toBe(200);
  const reader = live.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  const whole = (async () => {
    for (;;) if ((await reader?.read())?.done !== false) return 'ended';
  })();
  config = { ...config, version: 'without', cameras: [] };
  expect((await ask('refresh', 'POST')).status).toBe(200);
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, 'still open').unref());
  expect(await Promise.race([whole, late])).toBe('ended');
}, 60_000);
