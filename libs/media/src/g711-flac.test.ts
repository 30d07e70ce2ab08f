// G.711 in FLAC is what ffmpeg decodes from the G.711 itself, sample for sample.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainAudioFormat } from './audio-format.js';
import { audioSampleEntry } from './audio-sample-entry.js';
import { flacConfigBox, G711ToFlac } from './g711-flac.js';

const directory = mkdtempSync(join(tmpdir(), 'nightjar-flac-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const withFfmpeg = hasFfmpeg ? test : test.skip;

/** As 16-bit samples. */
function decoded(name: string, bytes: Buffer, input: readonly string[]): Buffer {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  const args = ['-v', 'error', '-xerror', '-err_detect', 'crccheck+bitstream+explode', ...input];
  const run = spawnSync('ffmpeg', [...args, '-i', path, '-f', 's16le', '-'], { maxBuffer: 1e9 });
  expect([run.status, run.stderr.toString()]).toEqual([0, '']);
  return run.stdout;
}

withFfmpeg.each([
  ['pcma', 'alaw', 8000, 1],
  ['pcmu', 'mulaw', 8000, 1],
  ['pcma', 'alaw', 16_000, 2],
  ['pcmu', 'mulaw', 11_025, 1],
] as const)('%s (%s) of %i Hz and %i channels', (codec, raw, rate, channels) => {
  const format = plainAudioFormat(codec, rate, channels);
  // Every code, in packets of odd sizes; the times are those of a run of days.
  const codes = Buffer.from(Array.from({ length: 256 * 40 }, (_, index) => (index * 7) & 0xff));
  const toFlac = new G711ToFlac(format);
  const frames: Buffer[] = [];
  const startAt90k = 2 ** 20;
  for (let at = 0, size = 32; at < codes.length; at += size, size = 32 + ((size * 5) % 600)) {
    size -= size % channels;
    const at90k = startAt90k + (at / channels / rate) * 90_000;
    frames.push(toFlac.frame(codes.subarray(at, at + size), at90k));
  }
  const streamInfo = flacConfigBox(format).subarray(12);
  const file = Buffer.concat([Buffer.from('fLaC'), streamInfo, ...frames]);
  const input = ['-f', raw, '-ar', String(rate), '-ac', String(channels)];
  const wanted = decoded('g711', codes, input);
  expect(wanted).toHaveLength(codes.length * 2);
  expect(decoded('wrapped.flac', file, []).equals(wanted)).toBe(true);
});

test('a frame knows its time up to 36 bits of samples, and no further', () => {
  const toFlac = new G711ToFlac(plainAudioFormat('pcma', 8000, 1));
  const numberAt = (sample: number) =>
    // Behind it: the size, a checksum, 16 samples with their type, another checksum.
    toFlac.frame(Buffer.alloc(16), (sample * 90_000) / 8000).subarray(4, -(2 + 1 + 1 + 32 + 2));
  const hexes = [0, 127, 128, 2047, 2048, 65_536, 2 ** 31, 2 ** 36 - 1, 2 ** 36].map((sample) =>
    numberAt(sample).toString('hex'),
  );
  expect(hexes).toEqual([
    ...['00', '7f', 'c280', 'dfbf', 'e0a080', 'f0908080'],
    ...['fe828080808080', 'febfbfbfbfbfbf', '00'],
  ]);
});

test('only G.711 is FLAC, and only where that is wanted', () => {
  const typeOf = (...given: Parameters<typeof audioSampleEntry>) =>
    audioSampleEntry(...given).toString('latin1', 4, 8);
  const pcma = plainAudioFormat('pcma', 8000, 1);
  expect(typeOf(pcma)).toBe('alaw');
  expect(typeOf(pcma, 'flac')).toBe('fLaC');
  expect(typeOf(plainAudioFormat('opus', 48_000, 2), 'flac')).toBe('Opus');
});
