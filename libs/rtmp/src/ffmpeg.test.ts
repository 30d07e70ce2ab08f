// Against a publisher of somebody else's making: the machine's ffmpeg.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '#base/testing';
import { nalKind, splitAnnexB, type VideoCodec } from '#media';
import { hasFfmpeg } from '../../../test/fixtures/encoded-video.js';
import { KEY, openStream } from './publisher.test-support.js';

const withFfmpeg = hasFfmpeg ? test : test.skip;
const skipped = hasFfmpeg ? '' : ' (SKIPPED: ffmpeg is not here)';
const FPS = 25;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const cleanups: (() => unknown)[] = [];
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-rtmp-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);
}

/** A drawn picture with B-frames and a tone. */
function clip(seconds: number): string {
  const path = join(directory, `clip${seconds}.mp4`);
  const picture = `testsrc2=size=640x360:rate=${FPS}:duration=${seconds}`;
  const video = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2'];
  const sound = ['-f', 'lavfi', '-i', `sine=duration=${seconds}`];
  const audio = ['-c:a', 'aac', '-shortest'];
  ffmpeg('-f', 'lavfi', '-i', picture, ...sound, ...video, '-pix_fmt', 'yuv420p', ...audio, path);
  return path;
}

function publish(
  file: string,
  url: string,
  ...pace: string[]
): { child: ChildProcess; text(): string } {
  const args = ['-v', 'error', ...pace, '-i', file, '-c', 'copy', '-f', 'flv', url];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
  cleanups.push(() => child.kill('SIGKILL'));
  return { child, text: () => text };
}

/** Slices; what stands around them a publisher may add or leave out. */
function picturesOf(units: readonly Uint8Array[], codec: VideoCodec = 'h264'): string[] {
  return units
    .filter((unit) => ['slice', 'key-slice'].includes(nalKind(codec, unit[0] ?? 0)))
    .map((unit) => `${unit.length} ${createHash('sha1').update(unit).digest('hex')}`);
}

function unitsOfFile(file: string, codec: VideoCodec = 'h264'): Uint8Array[] {
  const raw = join(directory, `reference.${codec}`);
  const [filter, format] =
    codec === 'h264' ? ['h264_mp4toannexb', 'h264'] : ['hevc_mp4toannexb', 'hevc'];
  ffmpeg('-i', file, '-map', '0:v', '-c', 'copy', '-bsf:v', filter, '-f', format, raw);
  return splitAnnexB(readFileSync(raw));
}

/** Without their ADTS headers. */
function aacFramesOf(file: string): string[] {
  const path = join(directory, 'reference.aac');
  ffmpeg('-i', file, '-map', '0:a', '-c', 'copy', '-f', 'adts', path);
  const stream = readFileSync(path);
  const frames: string[] = [];
  for (let at = 0; at + 7 <= stream.length;) {
    const size = (stream.readUInt32BE(at + 3) >> 13) & 0x1fff;
    frames.push(stream.subarray(at + 7, at + size).toString('hex'));
    at += size;
  }
  return frames;
}

function presentationTimes(file: string): number[] {
  const fields = ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  const text = execFileSync('ffprobe', ['-v', 'error', ...fields, file], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => Number.parseFloat(line));
}

withFfmpeg(
  `H.264 with B-frames and sound arrives byte for byte and in time${skipped}`,
  async () => {
    const file = clip(4);
    const { port, sink, sound, sounds, ends, starts } = await openStream().then((opened) => {
      cleanups.push(opened.close);
      return opened;
    });
    const { text } = publish(file, `rtmp://127.0.0.1:${port}/live/${KEY}`);
    await eventually('the end of the clip', () => ends.length > 0, 30_000);
    expect(text()).toBe('');
    expect(ends[0]?.reason).toBe('closed-by-camera');
    const units = sink.frames
      .flatMap((frame) => frame.units)
      .map((unit) => Buffer.from(unit, 'hex'));
    expect(picturesOf(units)).toEqual(picturesOf(unitsOfFile(file)));
    expect(sink.frames).toHaveLength(4 * FPS);
    expect(sink.dropped).toEqual([]);
    expect(starts).toHaveLength(1);
    expect(starts[0]?.server).toMatch(/Lavf/);

    const times = presentationTimes(file);
    const zero = sink.frames[0]?.pts90k ?? 0;
    const late = sink.frames.map(({ pts90k }, index) =>
      Math.abs((pts90k - zero) / 90_000 - ((times[index] ?? 0) - (times[0] ?? 0))),
    );
    // FLV counts whole milliseconds.
    expect(Math.max(...late)).toBeLessThan(0.0015);

    expect(sounds).toMatchObject([{ codec: 'aac', sampleRate: 44_100, channels: 1 }]);
    const frames = aacFramesOf(file);
    expect(sound.frames.map(({ bytes }) => bytes.toString('hex'))).toEqual(
      // What came before the first picture has nothing to stand beside.
      frames.slice(frames.length - sound.frames.length),
    );
    expect(frames.length - sound.frames.length).toBeLessThanOrEqual(2);
    const soundSteps = sound.frames
      .slice(1)
      .map(({ pts90k }, index) => pts90k - (sound.frames[index]?.pts90k ?? 0));
    expect(Math.max(...soundSteps)).toBeLessThanOrEqual(2091);
    expect(Math.min(...soundSteps)).toBeGreaterThanOrEqual(2089);
    expect(sound.offsets).toEqual([0]);

    const received = join(directory, 'received.h264');
    const startCode = Buffer.from([0, 0, 0, 1]);
    writeFileSync(received, Buffer.concat(units.flatMap((unit) => [startCode, unit])));
    ffmpeg('-xerror', '-i', received, '-f', 'null', '-');
  },
);

withFfmpeg(`H.265 by the enhanced RTMP of FFmpeg 8, with B-frames${skipped}`, async () => {
  const file = join(directory, 'clip265.mkv');
  const coder = ['-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=25:bframes=2'];
  const picture = `testsrc2=size=640x360:rate=${FPS}:duration=3`;
  ffmpeg('-f', 'lavfi', '-i', picture, ...coder, '-pix_fmt', 'yuv420p', file);
  const opened = await openStream();
  cleanups.push(opened.close);
  const { sink, ends, starts } = opened;
  const url = `rtmp://127.0.0.1:${opened.port}/live/${KEY}`;
  const child = spawn(process.execPath, ['test/fixtures/publish-with-ffmpeg8.mjs', file, url], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  cleanups.push(() => child.kill('SIGKILL'));
  await eventually('the end of the clip', () => ends.length > 0, 30_000);
  expect(starts[0]?.format).toMatchObject({ codec: 'h265', width: 640, height: 360 });
  expect(sink.frames).toHaveLength(3 * FPS);
  expect(sink.dropped).toEqual([]);
  const units = sink.frames.flatMap((frame) => frame.units).map((unit) => Buffer.from(unit, 'hex'));
  expect(picturesOf(units, 'h265')).toEqual(picturesOf(unitsOfFile(file, 'h265'), 'h265'));
  const shown = sink.frames.map(({ pts90k }) => pts90k).sort((a, b) => a - b);
  expect((shown.at(-1) ?? 0) - (shown[0] ?? 0)).toBe((3 * FPS - 1) * 3600);
});

withFfmpeg(`a publisher that is killed may come back${skipped}`, async () => {
  const file = clip(4);
  const opened = await openStream();
  cleanups.push(opened.close);
  const { port, sink, ends, starts, stream } = opened;
  const url = `rtmp://127.0.0.1:${port}/live/${KEY}`;
  const first = publish(file, url, '-re', '-stream_loop', '-1');
  await eventually('pictures', () => sink.frames.length > 10, 30_000);
  first.child.kill('SIGKILL');
  await eventually('the end', () => ends.length === 1, 30_000);
  const before = sink.frames.length;
  publish(file, url, '-re');
  await eventually('pictures again', () => sink.frames.length > before + 10, 30_000);
  expect(starts).toHaveLength(2);
  expect(stream.counters).toMatchObject({ connects: 2, disconnects: { 'closed-by-camera': 1 } });
});

withFfmpeg(`ffmpeg is told why a key is wrong${skipped}`, async () => {
  const file = clip(4);
  const opened = await openStream();
  cleanups.push(opened.close);
  const { child, text } = publish(file, `rtmp://127.0.0.1:${opened.port}/live/not-a-key`);
  await eventually('its end', () => child.exitCode !== null, 30_000);
  expect(child.exitCode).not.toBe(0);
  expect(text()).toContain('no camera has this stream key');
  expect(opened.starts).toEqual([]);
});
