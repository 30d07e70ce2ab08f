// Sound end to end: from a camera of somebody else's making, beside the picture, onto the disk and
// out of it again.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { audioSamples } from '#media';
import { Recorder, type CameraSettings } from '#pipeline';
import { verifyChunk } from '#store';
import { hasFfmpeg } from './fixtures/encoded-video.js';
import { hasGstreamer, startGstCamera, type GstCamera } from './fixtures/gst-camera.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const log = silentLog();
const S = 1_000_000;
const FOREVER = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
const withPeers = hasGstreamer && hasFfmpeg ? test : test.skip;

let directory: string;
let camera: GstCamera | undefined;
let recorder: Recorder | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-sound-'));
});

afterEach(async () => {
  await recorder?.close();
  await camera?.close();
  recorder = undefined;
  camera = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function record(kind: string, more: Partial<CameraSettings> = {}): Promise<Recorder> {
  const sound = ['--audio', kind, '--audio-dump', join(directory, 'dump')];
  camera = await startGstCamera('--size', '320x180', '--fps', '10', '--shared', ...sound);
  recorder = await Recorder.open({
    directory: join(directory, 'index'),
    storeDirectories: [join(directory, 'store')],
    clock: systemClock,
    log,
    motionProcesses: 1,
  });
  const settings: CameraSettings = {
    id: CAMERA,
    name: 'Gate',
    streams: { main: camera.url },
    transport: 'tcp',
    recording: { mode: 'continuous', preRollSeconds: 2, postRollSeconds: 2 },
    retention: { days: 30 },
    motion: { sensitivity: 0.5 },
    ...more,
  };
  await recorder.apply({ cameras: [settings], holds: [] });
  return recorder;
}

async function secondsOf(of: Recorder, track: string): Promise<number> {
  const spans = await of.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  return spans
    .filter((span) => span.track === track)
    .reduce((sum, span) => sum + (span.toUnixUs - span.fromUnixUs) / S, 0);
}

/** The frames of the sound on disk, as the camera sent them. */
async function recordedSound(of: Recorder): Promise<Buffer> {
  const groups = await of.timeline.groups(CAMERA, 'audio', FOREVER);
  const parts: Buffer[] = [];
  for (const group of groups) {
    const chunk = await of.timeline.chunk(group.chunkId);
    if (chunk === undefined) throw new Error('no chunk');
    for (const { format, frames, payload } of await of.store.readAudio(
      chunk,
      group.offset,
      group.length,
    )) {
      parts.push(audioSamples(format, frames, payload).payload);
    }
  }
  return Buffer.concat(parts);
}

withPeers.each(['aac', 'pcma', 'opus'])(
  '%s is recorded beside the picture, byte for byte, as a track of its own',
  async (kind) => {
    const it = await record(kind);
    await eventually('six seconds', async () => (await secondsOf(it, 'audio')) > 6, 40_000);
    expect(await secondsOf(it, 'main')).toBeGreaterThan(4);
    const report = it.report(CAMERA);
    expect(report?.audio).toMatchObject({
      track: 'audio',
      format: { codec: kind },
      lostPackets: 0,
    });
    expect(report?.audio?.reason).toBeUndefined();
    expect(report?.audio?.dropped).toEqual({});
    const sound = await recordedSound(it);
    expect(sound.length).toBeGreaterThan(10_000);
    const sent = readFileSync(join(directory, 'dump'));
    expect(sent.includes(sound)).toBe(true);
    // Sound and picture of one camera begin and end together, to a second or so.
    const spans = await it.timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
    const main = spans.find(({ track }) => track === 'main');
    const audio = spans.filter(({ track }) => track === 'audio');
    expect(audio).toHaveLength(1);
    expect(Math.abs((audio[0]?.fromUnixUs ?? 0) - (main?.fromUnixUs ?? 0))).toBeLessThan(2.5 * S);
    await it.close();
    recorder = undefined;
    const folder = join(directory, 'store', CAMERA, 'audio');
    const [day = ''] = readdirSync(folder);
    const [name = ''] = readdirSync(join(folder, day));
    const path = join(folder, day, name);
    expect(name.endsWith(`.${kind}`)).toBe(true);
    expect(await verifyChunk(path)).toMatchObject({ seal: 'valid', damaged: [] });
    if (kind !== 'aac') return;
    const played = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-']);
    expect([played.status, played.stderr.toString()]).toEqual([0, '']);
  },
  90_000,
);

withPeers(
  'a still picture keeps no byte of sound',
  async () => {
    const recording = { mode: 'off', preRollSeconds: 2, postRollSeconds: 2 } as const;
    const it = await record('pcmu', { recording });
    await eventually('sound comes', () => (it.report(CAMERA)?.audio?.frames ?? 0) > 200, 40_000);
    expect(await it.timeline.groups(CAMERA, 'audio', FOREVER)).toEqual([]);
    expect(readdirSync(join(directory, 'store'))).not.toContain(CAMERA);
  },
  60_000,
);
