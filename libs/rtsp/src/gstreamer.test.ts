// Against a camera of somebody else's making: GStreamer's RTSP server, in a process of its own.

import { createHash } from 'node:crypto';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { nalKind, splitAnnexB, type AudioFormat, type VideoCodec } from '#media';
import { CameraStream } from './camera-stream.js';
import { RecordingAudio, RecordingSink } from './packets.test-support.js';
import { probeStream } from './probe-stream.js';
import type { RtspTransport, StreamEnd, StreamInfo } from './stream-face.js';
import { selfSigned } from './tunnel-server.test-support.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVER = join(ROOT, 'test/fixtures/gst-rtsp-server.py');
const STREET = join(ROOT, '../shared/footage/street.mp4');

const HAS_GSTREAMER =
  spawnSync('/usr/bin/python3', [
    '-c',
    'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer',
  ]).status === 0;
const HAS_FFMPEG = spawnSync('ffmpeg', ['-version']).status === 0;
const missing = [
  ...(HAS_GSTREAMER ? [] : ['python3-gi with gir1.2-gst-rtsp-server-1.0']),
  ...(HAS_FFMPEG ? [] : ['ffmpeg']),
];
const withPeers = missing.length === 0 ? test : test.skip;
const skipped = missing.length === 0 ? '' : ` (SKIPPED: ${missing.join(' and ')} is not here)`;
const footage = existsSync(STREET) ? 'street footage' : 'drawn footage, street.mp4 is not here';

const empty = Buffer.alloc(0);
const cleanups: (() => unknown)[] = [];
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-rtsp-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);
}

/** Three seconds of a real street, or a drawn picture. */
function streetClip(): string {
  const path = join(directory, 'street.mp4');
  if (existsSync(STREET)) ffmpeg('-i', STREET, '-t', '3', '-c', 'copy', path);
  else drawnClip(path, ['-c:v', 'libx264', '-g', '10', '-bf', '0'], 3, 10);
  return path;
}

function drawnClip(path: string, coder: readonly string[], seconds: number, fps: number): string {
  const source = `testsrc2=size=320x180:rate=${fps}:duration=${seconds}`;
  ffmpeg('-f', 'lavfi', '-i', source, ...coder, '-pix_fmt', 'yuv420p', path);
  return path;
}

/** The pictures that the file holds, as a digest each. */
function picturesOfFile(file: string, codec: VideoCodec): string[] {
  const raw = join(directory, `reference.${codec}`);
  const filter = codec === 'h264' ? 'h264_mp4toannexb' : 'hevc_mp4toannexb';
  const format = codec === 'h264' ? 'h264' : 'hevc';
  ffmpeg('-i', file, '-c', 'copy', '-bsf:v', filter, '-f', format, raw);
  return picturesOf(splitAnnexB(readFileSync(raw)), codec);
}

/** Slices; what stands around them a server may add or leave out. */
function picturesOf(units: readonly Uint8Array[], codec: VideoCodec): string[] {
  return units
    .filter((unit) => ['slice', 'key-slice'].includes(nalKind(codec, unit[0] ?? 0)))
    .map((unit) => `${unit.length} ${createHash('sha1').update(unit).digest('hex')}`);
}

function countFrames(file: string, codec: VideoCodec): number {
  const format = codec === 'h264' ? 'h264' : 'hevc';
  const args = ['-v', 'error', '-f', format, '-count_frames', '-of', 'csv=p=0'];
  const fields = ['-show_entries', 'stream=nb_read_frames', file];
  return Number(execFileSync('ffprobe', [...args, ...fields], { encoding: 'utf8' }).trim());
}

async function serve(...args: string[]): Promise<(userInfo?: string) => string> {
  const child = spawn('/usr/bin/python3', [SERVER, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(
    () =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const port = await eventually('the server', () => /ready (\d+)/.exec(text)?.[1], 20_000);
  return (userInfo = '') => `rtsp://${userInfo}127.0.0.1:${port}/stream`;
}

function play(url: string, transport: RtspTransport = 'tcp') {
  const sink = new RecordingSink();
  const audio = new RecordingAudio();
  const sounds: AudioFormat[] = [];
  const starts: StreamInfo[] = [];
  const ends: StreamEnd[] = [];
  const clocks: number[] = [];
  const stream = new CameraStream({
    url,
    transport,
    clock: systemClock,
    log: silentLog(),
    listener: {
      onStart: (info) => {
        starts.push(info);
        return sink;
      },
      onAudio: (format) => {
        sounds.push(format);
        return audio;
      },
      onFormat: () => undefined,
      onEnd: (end) => ends.push(end),
      onClock: (offsetMs) => clocks.push(offsetMs),
    },
  });
  cleanups.push(() => stream.stop());
  stream.start();
  return { sink, starts, ends, clocks, stream, audio, sounds };
}

/** Every unit with the start code that a chunk gives it. */
function annexB(sink: RecordingSink): Buffer {
  const startCode = Buffer.from([0, 0, 0, 1]);
  const units = sink.frames.flatMap((frame) => frame.units);
  return Buffer.concat(units.flatMap((unit) => [startCode, Buffer.from(unit, 'hex')]));
}

withPeers(`H.264 arrives byte for byte: ${footage}${skipped}`, async () => {
  const clip = streetClip();
  const url = await serve('--file', clip, '--once');
  const { sink, ends, starts, clocks } = play(url());
  await eventually('the end of the clip', () => ends.length > 0, 20_000);
  expect(ends[0]).toMatchObject({ reason: 'closed-by-camera' });
  const expected = picturesOfFile(clip, 'h264');
  const stream = annexB(sink);
  expect(picturesOf(splitAnnexB(stream), 'h264')).toEqual(expected);
  const file = join(directory, 'received.h264');
  writeFileSync(file, stream);
  expect(countFrames(file, 'h264')).toBe(30);
  expect(sink.frames).toHaveLength(30);
  const steps = sink.frames.slice(1).map(({ pts90k }, i) => pts90k - (sink.frames[i]?.pts90k ?? 0));
  expect(new Set(steps)).toEqual(new Set([9000]));
  expect(starts[0]?.format.codec).toBe('h264');
  expect(Math.abs(clocks[0] ?? Infinity)).toBeLessThan(5000);
});

withPeers(`H.265 with B-frames, sound beside it${skipped}`, async () => {
  const coder = ['-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=25', '-tag:v', 'hvc1'];
  const clip = drawnClip(join(directory, 'clip265.mp4'), coder, 2, 25);
  const url = await serve('--file', clip, '--once', '--codec', 'h265', '--audio');
  const { sink, ends, starts, stream } = play(url());
  await eventually('the clip', () => sink.frames.length === 50 || ends.length > 0, 20_000);
  await stream.stop();
  expect(starts[0]).toMatchObject({ audio: 'PCMA', format: { codec: 'h265', reorderFrames: 2 } });
  const bytes = annexB(sink);
  expect(picturesOf(splitAnnexB(bytes), 'h265')).toEqual(picturesOfFile(clip, 'h265'));
  const file = join(directory, 'received.h265');
  writeFileSync(file, bytes);
  expect(countFrames(file, 'h265')).toBe(50);
});

withPeers(`over UDP, through the seam of a loop, sets only in the SDP${skipped}`, async () => {
  const coder = ['-c:v', 'libx264', '-g', '25', '-bf', '0'];
  const clip = drawnClip(join(directory, 'loop.mp4'), coder, 1, 25);
  const url = await serve('--file', clip, '--udp-ok', '--no-inband');
  const { sink, stream } = play(url(), 'udp');
  await eventually('two loops', () => sink.frames.length >= 60, 20_000);
  await stream.stop();
  expect(stream.counters).toMatchObject({ lostPackets: 0, malformedPackets: 0, clockJumps: 0 });
  const frames = sink.frames.slice(0, 60);
  frames.forEach(({ pts90k, units }, index) => {
    expect(pts90k - (frames[0]?.pts90k ?? 0)).toBe(index * 3600);
    const kinds = units.map((unit) => nalKind('h264', Number.parseInt(unit.slice(0, 2), 16)));
    if (kinds.includes('key-slice')) expect(kinds.slice(0, 2)).toEqual(['set', 'set']);
  });
});

const certificate = selfSigned();

withPeers.each([
  ['the HTTP tunnel', 'http', false],
  ...(certificate === undefined
    ? []
    : ([
        ['TLS', 'tcp', true],
        ['the HTTP tunnel in TLS', 'http', true],
      ] as const)),
] as const)(`through %s, with a password${skipped}`, async (_, transport, secure) => {
  const pem = join(directory, 'both.pem');
  writeFileSync(pem, Buffer.concat([certificate?.key ?? empty, certificate?.cert ?? empty]));
  const user = ['--user', 'u', '--password', 'p'];
  const url = await serve(...user, ...(secure ? ['--tls', pem] : []));
  const address = url('u:p@').replace('rtsp:', secure ? 'rtsps:' : 'rtsp:');
  const { sink, stream, ends } = play(address, transport);
  await eventually('frames', () => sink.frames.length >= 30 || ends.length > 0, 20_000);
  expect(ends).toEqual([]);
  await stream.stop();
  expect(stream.counters).toMatchObject({ lostPackets: 0, malformedPackets: 0, rubbishBytes: 0 });
  expect(sink.dropped).toEqual([]);
});

const SOUNDS = [
  ['aac', 'tcp', { codec: 'aac', sampleRate: 44_100, channels: 2 }],
  ['aac', 'udp', { codec: 'aac', sampleRate: 44_100, channels: 2 }],
  ['pcmu', 'tcp', { codec: 'pcmu', sampleRate: 8000, channels: 1 }],
  ['pcma', 'udp', { codec: 'pcma', sampleRate: 8000, channels: 1 }],
  ['opus', 'tcp', { codec: 'opus', sampleRate: 48_000, channels: 2 }],
  ['opus', 'udp', { codec: 'opus', sampleRate: 48_000, channels: 2 }],
] as const;

withPeers.each(SOUNDS)(
  `%s over %s arrives byte for byte${skipped}`,
  async (kind, transport, format) => {
    const dump = join(directory, `${kind}-${transport}.bin`);
    const picture = ['--size', '160x90', '--fps', '10'];
    // Large access units, so that some take more than one packet.
    const sound = ['--audio', kind, '--audio-dump', dump, '--audio-bitrate', '320000'];
    const url = await serve(...picture, ...sound, '--udp-ok');
    const { audio, sink, stream, sounds, starts } = play(url(), transport);
    await eventually(
      'two seconds',
      () => (audio.frames.at(-1)?.pts90k ?? 0) - (audio.frames[0]?.pts90k ?? 0) > 180_000,
      20_000,
    );
    await eventually('sender reports of both', () => audio.offsets.length > 0, 20_000);
    expect(sink.frames.length).toBeGreaterThan(10);
    await stream.stop();
    expect(sounds).toMatchObject([format]);
    expect(starts[0]?.audioFault).toBeUndefined();
    expect(stream.counters.audio).toMatchObject({
      lostPackets: 0,
      malformedPackets: 0,
      clockJumps: 0,
    });
    expect(readFileSync(dump).includes(audio.bytes)).toBe(true);
    // No frame begins where another has not ended.
    const exact = { aac: (1024 * 90_000) / 44_100, opus: 1800, pcmu: 0, pcma: 0 }[kind];
    audio.frames.slice(1).forEach(({ pts90k }, index) => {
      const before = audio.frames[index];
      const ticks = exact === 0 ? ((before?.bytes.length ?? 0) * 90_000) / 8000 : exact;
      expect(Math.abs(pts90k - (before?.pts90k ?? 0) - ticks)).toBeLessThanOrEqual(12);
    });
  },
);

withPeers.each(['basic', 'digest'])(`%s authentication${skipped}`, async (auth) => {
  const url = await serve('--user', 'ad min', '--password', 'p@ss:w/rd%', '--auth', auth);
  const good = play(url('ad%20min:p%40ss%3Aw%2Frd%25@'));
  const bad = play(url('ad%20min:wrong@'));
  const none = play(url());
  await eventually('a frame', () => good.sink.frames.length > 0, 20_000);
  await eventually('both refusals', () => bad.ends.length === 1 && none.ends.length === 1);
  expect(bad.ends[0]?.message).toBe('the camera refuses this user and password');
  expect(none.ends[0]?.message).toBe('the camera asks for a user and a password');
});

withPeers(`a probe measures; JPEG and TCP-only are named${skipped}`, async () => {
  const url = await serve('--fps', '20', '--size', '320x180', '--audio');
  const probe = { transport: 'tcp', durationMs: 5000, clock: systemClock } as const;
  const found = await probeStream({ ...probe, url: url() });
  expect(found).toMatchObject({
    format: { codec: 'h264', width: 320, height: 180 },
    audio: 'PCMA',
    server: 'GStreamer RTSP server',
    groupSeconds: 2,
    lostPackets: 0,
  });
  expect(found.fps).toBeCloseTo(20, 0);
  expect(found.bitrate).toBeGreaterThan(10_000);
  await expect(probeStream({ ...probe, url: url(), transport: 'udp' })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('does not send over UDP'),
  });
  const jpeg = await serve('--codec', 'jpeg');
  await expect(probeStream({ ...probe, url: jpeg() })).rejects.toMatchObject({
    code: 'unsupported',
    message: 'the camera sends JPEG; Nightjar records H.264 and H.265',
  });
});
