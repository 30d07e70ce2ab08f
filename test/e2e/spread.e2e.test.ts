// Cameras over two recorder processes: one of them goes, the other takes its cameras over, the first
// comes back; and what a person sees is one story.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera, Export, Hold, RecorderView, Storage, TimelineAnswer } from '#contract';
import { Installation } from './installation.js';
import { countFrames, decodeErrors, HAS_FFMPEG } from './peers.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

const MOST_CAMERAS = 16;

describe('two recorders', () => {
  let installation: Installation;
  let source: SimulatedCamera;
  const cameras: Camera[] = [];
  /** Those whose footage lies on both, and from when on. */
  let moved: Camera[] = [];
  let firstAt = 0;

  beforeAll(async () => {
    source = await startSimulatedCamera('gate');
    installation = await Installation.start({
      environment: { NIGHTJAR_RECORDERS: '2', NIGHTJAR_RETENTION_SECONDS: '2' },
    });
    await eventually(
      'both share',
      async () => {
        const views = await recorders();
        return views.length === 2 && views.every(({ state }) => state === 'sharing');
      },
      60_000,
    );
    // Whose a camera is depends on its id: four of them may all be of one recorder.
    while (cameras.length < MOST_CAMERAS) {
      const name = `Camera ${cameras.length + 1}`;
      const recording = { mode: 'continuous' };
      cameras.push(await installation.addCamera(name, source.url, { recording }));
      const views = await recorders();
      if (cameras.length >= 4 && views.every((view) => view.cameras > 1)) break;
    }
    await allRecord();
  }, 180_000);

  afterAll(async () => {
    await installation?.close();
    await source?.close();
  });

  async function recorders(): Promise<RecorderView[]> {
    return (await installation.json<{ items: RecorderView[] }>('GET', '/api/recorders')).items;
  }

  async function shares(): Promise<number[]> {
    return (await recorders()).map((view) => view.cameras);
  }

  async function allRecord(): Promise<void> {
    for (const { id, name } of cameras) {
      await eventually(
        `${name} records`,
        async () => (await installation.status(id)).recording.active,
        60_000,
      );
    }
  }

  /** Which recorder has which cameras, by what it writes. */
  async function writers(): Promise<Map<string, string>> {
    const text = await (await installation.fetch('GET', '/metrics')).text();
    const found = text.matchAll(
      /^nightjar_camera_recording\{process="([^"]+)",camera="([^"]+)"\} 1$/gm,
    );
    return new Map([...found].map(([, recorder = '', camera = '']) => [camera, recorder]));
  }

  async function timelineOf(camera: string, from: number): Promise<TimelineAnswer> {
    const query = `cameras=${camera}&from=${from}&to=${Date.now()}`;
    return installation.json<TimelineAnswer>('GET', `/api/timeline?${query}`);
  }

  test('share the cameras, and a disk counts once', async () => {
    const counts = await shares();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(cameras.length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const written = await writers();
    expect(new Set(written.values())).toEqual(new Set(['recorder-1', 'recorder-2']));
    expect((await installation.fetch('GET', '/healthz')).status).toBe(200);
    const storage = await installation.json<Storage>('GET', '/api/storage');
    expect(storage.disks.map(({ path }) => path)).toEqual([join(installation.dataDir, 'store')]);
  });

  test('one that is lost loses its cameras to the other, and gets them back', async () => {
    const before = await shares();
    const startedAt = Date.now();
    const writer = await writers();
    const moving = cameras.filter(({ id }) => writer.get(id) === 'recorder-2');
    moved = [...moving];
    firstAt = startedAt;
    const [camera] = moving;
    if (camera === undefined) throw new Error('recorder-2 has no camera');
    // Enough for a clip that begins well before the move.
    await eventually('some footage', () => Date.now() - startedAt > 8000, 20_000);
    const pid = installation.findRecorder('recorder-2');
    if (pid === undefined) throw new Error('recorder-2 does not run');
    // A launcher that stands still starts nothing again.
    process.kill(installation.launcherPid, 'SIGSTOP');
    process.kill(pid, 'SIGKILL');
    try {
      await eventually(
        'its cameras are the other’s',
        async () => (await shares())[1] === 0,
        60_000,
      );
      await eventually(
        'the other records them',
        async () => {
          const now = await writers();
          return moving.every(({ id }) => now.get(id) === 'recorder-1');
        },
        60_000,
      );
      const takenOverAt = Date.now();
      await eventually('some footage there', () => Date.now() - takenOverAt > 8000, 20_000);

      const partial = await timelineOf(camera.id, startedAt);
      expect(partial.unavailable).toEqual(['recorder-2']);
      const away = partial.cameras[0]?.gaps.filter(({ reason }) => reason === 'recorder-away');
      expect(away?.length).toBeGreaterThan(0);
      expect(partial.cameras[0]?.recordings.length).toBeGreaterThan(0);
      const health = await installation.fetch('GET', '/healthz');
      expect(await health.text()).toContain('recorder-2');
    } finally {
      process.kill(installation.launcherPid, 'SIGCONT');
    }
    await eventually(
      'its share is back',
      async () => JSON.stringify(await shares()) === JSON.stringify(before),
      60_000,
    );
    await eventually(
      'it records them again, alone',
      async () => {
        const now = await writers();
        return moving.every(({ id }) => now.get(id) === 'recorder-2');
      },
      60_000,
    );
    await allRecord();
    const backAt = Date.now();
    await eventually('some more footage', () => Date.now() - backAt > 8000, 20_000);

    const whole = await timelineOf(camera.id, startedAt);
    expect(whole.unavailable).toBeUndefined();
    const { recordings, gaps } = whole.cameras[0]!;
    const main = recordings.filter(({ track }) => track === 'main');
    // Spans and gaps abut: no moment between the first and the last footage is without an answer.
    const known = [...main, ...gaps].sort((a, b) => (a.from < b.from ? -1 : 1));
    for (let index = 1; index < known.length; index++) {
      const seam = Date.parse(known[index]!.from) - Date.parse(known[index - 1]!.to);
      expect(Math.abs(seam)).toBeLessThan(1500);
    }
    expect(main.length).toBeGreaterThan(1);
    // For the 20 s of patience nobody had the camera.
    const longest = Math.max(...gaps.map(({ from, to }) => Date.parse(to) - Date.parse(from)));
    expect(longest).toBeGreaterThan(10_000);
    expect(longest).toBeLessThan(60_000);

    const clip = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/clip.mp4?from=${startedAt + 1000}&to=${backAt + 6000}`,
    );
    expect(clip.status).toBe(200);
    expect(clip.headers.get('nightjar-gaps')).toMatch(/;\S/);
    const file = join(installation.dataDir, 'moved.mp4');
    writeFileSync(file, Buffer.from(await clip.arrayBuffer()));
    if (HAS_FFMPEG) {
      expect(await decodeErrors(file)).toBe('');
      const recordedMs = main.reduce((sum, span) => {
        const from = Math.max(Date.parse(span.from), startedAt + 1000);
        return sum + Math.max(0, Math.min(Date.parse(span.to), backAt + 6000) - from);
      }, 0);
      const frames = await countFrames(file);
      // The scene has ten frames a second or more; footage of either recorder alone is much less.
      expect(frames).toBeGreaterThan((recordedMs / 1000) * 8);
    }

    const playlist = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/playback.m3u8?from=${startedAt + 1000}&to=${backAt + 6000}`,
    );
    const text = await playlist.text();
    const slices = text.split('\n').filter((line) => line.startsWith('slice.m4s'));
    const from = new Set(slices.map((line) => /[?&]on=([^&]+)/.exec(line)?.[1]));
    expect(from).toEqual(new Set(['recorder-1', 'recorder-2']));
    for (const slice of slices) {
      const answer = await installation.fetch('GET', `/api/cameras/${camera.id}/${slice}`);
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1000);
    }
    for (const at of [startedAt + 3000, backAt + 3000]) {
      const still = await installation.fetch('GET', `/api/cameras/${camera.id}/frame.jpg?at=${at}`);
      expect([still.status, still.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    }
  }, 300_000);

  test('maxBytes counts what both have, and the oldest goes, wherever it lies', async () => {
    const camera = moved.at(-1);
    if (camera === undefined || moved.length < 2) throw new Error('too few cameras have moved');
    const path = `/api/cameras/${camera.id}`;
    await installation.json('PATCH', path, { recording: { mode: 'off' } });
    const used = async () => {
      const { cameras: rows } = await installation.json<Storage>('GET', '/api/storage');
      return rows.find(({ id }) => id === camera.id);
    };
    let last = 0;
    const before = await eventually(
      'nothing more is written',
      async () => {
        const now = await used();
        const isStill = now !== undefined && now.bytes === last;
        last = now?.bytes ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 2000));
        return isStill ? now : undefined;
      },
      60_000,
    );
    expect(before.chunks).toBeGreaterThan(2);
    // Neither has so much by itself: one byte too many is one chunk, the oldest of both.
    const maxBytes = before.bytes - 1;
    await installation.json('PATCH', path, { retention: { maxBytes }, confirm: true });
    const after = await eventually(
      'the oldest went',
      async () => {
        const now = await used();
        return now !== undefined && now.bytes <= maxBytes ? now : undefined;
      },
      90_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    expect((await used())?.bytes).toBe(after.bytes);
    expect(after.chunks).toBe(before.chunks - 1);
    expect(Date.parse(after.oldest ?? '')).toBeGreaterThan(Date.parse(before.oldest ?? ''));
    await installation.json('PATCH', path, {
      retention: { maxBytes: null },
      recording: { mode: 'continuous' },
    });
    await allRecord();
  }, 240_000);

  test('a hold reaches both, an export has both parts, and both outlive the camera', async () => {
    const [camera] = moved;
    if (camera === undefined) throw new Error('no camera has moved');
    const { recordings } = await installation.timeline(camera.id, firstAt, Date.now());
    const main = recordings.filter(({ track }) => track === 'main');
    const [first, last] = [main[0]!, main.at(-1)!];
    const from = Date.parse(first.to) - 3000;
    const to = Math.min(Date.parse(last.from) + 20_000, Date.parse(last.to));
    const hold = await installation.json<Hold>('POST', '/api/holds', {
      cameras: [camera.id],
      from,
      to,
      reason: 'case 23',
    });
    expect(hold.confirmed).toBe(true);
    const started = await installation.json<Export>('POST', '/api/exports', {
      cameras: [camera.id],
      from,
      to,
    });
    const done = await eventually(
      'the export is done',
      async () => {
        const now = await installation.json<Export>('GET', `/api/exports/${started.id}`);
        if (now.state === 'failed') throw new Error(now.error);
        return now.state === 'done' ? now : undefined;
      },
      90_000,
    );
    expect(done.sizeBytes).toBeGreaterThan(10_000);
    const path = `/api/cameras/${camera.id}/clip.mp4?from=${from}&to=${to}`;
    const before = Buffer.from(await (await installation.fetch('GET', path)).arrayBuffer());
    expect((await installation.fetch('DELETE', `/api/cameras/${camera.id}`)).status).toBe(204);
    const after = Buffer.from(await (await installation.fetch('GET', path)).arrayBuffer());
    expect(after.length).toBe(before.length);
    cameras.splice(cameras.indexOf(camera), 1);
  }, 180_000);

  test('a killed recorder is started again and keeps its cameras', async () => {
    const before = await shares();
    const pid = installation.findRecorder('recorder-1');
    if (pid === undefined) throw new Error('recorder-1 does not run');
    process.kill(pid, 'SIGKILL');
    await eventually(
      'a new one',
      () => {
        const now = installation.findRecorder('recorder-1');
        return now !== undefined && now !== pid;
      },
      30_000,
    );
    await allRecord();
    expect(await shares()).toEqual(before);
  }, 120_000);

  test('with fewer recorders the footage of the others stays readable', async () => {
    const writer = await writers();
    const camera = cameras.find(({ id }) => writer.get(id) === 'recorder-2');
    if (camera === undefined) throw new Error('recorder-2 has no camera');
    const now = Date.now();
    await installation.interrupt();
    await installation.launch({ NIGHTJAR_RECORDERS: '1' });
    await installation.signIn();
    await eventually(
      'all are the first one’s',
      async () => {
        return (await shares())[1] === 0;
      },
      60_000,
    );
    await allRecord();
    const { cameras: told } = await timelineOf(camera.id, now - 5000);
    expect(told[0]?.recordings.length).toBeGreaterThan(0);
    const clip = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/clip.mp4?from=${now - 20_000}&to=${now - 5000}`,
    );
    expect(clip.status).toBe(200);
    expect((await clip.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
  }, 180_000);
});
