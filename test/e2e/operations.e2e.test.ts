// What people do with a camera beside watching it: move it, hold its footage, export it, share it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { eventually } from '#base/testing';
import type { AuditEntry, Camera, Export, Hold, PtzReply, Storage, User } from '#contract';
import { Installation } from './installation.js';
import { countFrames, HAS_FFMPEG } from './peers.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

describe('with a camera that moves', () => {
  let installation: Installation;
  let source: SimulatedCamera;
  let camera: Camera;
  let startedAt: number;

  beforeAll(async () => {
    source = await startSimulatedCamera('gate');
    installation = await Installation.start();
    camera = await installation.addCamera('Gate', source.url, {
      recording: { mode: 'continuous' },
      onvif: { url: `http://127.0.0.1:${source.onvifPort}/onvif/gate/device_service` },
    });
    startedAt = await eventually(
      'the camera records',
      async () => {
        const status = await installation.status(camera.id);
        return status.recording.active ? Date.now() : undefined;
      },
      90_000,
    );
  });

  afterAll(async () => {
    await installation?.close();
    await source?.close();
  });

  test('a joystick moves it, and silence stops it after half a second', async () => {
    expect(camera.ptz).toBe(true);
    const socket = new WebSocket(`${installation.url.replace('http', 'ws')}/api/ptz`, {
      headers: { authorization: `Bearer ${installation.token}` },
    });
    const replies: (PtzReply & { readonly atMs: number })[] = [];
    socket.on('message', (data) =>
      replies.push({ ...(JSON.parse(String(data)) as PtzReply), atMs: performance.now() }),
    );
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    // The first command opens the connection to the camera; those after it are the joystick's.
    for (let sequence = 0; sequence < 10; sequence++) {
      const pan = sequence / 10;
      socket.send(
        JSON.stringify({ type: 'move', camera: camera.id, pan, tilt: 0, zoom: 0, sequence }),
      );
      await eventually('an answer', () =>
        replies.some((reply) => reply.type === 'done' && reply.sequence === sequence),
      );
    }
    const lastWordMs = performance.now();
    const stopped = await eventually('the camera is stopped', () =>
      replies.find((reply) => reply.type === 'stopped'),
    );
    expect(stopped).toMatchObject({ camera: camera.id, why: 'silence' });
    expect(stopped.atMs - lastWordMs).toBeGreaterThan(300);
    const latencies = replies
      .filter((reply) => reply.type === 'done')
      .map((reply) => reply.latencyMs)
      .sort((a, b) => a - b);
    expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(200);
    socket.close();
  }, 60_000);

  test('presets are saved and found again', async () => {
    const base = `/api/cameras/${camera.id}/ptz`;
    const saved = await installation.json<{ token: string }>('POST', `${base}/presets`, {
      name: 'Barrier',
    });
    const { items } = await installation.json<{ items: { token: string; name: string }[] }>(
      'GET',
      `${base}/presets`,
    );
    expect(items).toContainEqual({ token: saved.token, name: 'Barrier' });
    const gone = await installation.fetch('POST', `${base}/presets/${saved.token}/goto`);
    expect(gone.ok).toBe(true);
  }, 30_000);

  test('a camera without ONVIF says that it cannot be moved', async () => {
    const fixed = await installation.addCamera('Fixed', source.url, { recording: { mode: 'off' } });
    const answer = await installation.fetch('POST', `/api/cameras/${fixed.id}/ptz/move`, {
      pan: 1,
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(/ONVIF|move|PTZ/i) });
  });

  test('a hold is placed, confirmed by the recorder, and lifted', async () => {
    const hold = await installation.json<Hold>('POST', '/api/holds', {
      cameras: [camera.id],
      from: startedAt,
      to: startedAt + 5000,
      reason: 'case 17',
    });
    expect(hold).toMatchObject({ reason: 'case 17', createdBy: 'admin', confirmed: true });
    await installation.json('DELETE', `/api/holds/${hold.id}`);
    expect(await installation.json('GET', '/api/holds')).toMatchObject({ items: [] });
  });

  test('storage tells what lies where', async () => {
    const storage = await eventually('footage is counted', async () => {
      const now = await installation.json<Storage>('GET', '/api/storage');
      return now.cameras.some(({ id, bytes }) => id === camera.id && bytes > 0) ? now : undefined;
    });
    expect(storage.disks[0]).toMatchObject({ state: 'ok' });
    expect(storage.watermarks.lowBytes).toBeGreaterThan(storage.watermarks.stopBytes);
  });

  test('an export is a ZIP that a stranger can verify', async () => {
    await eventually('some footage', () => Date.now() > startedAt + 12_000, 20_000);
    const started = await installation.json<Export>('POST', '/api/exports', {
      cameras: [camera.id],
      from: startedAt + 2000,
      to: startedAt + 8000,
      note: 'for the insurer',
    });
    const done = await eventually(
      'the export is done',
      async () => {
        const now = await installation.json<Export>('GET', `/api/exports/${started.id}`);
        if (now.state === 'failed') throw new Error(now.error);
        return now.state === 'done' ? now : undefined;
      },
      60_000,
    );
    expect(done.progress).toBe(1);
    const file = await installation.fetch('GET', `/api/exports/${started.id}/file`);
    expect(file.headers.get('content-type')).toBe('application/zip');
    const directory = join(installation.dataDir, 'unpacked');
    mkdirSync(directory);
    const zip = join(directory, 'export.zip');
    writeFileSync(zip, Buffer.from(await file.arrayBuffer()));
    execFileSync('/usr/bin/python3', ['-m', 'zipfile', '-e', zip, directory]);
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as {
      files: { file: string; sha256: string }[];
    };
    expect(manifest.files).toHaveLength(1);
    const video = join(directory, manifest.files[0]!.file);
    const sum = execFileSync('sha256sum', [video], { encoding: 'utf8' }).split(' ')[0];
    expect(sum).toBe(manifest.files[0]!.sha256);
    if (HAS_FFMPEG) expect(await countFrames(video)).toBeGreaterThan(60);
    // The commands that VERIFY.txt gives are run as they stand there.
    const commands = readFileSync(join(directory, 'VERIFY.txt'), 'utf8')
      .split('\n')
      .filter((line) => /^ {4}\S/.test(line));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      expect(spawnSync('sh', ['-c', command], { cwd: directory }).status).toBe(0);
    }
  }, 120_000);

  test('what a viewer may not do is refused, and all of it is in the audit', async () => {
    const viewer = await installation.json<User>('POST', '/api/users', {
      username: 'vera',
      password: 'a viewer’s password',
      role: 'viewer',
    });
    const signedIn = await fetch(`${installation.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'vera', password: 'a viewer’s password' }),
    });
    const { token } = (await signedIn.json()) as { token: string };
    const asViewer = (method: string, path: string) =>
      fetch(installation.url + path, { method, headers: { authorization: `Bearer ${token}` } });
    expect((await asViewer('GET', '/api/cameras')).status).toBe(200);
    expect((await asViewer('DELETE', `/api/cameras/${camera.id}`)).status).toBe(403);
    expect((await asViewer('GET', '/api/audit')).status).toBe(403);
    await installation.json('PATCH', `/api/users/${viewer.id}`, { disabled: true });
    expect((await asViewer('GET', '/api/cameras')).status).toBe(401);

    const { items } = await installation.json<{ items: AuditEntry[] }>(
      'GET',
      '/api/audit?limit=1000',
    );
    const actions = new Set(items.map((entry) => entry.action.split('.')[0]));
    for (const action of ['session', 'camera', 'ptz', 'hold', 'export', 'user']) {
      expect([...actions].some((name) => name?.startsWith(action))).toBe(true);
    }
    expect(JSON.stringify(items)).not.toContain('password":"');
  });
});
