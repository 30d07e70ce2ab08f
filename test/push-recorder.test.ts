// A whole recorder and a camera that pushes: recorded frame by frame, gaps with their reason, and
// nothing of it while the key is another.

import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { Playback, Recorder, type CameraSettings } from '#pipeline';
import { hasFfmpeg } from './fixtures/encoded-video.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const KEY = 'abcdefghijklmnopqrstuvwx';
const S = 1_000_000;
const log = silentLog();
const withFfmpeg = hasFfmpeg ? test : test.skip;

let directory = '';
let recorder: Recorder;
const publishers: ChildProcess[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-push-'));
  recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log,
    motionProcesses: 1,
    push: { host: '127.0.0.1', port: 0 },
  });
});

afterEach(async () => {
  for (const child of publishers.splice(0)) child.kill('SIGKILL');
  await recorder.close();
  rmSync(directory, { recursive: true, force: true });
});

function settings(key: string): CameraSettings {
  return {
    id: CAMERA,
    name: 'Phone',
    streams: { main: `push:${key}` },
    transport: 'tcp',
    recording: { mode: 'continuous', preRollSeconds: 2, postRollSeconds: 2 },
    retention: { days: 30 },
    motion: { sensitivity: 0.5 },
  };
}

/** Ten pictures a second and a tone, a key frame each second. */
function publish(port: number, seconds: number): ChildProcess {
  const picture = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=10:duration=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=duration=${seconds}`];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p'];
  const url = `rtmp://127.0.0.1:${port}/live/${KEY}`;
  const child = spawn(
    'ffmpeg',
    ['-v', 'error', ...picture, ...sound, ...video, '-c:a', 'aac', '-f', 'flv', url],
    { stdio: 'ignore' },
  );
  publishers.push(child);
  return child;
}

const report = () => recorder.report(CAMERA);
const gaps = () => recorder.timeline.gaps(CAMERA, 0, Number.MAX_SAFE_INTEGER);
const recordings = async (track = 'main') =>
  (await recorder.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER)).filter(
    (span) => span.track === track,
  );

withFfmpeg(
  'a camera that pushes is recorded, missed with a reason, and recorded again',
  async () => {
    await recorder.apply({ cameras: [settings(KEY)], holds: [] });
    const port = await eventually('the port', () => recorder.pushPort);
    await eventually('it is missed', () => report()?.state === 'offline', 20_000);
    expect(report()).toMatchObject({
      reason: 'nobody publishes to this address',
      recording: { active: false, reason: 'camera-down' },
    });

    publish(port, 4);
    await eventually('it is online', () => report()?.state === 'online', 30_000);
    await eventually('its publisher went', () => report()?.state === 'offline', 30_000);
    expect(report()?.reason).toMatch(/^the publisher .*; nobody publishes to this address$/);
    const first = await eventually('it is safe', async () => {
      const [span, more] = await recordings();
      const seconds = span === undefined ? 0 : (span.toUnixUs - span.fromUnixUs) / S;
      return more === undefined && seconds > 3.9 ? span : undefined;
    });
    const groups = await recorder.timeline.groups(CAMERA, 'main', {
      fromUnixUs: 0,
      toUnixUs: Number.MAX_SAFE_INTEGER,
    });
    expect(groups.map(({ frameCount }) => frameCount)).toEqual([10, 10, 10, 10]);

    expect(report()?.audio).toMatchObject({ encoding: 'AAC', lostPackets: 0, dropped: {} });
    const sound = await eventually('its sound is safe', async () => (await recordings('audio'))[0]);
    // By the same clock as the picture, which it lasts as long as.
    expect(Math.abs(sound.fromUnixUs - first.fromUnixUs)).toBeLessThan(0.2 * S);
    expect(Math.abs(sound.toUnixUs - first.toUnixUs)).toBeLessThan(0.3 * S);
    // Shorter holes are none on a timeline.
    await eventually('a hole that counts', () => Date.now() * 1000 > first.toUnixUs + 3 * S);
    publish(port, 3);
    await eventually('it is recorded again', async () => (await recordings()).length === 2, 30_000);
    const between = (await gaps()).filter(({ startUnixUs }) => startUnixUs === first.toUnixUs);
    expect(between).toMatchObject([{ reason: 'camera-down' }]);
    expect(report()?.tracks[0]).toMatchObject({ connects: 2, lostPackets: 0, dropped: {} });

    const { timeline, store } = recorder;
    const playback = new Playback({ timeline, store, clock: systemClock, log });
    const { fromUnixUs, toUnixUs } = first;
    const clip = await playback.clip({ camera: CAMERA, fromUnixUs, toUnixUs });
    const file = join(directory, 'clip.mp4');
    const parts: Uint8Array[] = [];
    for await (const part of clip.bytes) parts.push(part);
    writeFileSync(file, Buffer.concat(parts));
    execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-']);
  },
  120_000,
);

withFfmpeg(
  'a renewed key ends who publishes with the old one',
  async () => {
    await recorder.apply({ cameras: [settings(KEY)], holds: [] });
    const port = await eventually('the port', () => recorder.pushPort);
    const child = publish(port, 60);
    await eventually('it is online', () => report()?.state === 'online', 30_000);
    await recorder.apply({ cameras: [settings(`${KEY}-renewed`)], holds: [] });
    await eventually('the publisher gave up', () => child.exitCode !== null, 30_000);
    const late = publish(await eventually('the port', () => recorder.pushPort), 5);
    await eventually('the old key is refused', () => late.exitCode !== null, 30_000);
    expect(late.exitCode).not.toBe(0);
    expect(report()?.state).not.toBe('online');
  },
  120_000,
);

withFfmpeg('the port is open only while a camera pushes', async () => {
  expect(recorder.pushPort).toBeUndefined();
  await recorder.apply({ cameras: [settings(KEY)], holds: [] });
  await eventually('the port', () => recorder.pushPort);
  await recorder.apply({ cameras: [], holds: [] });
  expect(recorder.pushPort).toBeUndefined();
});
