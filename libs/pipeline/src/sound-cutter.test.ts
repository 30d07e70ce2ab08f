// Sound cut to slices: long packets of G.711 lie where they were taken, sample for sample, whichever
// slice they are asked for with.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameTable, plainAudioFormat, writeFmp4Init, type VideoFormat } from '#media';
import type { ParsedAudio } from '#store';
import { SoundCutter } from './sound-cutter.js';

const directory = mkdtempSync(join(tmpdir(), 'nightjar-cutter-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const withFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0 ? test : test.skip;

const PCMA = plainAudioFormat('pcma', 8000, 1);
const PICTURE: VideoFormat = {
  ...{ codec: 'h264', width: 320, height: 180, codecString: 'avc1.42c00a' },
  parameterSets: ['6742c00ad9041f8c', '68ce3880'].map((hex) => Buffer.from(hex, 'hex')),
} as unknown as VideoFormat;

/** As 16-bit samples. */
function decoded(name: string, bytes: Buffer, input: readonly string[]): Buffer {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  const args = ['-v', 'error', ...input, '-i', path, '-map', '0:a', '-f', 's16le', '-'];
  const run = spawnSync('ffmpeg', args, { maxBuffer: 1e8 });
  expect([run.status, run.stderr.toString()]).toEqual([0, '']);
  return run.stdout;
}

withFfmpeg('packets of an eighth of a second, in slices that end in their midst', () => {
  const [packet, count] = [1025, 16];
  const payload = Buffer.from(Array.from({ length: packet * count }, (_, at) => (at * 11) & 0xff));
  const frames = new FrameTable(0);
  for (let frame = 0; frame < count; frame++) {
    frames.addNal(packet);
    frames.endFrame(true, Math.round(packet * 11.25), 0);
  }
  const record = { startUnixUs: 0, duration90k: frames.duration90k };
  const records = [{ format: PCMA, frames, payload, record } as unknown as ParsedAudio];
  const parts = [writeFmp4Init({ formats: [PICTURE], audio: [PCMA], g711: 'flac' })];
  let sequence = 1;
  for (const [fromUs, toUs] of [
    [0, 300_000],
    [300_000, 1_000_000],
    [1_000_000, 2_000_000],
  ] as const) {
    const window = { fromUs, toUs, dts90k: (fromUs * 9) / 100 };
    const cutter = new SoundCutter(PCMA, 'flac');
    parts.push(...cutter.cut(window, records, { nextSequence: () => sequence++ }));
  }
  const heard = decoded('slices.mp4', Buffer.concat(parts), []);
  const wanted = decoded('sound', payload, ['-f', 'alaw', '-ar', '8000', '-ac', '1']);
  // To the end of the last slice, and of the piece that is heard there.
  expect(heard.length / 2).toBeGreaterThanOrEqual(16_000);
  expect(heard.length / 2).toBeLessThan(16_000 + 160);
  expect(heard.equals(wanted.subarray(0, heard.length))).toBe(true);
});

test('packets that end within a sample of two channels are heard as far as they go', () => {
  const stereo = plainAudioFormat('pcma', 8000, 2);
  const frames = new FrameTable(0);
  for (const bytes of [320, 1, 321, 0, 320]) {
    frames.addNal(bytes);
    frames.endFrame(true, 1800, 0);
  }
  const payload = Buffer.alloc(962, 0x55);
  const record = { startUnixUs: 0, duration90k: frames.duration90k };
  const records = [{ format: stereo, frames, payload, record } as unknown as ParsedAudio];
  const window = { fromUs: 0, toUs: 100_000, dts90k: 0 };
  const parts = new SoundCutter(stereo, 'flac').cut(window, records, { nextSequence: () => 1 });
  // 160 samples of 16 bits in each of two channels, three times.
  expect(Buffer.concat(parts).length).toBeGreaterThan(3 * 640);
});
