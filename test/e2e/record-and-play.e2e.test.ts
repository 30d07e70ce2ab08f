// A camera is added, records without a hole, plays back frame by frame, and survives kill -9.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera } from '#contract';
import { Installation } from './installation.js';
import {
  countFrames,
  decodeErrors,
  HAS_FFMPEG,
  HAS_GSTREAMER,
  sharedFootage,
  startGstreamer,
  type Peer,
} from './peers.js';
import { startSimulatedCamera } from './simulated-camera.js';

const STREET = sharedFootage('street.mp4');

describe('a camera in mode continuous', () => {
  let installation: Installation;
  let source: Peer;
  let camera: Camera;
  let addedAt: number;
  /** Of most of the first minute: for a moment a busy machine gets more or less than the camera sends. */
  let usualFps = 0;

  beforeAll(async () => {
    source =
      HAS_GSTREAMER && STREET !== undefined
        ? await startGstreamer(STREET)
        : await startSimulatedCamera('lobby');
    installation = await Installation.start();
    camera = await installation.addCamera('Street', source.url, {
      recording: { mode: 'continuous' },
    });
    addedAt = Date.now();
  });

  afterAll(async () => {
    await installation?.close();
    await source?.close();
  });

  test('is online within seconds and says what it sends', async () => {
    const status = await eventually(
      'the camera is online',
      async () => {
        const now = await installation.status(camera.id);
        return now.state === 'online' && now.recording.active && (now.fps ?? 0) > 0
          ? now
          : undefined;
      },
      90_000,
    );
    expect(status.codec).toBe('h264');
    expect(status.width).toBeGreaterThan(0);
  });

  test('covers at least 57 of the first 60 seconds without a hole', async () => {
    const rates: number[] = [];
    for (let atMs = Date.now(); atMs < addedAt + 61_000; atMs = Date.now()) {
      await eventually('a second has passed', () => Date.now() > atMs + 1000);
      rates.push((await installation.status(camera.id)).fps ?? 0);
    }
    usualFps = rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
    const { recordings, gaps } = await installation.timeline(camera.id, addedAt, addedAt + 60_000);
    const main = recordings.filter((span) => span.track === 'main');
    expect(main).toHaveLength(1);
    const coveredMs = Date.parse(main[0]!.to) - Date.parse(main[0]!.from);
    expect(coveredMs).toBeGreaterThanOrEqual(57_000);
    expect(gaps.filter((gap) => Date.parse(gap.from) > Date.parse(main[0]!.from))).toEqual([]);
  }, 90_000);

  test('gives a clip with every frame and not one fault', async () => {
    const from = addedAt + 10_000;
    const to = addedAt + 50_000;
    const response = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/clip.mp4?from=${from}&to=${to}`,
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('video/mp4');
    const file = join(installation.dataDir, 'clip.mp4');
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    if (!HAS_FFMPEG) return;
    const fps = Math.round(usualFps);
    expect(fps).toBeGreaterThan(0);
    const { groupSeconds = 0 } = await installation.status(camera.id);
    const frames = await countFrames(file);
    // A decoder needs the group from its key frame on: those frames are there, too short to be seen.
    expect(frames).toBeGreaterThanOrEqual(fps * 40 - 1);
    expect(frames).toBeLessThanOrEqual(Math.ceil(fps * (40 + groupSeconds)) + 1);
    expect(await decodeErrors(file)).toBe('');
  }, 60_000);

  test('plays source and 480p by HLS', async () => {
    for (const rendition of ['source', '480p']) {
      const base = `/api/cameras/${camera.id}`;
      const list = await installation.fetch(
        'GET',
        `${base}/playback.m3u8?from=${addedAt + 10_000}&to=${addedAt + 30_000}&rendition=${rendition}`,
      );
      const text = await list.text();
      expect(text).toMatch(/^#EXTM3U/);
      const init = /#EXT-X-MAP:URI="([^"]+)"/.exec(text)?.[1];
      const slices = text.split('\n').filter((line) => /^[^#\s]/.test(line));
      expect(slices.length).toBeGreaterThanOrEqual(3);
      const parts = [];
      for (const uri of [init!, ...slices]) {
        const part = await installation.fetch('GET', `${base}/${uri}`);
        expect(part.status).toBe(200);
        parts.push(Buffer.from(await part.arrayBuffer()));
      }
      const file = join(installation.dataDir, `${rendition}.mp4`);
      writeFileSync(file, Buffer.concat(parts));
      if (HAS_FFMPEG) {
        expect(await decodeErrors(file)).toBe('');
        expect(await countFrames(file)).toBeGreaterThanOrEqual(Math.floor(20 * usualFps * 0.95));
      }
    }
  }, 120_000);

  test('gives the picture at a time', async () => {
    const response = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/frame.jpg?at=${addedAt + 20_000}&height=180`,
    );
    expect(response.status).toBe(200);
    const picture = Buffer.from(await response.arrayBuffer());
    expect(picture.subarray(0, 2).toString('hex')).toBe('ffd8');
  });

  test('streams live as endless fMP4', async () => {
    const response = await installation.fetch('GET', `/api/cameras/${camera.id}/live.mp4`);
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < 200_000) {
      const { value, done } = await reader.read();
      if (done) break;
      chunks.push(value);
      bytes += value.length;
    }
    await reader.cancel();
    expect(Buffer.concat(chunks).subarray(4, 8).toString()).toBe('ftyp');
    expect(Buffer.concat(chunks).includes('moof')).toBe(true);
  }, 60_000);

  test('is back by itself after kill -9 of the recorder, with a gap that says restart', async () => {
    const before = await installation.timeline(camera.id, addedAt, Date.now());
    const pid = installation.findProcess('recorder');
    expect(pid).toBeDefined();
    const killedAt = Date.now();
    process.kill(pid!, 'SIGKILL');
    const resumedAt = await eventually(
      'the camera records again',
      async () => {
        const status = await installation.status(camera.id).catch(() => undefined);
        return status?.state === 'online' &&
          status.recording.active &&
          ![undefined, pid].includes(installation.findProcess('recorder'))
          ? Date.now()
          : undefined;
      },
      30_000,
    );
    console.log(`records again ${((resumedAt - killedAt) / 1000).toFixed(1)} s after kill -9`);
    const after = await eventually(
      'new footage is on the timeline',
      async () => {
        const now = await installation.timeline(camera.id, addedAt, Date.now());
        const main = now.recordings.filter((span) => span.track === 'main');
        return main.length === 2 && Date.parse(main[1]!.to) - Date.parse(main[1]!.from) > 2000
          ? now
          : undefined;
      },
      20_000,
    );
    const [first, second] = after.recordings.filter((span) => span.track === 'main');
    expect(first!.from).toBe(before.recordings[0]!.from);
    expect(killedAt - Date.parse(first!.to)).toBeLessThanOrEqual(2000);
    const restart = after.gaps.find((gap) => gap.from === first!.to);
    expect(restart).toEqual({ from: first!.to, to: second!.from, reason: 'restart' });
  }, 60_000);

  test('keeps every sealed chunk playable by itself', async () => {
    const files = readdirSync(join(installation.dataDir, 'store'), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.h264'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(0);
    if (!HAS_FFMPEG) return;
    await installation.interrupt();
    for (const file of files) expect(await decodeErrors(file)).toBe('');
  }, 60_000);
});
