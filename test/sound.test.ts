// Sound end to end: from a camera of somebody else's making, beside the picture, onto the disk and
// out of it again.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { audioSamples } from '#media';
import { Playback, Recorder, type CameraSettings } from '#pipeline';
import { verifyChunk } from '#store';
import { exportClip } from '../apps/cli/src/export-clip.js';
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

interface Probed {
  readonly streams: { codec_name: string; nb_read_frames: string; duration?: string }[];
  readonly packets: {
    codec_type: string;
    pts_time: string;
    duration_time: string;
    size: string;
  }[];
}

/** Plays a file to its end without a complaint, and says what is in it. */
function probe(name: string, file: Buffer): Probed {
  const path = join(directory, name);
  writeFileSync(path, file);
  const played = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-']);
  expect([played.status, played.stderr.toString()]).toEqual([0, '']);
  const entries = 'stream=codec_name,nb_read_frames:packet=codec_type,pts_time,duration_time,size';
  const args = ['-v', 'error', '-count_frames', '-show_packets', '-show_entries', entries];
  const probed = spawnSync('ffprobe', [...args, '-of', 'json', path], { encoding: 'utf8' });
  return JSON.parse(probed.stdout) as Probed;
}

/**
 * Until the clock of the sound is where sender reports put it, it moves by 20 ms a second. A slice is
 * cut without the one before, so that what it moved within one shows where the next one begins.
 */
const CLOCK_STEPS_SECONDS = 0.062;

/** The sound begins and ends with the picture and has no hole. */
function expectWhole({ packets, streams }: Probed, seconds: number, apartSeconds = 0.002): void {
  const isFlac = streams.some(({ codec_name: name }) => name === 'flac');
  const of = (type: string) => packets.filter(({ codec_type: found }) => found === type);
  const sound = of('audio');
  const start = Number(sound[0]?.pts_time);
  const picture = Number(of('video')[0]?.pts_time);
  expect(Math.abs(start - picture)).toBeLessThan(0.12);
  let end = start;
  for (const { pts_time: at, duration_time: lasts, size } of sound) {
    expect(Math.abs(Number(at) - end)).toBeLessThan(apartSeconds);
    // Of Opus and FLAC in MP4 ffprobe does not say it: 20 ms, as GStreamer's encoder makes it, or 16
    // bits for each of 8000 samples a second, behind a header.
    const unsaid = isFlac ? (Number(size) - 14) / 16_000 : 0.02;
    end = Number(at) + (Number(lasts) || unsaid);
  }
  expect(Math.abs(end - start - seconds)).toBeLessThan(0.2);
}

const CODEC_NAMES: Readonly<Record<string, string>> = { pcma: 'pcm_alaw' };
/** Browsers know no G.711. */
const HLS_NAMES: Readonly<Record<string, string>> = { pcma: 'flac' };

/** A clip has the sound as it is, HLS has it as browsers play it. */
async function expectPlayback(of: Recorder, kind: string): Promise<void> {
  const { timeline, store } = of;
  const playback = new Playback({ timeline, store, clock: systemClock, log });
  const spans = await timeline.recordings(CAMERA, 0, Number.MAX_SAFE_INTEGER);
  const from = Math.max(...spans.map(({ fromUnixUs }) => fromUnixUs)) + 0.7 * S;
  const period = { camera: CAMERA, fromUnixUs: from, toUnixUs: from + 3 * S };
  const parts: Buffer[] = [];
  for await (const part of (await playback.clip(period)).bytes) parts.push(part);
  const clip = probe('clip.mp4', Buffer.concat(parts));
  expect(clip.streams.map(({ codec_name: name }) => name)).toEqual([
    'h264',
    CODEC_NAMES[kind] ?? kind,
  ]);
  expectWhole(clip, 3);
  const silent: Buffer[] = [];
  for await (const part of (await playback.clip(period, 'silent')).bytes) silent.push(part);
  expect(probe('silent.mp4', Buffer.concat(silent)).streams).toHaveLength(1);

  const text = await playback.playlist(period);
  const addresses = [...text.matchAll(/slice\.m4s\?(.*)/g)].map(([, query]) => {
    const number = (name: string) => Number(new URLSearchParams(query).get(name) ?? Number.NaN);
    return { from: number('from'), last: number('last'), to: number('to'), sound: number('sound') };
  });
  expect(addresses.length).toBeGreaterThan(0);
  const [{ sound = 0, from: fromUnixUs = 0 } = {}] = addresses;
  expect(text).toContain(`init.mp4?track=main&from=${fromUnixUs}&sound=${sound}`);
  const file = [await playback.init({ camera: CAMERA, track: 'main', fromUnixUs }, sound)];
  for (const address of addresses) {
    const { from: at, last: lastUnixUs, to: toUnixUs } = address;
    const slice = { camera: CAMERA, track: 'main' as const, fromUnixUs: at, lastUnixUs, toUnixUs };
    file.push(...(await playback.slice(slice, address.sound)));
  }
  const seconds = ((addresses.at(-1)?.to ?? 0) - fromUnixUs) / S;
  const slices = probe('slices.mp4', Buffer.concat(file));
  expect(slices.streams.map(({ codec_name: name }) => name)).toEqual([
    'h264',
    HLS_NAMES[kind] ?? kind,
  ]);
  expectWhole(slices, seconds, CLOCK_STEPS_SECONDS);
}

/** `nightjar export` makes a file that plays out of the chunks alone. */
async function expectExport(kind: string): Promise<void> {
  const out = join(directory, 'export.mp4');
  const report = await exportClip(
    {
      storeDirs: [join(directory, 'store')],
      warmDirs: [],
      mend: false,
      camera: CAMERA,
      fromUnixMs: 0,
      toUnixMs: Date.now() + 3_600_000,
      out,
    },
    () => undefined,
  );
  expect(report.ok).toBe(true);
  const { streams, packets } = probe('exported.mp4', readFileSync(out));
  expect(streams.map(({ codec_name: name }) => name)).toEqual(['h264', CODEC_NAMES[kind] ?? kind]);
  const last = (type: string) =>
    Number(packets.findLast(({ codec_type: found }) => found === type)?.pts_time);
  expect(Math.abs(last('audio') - last('video'))).toBeLessThan(2);
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
    await expectPlayback(it, kind);
    await it.close();
    recorder = undefined;
    const folder = join(directory, 'store', CAMERA, 'audio');
    const [day = ''] = readdirSync(folder);
    const [name = ''] = readdirSync(join(folder, day));
    const path = join(folder, day, name);
    expect(name.endsWith(`.${kind}`)).toBe(true);
    expect(await verifyChunk(path)).toMatchObject({ seal: 'valid', damaged: [] });
    await expectExport(kind);
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
