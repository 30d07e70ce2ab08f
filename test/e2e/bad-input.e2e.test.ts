// Cameras and disks that do wrong: each has a state with a reason for people, and none stops another.

import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera } from '#contract';
import { Installation } from './installation.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

const JPEG_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=old camera',
  't=0 0',
  'm=video 0 RTP/AVP 26',
  'a=control:track1',
  '',
].join('\r\n');

describe('beside a good camera', () => {
  let installation: Installation;
  let good: SimulatedCamera;
  let goodCamera: Camera;
  let startedAt: number;
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  async function serve(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function expectReason(name: string, url: string, reason: RegExp) {
    const camera = await installation.addCamera(name, url, { recording: { mode: 'continuous' } });
    const status = await eventually(
      `${name} has a reason`,
      async () => {
        const now = await installation.status(camera.id);
        return reason.test(now.reason ?? '') ? now : undefined;
      },
      30_000,
    );
    expect(status.state).not.toBe('online');
    expect(status.recording.active).toBe(false);
  }

  beforeAll(async () => {
    good = await startSimulatedCamera('gate', { user: 'guard', password: 'p@ss/word' });
    installation = await Installation.start();
    const url = good.url.replace('rtsp://', 'rtsp://guard:p%40ss%2Fword@');
    goodCamera = await installation.addCamera('Good', url, { recording: { mode: 'continuous' } });
    await eventually(
      'the good camera records',
      async () => {
        const status = await installation.status(goodCamera.id);
        return status.state === 'online' && status.recording.active;
      },
      90_000,
    );
    startedAt = Date.now();
  });

  afterAll(async () => {
    await installation?.close();
    await good?.close();
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });

  test('a camera password never comes out', async () => {
    const text = JSON.stringify(await installation.json('GET', '/api/cameras'));
    expect(text).not.toContain('p@ss');
    expect(text).not.toContain('p%40ss');
    expect(installation.output).not.toMatch(/p@ss|p%40ss/);
  });

  test('a wrong password', async () => {
    const url = good.url.replace('rtsp://', 'rtsp://guard:wrong@');
    await expectReason('Wrong password', url, /password/i);
  });

  test('an address that nobody answers at', async () => {
    const port = await serve(() => undefined);
    await expectReason('Silent', `rtsp://127.0.0.1:${port}/x`, /no answer|answer/i);
  }, 60_000);

  test('a port that is closed', async () => {
    const port = await serve(() => undefined);
    await new Promise((resolve) => servers.at(-1)!.close(resolve));
    await expectReason('Closed', `rtsp://127.0.0.1:${port}/x`, /refused|reach|connect/i);
  });

  test('a server that sends rubbish', async () => {
    const port = await serve((socket) => {
      socket.on('data', () => socket.write(Buffer.alloc(70_000, 0xa5)));
    });
    await expectReason('Rubbish', `rtsp://127.0.0.1:${port}/x`, /RTSP|understand|expected/i);
  });

  test('a camera that sends JPEG only', async () => {
    const port = await serve((socket) => {
      socket.on('data', (data) => {
        const sequence = /CSeq: *(\d+)/i.exec(data.toString())?.[1] ?? '1';
        const describes = data.toString().startsWith('DESCRIBE');
        const body = describes ? JPEG_SDP : '';
        const head = describes
          ? 'Content-Type: application/sdp\r\n'
          : 'Public: DESCRIBE, SETUP, PLAY\r\n';
        socket.write(
          `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
        );
      });
    });
    await expectReason('JPEG', `rtsp://127.0.0.1:${port}/x`, /JPEG/);
  });

  test('and the good camera lost nothing meanwhile', async () => {
    const to = Date.now() - 4000;
    const { recordings, gaps } = await installation.timeline(goodCamera.id, startedAt, to);
    expect(recordings.filter((span) => span.track === 'main')).toHaveLength(1);
    expect(gaps).toEqual([]);
    const { tracks } = await installation.status(goodCamera.id);
    expect(tracks.find(({ track }) => track === 'main')).toMatchObject({ lostPackets: 0 });
  });

  test('bad requests are refused in words and change nothing', async () => {
    const cases: [string, string, unknown, number][] = [
      ['POST', '/api/cameras', { name: '', streams: { main: 'http://x' } }, 400],
      ['POST', '/api/cameras', { name: 'x', streams: { main: 'file:///etc/passwd' } }, 400],
      ['GET', `/api/cameras/${'0'.repeat(8)}`, undefined, 404],
      ['GET', '/api/timeline?cameras=nope&from=1&to=2', undefined, 400],
      ['GET', `/api/timeline?cameras=${goodCamera.id}&from=2026-13-45&to=2`, undefined, 400],
      ['GET', `/api/cameras/${goodCamera.id}/clip.mp4?from=9&to=1`, undefined, 400],
      ['GET', `/api/cameras/${goodCamera.id}/frame.jpg?at=1000000000000`, undefined, 404],
    ];
    for (const [method, path, body, status] of cases) {
      const response = await installation.fetch(method, path, body);
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({ status, code: expect.any(String) });
    }
    const { items } = await installation.json<{ items: Camera[] }>('GET', '/api/cameras');
    expect(items.some((camera) => camera.name === 'x')).toBe(false);
  });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot(
  'a disk that is full says so, and recording resumes by itself (needs root for a small disk)',
  async () => {
    const disk = mkdtempSync(join(tmpdir(), 'nightjar-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    if (mounted.status !== 0) {
      console.log('skipped: a small disk cannot be mounted here');
      rmSync(disk, { recursive: true });
      return;
    }
    const source = await startSimulatedCamera('lobby');
    mkdirSync(join(disk, 'footage'));
    const installation = await Installation.start({
      environment: { NIGHTJAR_STORE_DIRS: join(disk, 'footage') },
    });
    try {
      const camera = await installation.addCamera('Lobby', source.url, {
        recording: { mode: 'continuous' },
      });
      await eventually('the camera records', async () => {
        const status = await installation.status(camera.id);
        return status.recording.active;
      });
      const filler = join(disk, 'filler');
      const writeUntilFull = () => {
        try {
          for (let at = 0; at < 64; at++)
            writeFileSync(filler, Buffer.alloc(1 << 20), { flag: 'a' });
        } catch {
          // Full, as it should be.
        }
      };
      writeUntilFull();
      const status = await eventually(
        'the full disk shows',
        async () => {
          const now = await installation.status(camera.id);
          return now.recording.reason === 'disk-full' ? now : undefined;
        },
        30_000,
      );
      expect(status.reason).toMatch(/disk|full/i);
      expect(status.recording.active).toBe(false);
      expect((await installation.fetch('GET', '/healthz')).status).toBe(503);
      rmSync(filler);
      await eventually(
        'recording resumes',
        async () => (await installation.status(camera.id)).recording.active,
        60_000,
      );
    } finally {
      await installation.close();
      await source.close();
      spawnSync('umount', ['-l', disk]);
      rmSync(disk, { recursive: true, force: true });
    }
  },
  180_000,
);
