// A whole recorder with simulated cameras: no hole while it records, little lost when it is killed,
// a reason for what is missing, and footage that plays.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledModule, InternalClient, silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import type { CameraStatus, RecorderConfig, TimelineAnswer } from '#contract';
import { Playback, Recorder, type CameraSettings, type RecorderOptions } from '#pipeline';
import { Simulator, makeClip, type Clip } from '../apps/simulator/src/index.js';
import { hasFfmpeg } from './fixtures/encoded-video.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const SECRET = 's'.repeat(40);
const log = silentLog();
const S = 1_000_000;

let simulator: Simulator;
let moving: Clip;

beforeAll(async () => {
  moving = await makeClip('gate', { fromSeconds: 5 });
  const still = await makeClip('static');
  simulator = await Simulator.start({ clips: { moving, still } });
}, 60_000);

afterAll(() => simulator.close());

const directories: string[] = [];
function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-recorder-'));
  directories.push(directory);
  return directory;
}

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function settings(path: string, more: Partial<CameraSettings> = {}): CameraSettings {
  return {
    id: CAMERA,
    name: 'Gate',
    streams: { main: simulator.url(path) },
    transport: 'tcp',
    recording: { mode: 'continuous', preRollSeconds: 2, postRollSeconds: 2 },
    retention: { days: 30 },
    motion: { sensitivity: 0.5 },
    ...more,
  };
}

const opened: Recorder[] = [];
const children: ChildProcess[] = [];

async function open(directory: string, more: Partial<RecorderOptions> = {}): Promise<Recorder> {
  const recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log,
    motionProcesses: 1,
    ...more,
  });
  opened.push(recorder);
  return recorder;
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((recorder) => recorder.close()));
});

const FOREVER = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };

async function spans(recorder: Recorder) {
  const recordings = await recorder.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  const gaps = await recorder.timeline.gaps(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  return { recordings, gaps };
}

/** Every moment from the first to the last is footage or a gap, and never both. */
function expectCovered(
  recordings: readonly { fromUnixUs: number; toUnixUs: number }[],
  gaps: readonly { startUnixUs: number; endUnixUs: number | undefined }[],
): void {
  const all = [
    ...recordings.map(({ fromUnixUs, toUnixUs }) => ({ from: fromUnixUs, to: toUnixUs })),
    ...gaps.map(({ startUnixUs, endUnixUs }) => ({ from: startUnixUs, to: endUnixUs ?? Infinity })),
  ].sort((a, b) => a.from - b.from);
  for (const [index, part] of all.entries()) {
    const next = all[index + 1];
    if (next !== undefined) expect(Math.abs(next.from - part.to)).toBeLessThan(2000);
  }
}

test('continuous recording has no hole, plays, and a harmless change does not interrupt it', async () => {
  const recorder = await open(scratch());
  await recorder.apply({ cameras: [settings('moving')], holds: [] });
  await eventually('footage is safe', async () => (await spans(recorder)).recordings.length > 0);
  await recorder.apply({
    cameras: [
      settings('moving', { name: 'Yard', retention: { days: 3 }, motion: { sensitivity: 0.9 } }),
    ],
    holds: [],
  });
  await eventually(
    'six seconds are safe',
    async () => {
      const [span] = (await spans(recorder)).recordings;
      return span !== undefined && span.toUnixUs - span.fromUnixUs > 6 * S;
    },
    30_000,
  );
  const report = recorder.report(CAMERA);
  expect(report).toMatchObject({
    state: 'online',
    recording: { active: true, mode: 'continuous' },
  });
  expect(report?.tracks[0]).toMatchObject({ connects: 1, lostPackets: 0, dropped: {} });
  const { recordings, gaps } = await spans(recorder);
  expect(recordings).toHaveLength(1);
  expectCovered(recordings, gaps);
  const groups = await recorder.timeline.groups(CAMERA, 'main', FOREVER);
  groups.slice(1).forEach((group, index) => {
    const before = groups[index];
    expect(group.startDts90k - (before?.startDts90k ?? 0)).toBe(90_000);
    expect(before?.frameCount).toBe(10);
  });

  const { timeline, store } = recorder;
  const playback = new Playback({ timeline, store, clock: systemClock, log });
  const from = (recordings[0]?.fromUnixUs ?? 0) + 1.5 * S;
  const period = { camera: CAMERA, fromUnixUs: from, toUnixUs: from + 3 * S };
  const clip = await playback.clip(period);
  expect(clip.gaps).toEqual([]);
  const parts: Buffer[] = [];
  for await (const part of clip.bytes) parts.push(part);
  expectPlays(Buffer.concat(parts), 3);
  const text = await playback.playlist(period);
  expect(text).toContain('#EXT-X-ENDLIST');
  const address = /from=(\d+)&last=(\d+)&to=(\d+)/.exec(text)?.slice(1).map(Number) ?? [];
  const [fromUnixUs = 0, lastUnixUs = 0, toUnixUs = 0] = address;
  const init = await playback.init({ camera: CAMERA, track: 'main', fromUnixUs: fromUnixUs });
  const slice = await playback.slice({
    camera: CAMERA,
    track: 'main',
    fromUnixUs,
    lastUnixUs,
    toUnixUs,
  });
  expectPlays(Buffer.concat([init, ...slice]), (toUnixUs - fromUnixUs) / S);
  const still = await playback.still(CAMERA, from);
  expect(from - (still?.frameUnixUs ?? 0)).toBeLessThan(100_001);
  expect(await playback.still(CAMERA, from - 3600 * S)).toBeUndefined();
}, 60_000);

test('a camera that goes and comes back leaves a gap that abuts the footage', async () => {
  const recorder = await open(scratch());
  await recorder.apply({ cameras: [settings('moving')], holds: [] });
  await eventually('footage is safe', async () => (await spans(recorder)).recordings.length > 0);
  simulator.stream('moving').stop();
  await eventually('it is offline', () => recorder.report(CAMERA)?.state === 'offline');
  expect(recorder.report(CAMERA)?.reason).toMatch(/next try in|trying again/);
  // A shorter outage is jitter and leaves no gap.
  await eventually('more than a second is missing', async () => {
    const [span] = (await spans(recorder)).recordings;
    return Date.now() * 1000 - (span?.toUnixUs ?? Infinity) > 2 * S;
  });
  simulator.stream('moving').start();
  await eventually(
    'it is back',
    async () => (await spans(recorder)).recordings.length === 2,
    30_000,
  );
  const { recordings, gaps } = await spans(recorder);
  expectCovered(recordings, gaps);
  expect(gaps.at(-1)?.reason).toBe('camera-down');
}, 60_000);

test('motion mode keeps nothing of a still scene, and says why', async () => {
  const recorder = await open(scratch());
  const recording = { mode: 'motion', preRollSeconds: 2, postRollSeconds: 2 } as const;
  await recorder.apply({ cameras: [settings('still', { recording })], holds: [] });
  await eventually(
    'the detector works',
    () => recorder.report(CAMERA)?.motion.detector === 'ok',
    30_000,
  );
  await eventually('the scene is still', async () =>
    (await spans(recorder)).gaps.some((gap) => gap.reason === 'no-motion'),
  );
  expect(recorder.report(CAMERA)?.recording).toEqual({
    active: false,
    mode: 'motion',
    reason: 'no-motion',
  });
  expect((await spans(recorder)).recordings).toEqual([]);
  expect(await recorder.timeline.usage()).toEqual([]);
  await recorder.apply({
    cameras: [settings('moving', { recording })],
    holds: [],
  });
  await eventually(
    'movement is kept',
    async () => (await spans(recorder)).recordings.length > 0,
    30_000,
  );
  const { recordings, gaps } = await spans(recorder);
  expectCovered(recordings, gaps);
}, 90_000);

test('a removed camera is no longer recorded, its footage stays and expires', async () => {
  const recorder = await open(scratch(), { retention: { intervalMs: 200 } });
  await recorder.apply({ cameras: [settings('moving')], holds: [] });
  await eventually('footage is safe', async () => (await spans(recorder)).recordings.length > 0);
  const hold = { id: CAMERA, cameras: [CAMERA], fromUnixMs: 0, toUnixMs: 9e12 };
  const removed = settings('moving', { removed: true, retention: { days: 1 / 86_400 } });
  await recorder.apply({ cameras: [removed], holds: [hold] });
  expect(recorder.report(CAMERA)).toBeUndefined();
  await eventually('it is older than its second', async () => {
    const [span] = (await spans(recorder)).recordings.slice(-1);
    return Date.now() * 1000 - (span?.toUnixUs ?? Infinity) > 2 * S;
  });
  await recorder.retention.run();
  expect((await spans(recorder)).recordings).not.toEqual([]);
  await recorder.apply({ cameras: [removed], holds: [] });
  await eventually('it expires', async () => (await spans(recorder)).recordings.length === 0);
  const [deletion] = await recorder.timeline.deletions({ limit: 10 });
  expect(deletion).toMatchObject({ camera: CAMERA, rule: 'age' });
}, 60_000);

/** The part of the server that a recorder needs: tells it what to record. */
async function controlPlane(cameras: readonly CameraSettings[]): Promise<Server & { url: string }> {
  const config = { version: 'v1', cameras, holds: [] } as unknown as RecorderConfig;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      if (request.url !== '/internal/announce') return response.writeHead(204).end();
      const { configVersion } = JSON.parse(body) as { configVersion?: string };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(configVersion === 'v1' ? {} : { config }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(server, { url: `http://127.0.0.1:${port}` });
}

async function startProcess(directory: string, serverUrl: string) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const main = new URL('../apps/recorder/src/main.js', import.meta.url);
  const compiled = compiledModule(main.href, import.meta.url);
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(compiled), 'recorder'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      NIGHTJAR_DATA_DIR: directory,
      NIGHTJAR_SECRET_KEY: SECRET,
      NIGHTJAR_INTERNAL_SECRET: SECRET,
      NIGHTJAR_SERVER_URL: serverUrl,
      NIGHTJAR_INTERNAL_PORT: String(port),
      NIGHTJAR_MOTION_PROCESSES: '1',
    },
  });
  children.push(child);
  let said = '';
  const hear = (text: Buffer) => (said = (said + String(text)).slice(-8000));
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  /** What the process said, for the message of a test that waits for it in vain. */
  const story = async () => {
    const answer = await client.json('/internal/status').catch((error: unknown) => String(error));
    return `exit ${child.exitCode} ${child.signalCode}; ${JSON.stringify(answer)}; ${said}`;
  };
  const client = new InternalClient(`http://127.0.0.1:${port}`, SECRET);
  const status = async (): Promise<CameraStatus | undefined> => {
    const answer = await client.json('/internal/status').catch(() => undefined);
    return (answer as { cameras: { status: CameraStatus }[] } | undefined)?.cameras[0]?.status;
  };
  const timeline = async (): Promise<TimelineAnswer['cameras'][number] | undefined> => {
    const query = `cameras=${CAMERA}&from=${Date.now() - 3_600_000}&to=${Date.now() + 1000}`;
    const answer = (await client.json(`/internal/timeline?${query}`)) as TimelineAnswer;
    return answer.cameras[0];
  };
  return { child, client, status, timeline, story };
}

test('a killed recorder loses at most two seconds, says so, and starts without anybody to ask', async () => {
  const directory = scratch();
  const server = await controlPlane([settings('moving')]);
  const first = await startProcess(directory, server.url);
  await eventually('it records', async () => (await first.status())?.recording.active, 60_000);
  await eventually(
    'some seconds are safe',
    async () => {
      const [span] = (await first.timeline())?.recordings ?? [];
      return span !== undefined && Date.parse(span.to) - Date.parse(span.from) > 3000;
    },
    30_000,
  );
  const lastFrameMs = Date.parse((await first.status())?.lastFrameAt ?? '');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));

  // A second process that is quick enough leaves a hole too short to count as one.
  const holeFromMs = Date.now();
  await eventually('a hole that counts', () => Promise.resolve(Date.now() - holeFromMs > 2000));
  const second = await startProcess(directory, server.url);
  await eventually(
    'it records again',
    async () => ((await second.timeline().catch(() => undefined))?.recordings.length ?? 0) > 1,
    60_000,
  ).catch(async (error: unknown) => {
    const footage = JSON.stringify(await second.timeline().catch(String));
    throw new Error(`${footage}; ${await second.story()}`, { cause: error });
  });
  const footage = await second.timeline();
  const [before, after] = footage?.recordings ?? [];
  const lostMs = lastFrameMs - Date.parse(before?.to ?? '');
  expect(lostMs).toBeLessThan(2000);
  expect(footage?.gaps.at(-1)).toEqual({ from: before?.to, to: after?.from, reason: 'restart' });
  second.child.kill('SIGTERM');
  const [code] = (await once(second.child, 'exit')) as [number];
  expect(code).toBe(0);
}, 180_000);

function expectPlays(file: Buffer, seconds: number): void {
  expect(file.toString('latin1', 4, 8)).toBe('ftyp');
  if (!hasFfmpeg) return;
  const path = join(scratch(), 'file.mp4');
  writeFileSync(path, file);
  const decoded = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  expect(decoded).toMatchObject({ status: 0, stderr: '' });
  const entries = ['-show_entries', 'packet=pts,duration', '-of', 'csv=p=0'];
  const probe = spawnSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' });
  const packets = probe.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const [firstPts = 0] = packets[0] ?? [];
  const [lastPts = 0, lastDuration = 0] = packets.at(-1) ?? [];
  expect(Math.abs((lastPts + lastDuration - firstPts) / 90_000 - seconds)).toBeLessThan(0.01);
}

test('an address that is none keeps nobody else from being recorded, and is explained', async () => {
  const other = '1b0c7c52-4a0e-4f7b-9f6d-5a3f2e1d0c9b';
  const recorder = await open(scratch());
  const wrong = settings('moving', { id: other, streams: { main: 'http://nowhere' } });
  await recorder.apply({ cameras: [wrong, settings('moving')], holds: [] });
  await eventually('the other one records', () => recorder.report(CAMERA)?.recording.active);
  const report = recorder.report(other);
  expect(report).toMatchObject({ state: 'offline', recording: { active: false } });
  expect(report?.reason).toBeTruthy();
}, 60_000);

test('a sub stream that is added is where movement is looked for, and the main one goes on', async () => {
  const recorder = await open(scratch());
  await recorder.apply({ cameras: [settings('still')], holds: [] });
  await eventually('it records', () => recorder.report(CAMERA)?.recording.active);
  const streams = { main: simulator.url('still'), sub: simulator.url('moving') };
  await recorder.apply({ cameras: [settings('still', { streams })], holds: [] });
  await eventually('movement is seen', () => recorder.report(CAMERA)?.motion.active, 30_000);
  const [main] = recorder.report(CAMERA)?.tracks.filter(({ track }) => track === 'main') ?? [];
  expect(main?.connects).toBe(1);
  const recording = { mode: 'motion+lowres', preRollSeconds: 2, postRollSeconds: 2 } as const;
  await recorder.apply({ cameras: [settings('still', { streams, recording })], holds: [] });
  await eventually('both tracks are kept', async () => {
    const tracks = (await spans(recorder)).recordings.map(({ track }) => track);
    return tracks.includes('sub') && tracks.includes('main');
  });
}, 90_000);
