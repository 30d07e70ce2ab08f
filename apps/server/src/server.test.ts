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
