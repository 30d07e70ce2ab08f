// The server as a whole: signing in, declaring cameras, and telling recorders of them.

import type { AnnounceAnswer, Camera, Problem } from '#contract';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

const GATE = {
  name: 'Gate',
  streams: {
    main: 'rtsp://user:p%40ss@camera.example/main',
    sub: 'rtsp://camera.example/sub?pwd=hush',
  },
  onvif: { url: 'http://camera.example/onvif/device_service', username: 'user', password: 'hush' },
};

test('a camera is declared, reaches its recorder with credentials, and comes out without', async () => {
  const added = await server.admin<Camera>('POST', '/api/cameras', GATE);
  expect(added.status).toBe(201);
  expect(added.body.streams).toEqual({
    main: 'rtsp://camera.example/main',
    sub: 'rtsp://camera.example/sub?pwd=***',
  });
  expect(JSON.stringify(added.body)).not.toMatch(/p%40ss|hush/);
  expect(added.body).toMatchObject({
    hasCredentials: true,
    ptz: true,
    recording: { mode: 'motion' },
  });

  const announce = { role: 'recorder', id: 'recorder-1', url: 'http://127.0.0.1:1' };
  const told = await server.internal<AnnounceAnswer>('/internal/announce', announce);
  expect(told.status).toBe(200);
  expect(told.body.config?.cameras[0]?.streams).toEqual(GATE.streams);
  const again = await server.internal<AnnounceAnswer>('/internal/announce', {
    ...announce,
    configVersion: told.body.config?.version,
  });
  expect(again.body).toEqual({});
});

test('a camera that pushes is told where to publish once, by the name of the server', async () => {
  const phone = { name: 'Phone', streams: { main: 'push' } };
  const added = await server.admin<Camera>('POST', '/api/cameras', phone);
  expect(added.status).toBe(201);
  expect(added.body.streams).toEqual({ main: 'push' });
  const address = added.body.publish?.main?.url ?? '';
  expect(address).toMatch(/^rtmp:\/\/127\.0\.0\.1\/live\/[\w-]{24}$/);
  const path = `/api/cameras/${added.body.id}`;
  const read = await server.admin<Camera>('GET', path);
  expect(JSON.stringify(read.body)).not.toContain(address.slice(-24));
  const renewed = await server.admin<Camera>('POST', `${path}/publish-key`, { track: 'main' });
  expect(renewed.status).toBe(200);
  expect(renewed.body.publish?.main?.url).toMatch(/^rtmp:\/\/127\.0\.0\.1\/live\/[\w-]{24}$/);
  expect(renewed.body.publish?.main?.url).not.toBe(address);
  const none = await server.admin<Problem>('POST', `${path}/publish-key`, { track: 'sub' });
  expect(none.body.code).toBe('failed-precondition');
  const trail = await server.admin<unknown>('GET', '/api/audit?limit=20');
  expect(JSON.stringify(trail.body)).toContain('main stream key');
  expect(JSON.stringify(trail.body)).not.toContain(address.slice(-24));
  await server.admin('DELETE', path);
});

test('faults name their fields and tell nothing of the inside', async () => {
  const answer = await server.admin<Problem>('POST', '/api/cameras', {
    name: '',
    streams: { main: 'http://camera.example/' },
  });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.body.code).toBe('invalid-argument');
  expect(answer.body.detail).toMatch(/name: .*streams\.main: /);
  const form = await fetch(`${server.url}/api/auth/login`, { method: 'POST', body: 'a=b' });
  expect(form.status).toBe(415);
  const torn = await fetch(`${server.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"username":',
  });
  expect(torn.status).toBe(400);
  expect((await server.call('GET', '/api/nothing')).status).toBe(404);
});
