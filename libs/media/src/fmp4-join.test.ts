// Files that follow each other become one that a real decoder plays to its end.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FrameTable,
  joinFmp4,
  patchNalLengths,
  writeFmp4Init,
  writeFragmentHead,
} from './index.js';
import { encodeVideo, hasFfmpeg, type EncodedVideo } from '../../../test/fixtures/encoded-video.js';

/** A clip as a recorder sends it: one fragment per second, times from zero. */
function clipOf(video: EncodedVideo): Buffer {
  const bytes = [writeFmp4Init({ formats: [video.format] })];
  for (let at = 0; at < video.frames.length; at += video.fps) {
    const table = new FrameTable();
    const parts: Buffer[] = [];
    for (const frame of video.frames.slice(at, at + video.fps)) {
      for (const nal of frame.nals) {
        table.addNal(nal.length);
        parts.push(Buffer.from([0, 0, 0, 1]), nal);
      }
      table.endFrame(frame.key, 90_000 / video.fps, 0);
    }
    const payload = Buffer.concat(parts);
    patchNalLengths(payload, 0, { frames: table });
    const baseDts90k = (at * 90_000) / video.fps;
    const head = { sequence: 7, baseDts90k, runs: [{ frames: table }] };
    bytes.push(writeFragmentHead(head), payload);
  }
  return Buffer.concat(bytes);
}

/** In pieces that have nothing to do with boxes. */
async function* trickle(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function joined(clips: readonly Buffer[], size = 997, seamUs = 0): Promise<Buffer> {
  const parts = clips.map((clip) => ({ bytes: trickle(clip, size), seamUs }));
  const bytes: Buffer[] = [];
  for await (const piece of joinFmp4(parts)) bytes.push(Buffer.from(piece));
  return Buffer.concat(bytes);
}

(hasFfmpeg ? describe : describe.skip)('several clips', () => {
  const small = hasFfmpeg ? encodeVideo({ seconds: 2, fps: 10, groupFrames: 10 }) : undefined;
  const large = hasFfmpeg
    ? encodeVideo({ seconds: 3, fps: 10, groupFrames: 10, width: 640, height: 360 })
    : undefined;

  test('of one format or two play as one, and none of the frames is lost', async () => {
    const clips = [small, large, small].map((video) => clipOf(video as EncodedVideo));
    const directory = mkdtempSync(join(tmpdir(), 'nightjar-join-'));
    try {
      const file = join(directory, 'joined.mp4');
      writeFileSync(file, await joined(clips, 997, 500_000));
      const probe = spawnSync(
        'ffprobe',
        `-v error -show_entries packet=pts_time -of csv=p=0 ${file}`.split(' '),
        { encoding: 'utf8' },
      );
      const times = probe.stdout.trim().split('\n').map(Number.parseFloat);
      expect(times).toHaveLength(70);
      // 2 s, half a second's seam, 3 s, again a seam, 2 s.
      expect(times[20]! - times[0]!).toBeCloseTo(2.5, 2);
      expect(times[50]! - times[0]!).toBeCloseTo(6, 2);
      expect(times.every((time, index) => index === 0 || time > times[index - 1]!)).toBe(true);
      const decoded = spawnSync(
        'ffmpeg',
        ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-'],
        { encoding: 'utf8' },
      );
      expect(decoded).toMatchObject({ status: 0, stderr: '' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  test('come out the same however the bytes arrive, and formats are told once', async () => {
    const clip = clipOf(small as EncodedVideo);
    const whole = await joined([clip, clip], clip.length);
    for (const size of [1, 13, 4096])
      expect((await joined([clip, clip], size)).equals(whole)).toBe(true);
    expect(whole.toString('latin1').split('avc1')).toHaveLength(2);
    expect((await joined([clip])).length).toBe(clip.length);
  });

  test('that break off or are something else are refused', async () => {
    const clip = clipOf(small as EncodedVideo);
    await expect(joined([clip, clip.subarray(0, -100)])).rejects.toMatchObject({
      code: 'data-loss',
    });
    await expect(joined([clip, Buffer.from('no MP4 at all')])).rejects.toMatchObject({
      code: 'data-loss',
    });
  });
});
