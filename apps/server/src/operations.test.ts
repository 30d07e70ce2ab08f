// Health, metrics, events, holds, deletions in the trail, the console, and life without a database.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { eventually } from '#base/testing';
import type {
  AuditEntry,
  Camera,
  CameraStatus,
  Deletion,
  Health,
  Hold,
  NightjarEvent,
  Problem,
  RecordedDeletion,
} from '#contract';
import { readExposition, valueOf } from '../../../test/fixtures/exposition.js';
import { FakePeer, onlineStatus } from './fake-recorder.test-support.js';
import { mergeExpositions } from './metrics.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let recorder: FakePeer;
let camera: Camera;
let consoleDirectory: string;

beforeAll(async () => {
  consoleDirectory = mkdtempSync(join(tmpdir(), 'nightjar-console-'));
  mkdirSync(join(consoleDirectory, 'assets'));
  writeFileSync(join(consoleDirectory, 'index.html'), '<title>Nightjar</title>');
  writeFileSync(join(consoleDirectory, 'assets', 'index-abc.js'), 'console');
  server = await TestServer.start({ NIGHTJAR_CONSOLE_DIR: consoleDirectory });
  recorder = await FakePeer.start(server);
  recorder.answerStatus();
  const added = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: 'rtsp://camera.example/main' },
  });
  camera = added.body;
});

afterAll(async () => {
  await recorder.stop();
  await server.stop();
  rmSync(consoleDirectory, { recursive: true });
});

const health = () => server.admin<Health>('GET', '/healthz');
const asStranger = () => server.call<Health>('GET', '/healthz');

test('health follows the cameras and the recorder, and says why', async () => {
  await eventually('all to be well', async () => (await health()).status === 200);
  recorder.answerStatus(
    () => ({ ...onlineStatus(), state: 'offline', reason: 'no route' }),
    [{ message: 'disk /a does not answer' }],
  );
  await eventually('the fault', async () => (await health()).status === 503);
  expect((await health()).body.faults).toEqual([
    { kind: 'recorder', recorder: 'recorder-1', message: 'disk /a does not answer' },
    { kind: 'camera', camera: camera.id, message: 'the camera is offline' },
  ]);
  recorder.answerStatus();
  await eventually('all to be well', async () => (await health()).status === 200);
  await recorder.stop();
  await eventually('the loss', async () => {
    const { body } = await health();
    return body.faults.some(({ kind }) => kind === 'recorder-lost');
  });
  const status = await server.admin('GET', `/api/cameras/${camera.id}/status`);
  expect(status.body).toMatchObject({ state: 'offline', reason: 'its recorder does not answer' });
  await recorder.listen();
  await recorder.announce();
  await eventually('all to be well', async () => (await health()).status === 200);
});

test('a camera that its recorder has not begun with yet is no fault of the recorder', async () => {
  const answer = JSON.stringify({ cameras: [], healthy: true, faults: [] });
  recorder.answer('/internal/status', (_request, response) =>
    response.setHeader('content-type', 'application/json').end(answer),
  );
  const status = () => server.admin<CameraStatus>('GET', `/api/cameras/${camera.id}/status`);
  await eventually('its word', async () => (await status()).body.state === 'connecting');
  expect((await status()).body.reason).toBe('its recorder is beginning with it');
  recorder.answerStatus();
  await eventually('all to be well', async () => (await health()).status === 200);
});

test('strangers hear whether all is well and why not, and of no camera, path or address', async () => {
  const [first, second] = ['box:1', 'box:2'];
  const disk = { kind: 'disk-failed', message: '/mnt/secret/a: the file system is read-only' };
  recorder.answerStatus(
    () => ({ ...onlineStatus(), state: 'offline', reason: 'no route to 10.0.0.9' }),
    [
      { ...disk, device: first },
      { ...disk, device: first },
      { ...disk, device: second },
      { kind: 'index', message: '/mnt/secret/index: IO error' },
      { kind: 'a kind of tomorrow', message: '/mnt/secret' },
    ],
  );
  const off = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Off',
    streams: { main: 'rtsp://camera.example/off' },
    recording: { mode: 'off' },
  });
  const answer = await eventually('the faults', async () => {
    const now = await asStranger();
    return now.status === 503 ? now : undefined;
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toEqual({
    status: 'failing',
    faults: [
      { kind: 'recorder', message: '2 disks cannot be used' },
      { kind: 'recorder', message: '1 index cannot be written' },
      { kind: 'recorder', message: '1 recorder has a fault' },
      { kind: 'camera', message: '1 of 1 cameras does not record' },
    ],
    warnings: [],
  });
  // A token that is worth nothing changes nothing; a cookie is as good as a token.
  const wrong = await server.call<Health>('GET', '/healthz', { token: 'nothing' });
  expect(wrong).toMatchObject({ status: 503, body: answer.body });
  const token = await server.tokenOf('viewer');
  const seen = await fetch(`${server.url}/healthz`, {
    headers: { cookie: `nightjar_session=${token}` },
  });
  expect(await seen.json()).toMatchObject({
    faults: expect.arrayContaining([
      { kind: 'recorder', recorder: 'recorder-1', message: '/mnt/secret' },
      { kind: 'camera', camera: camera.id, message: 'the camera is offline' },
    ]),
  });
  await server.admin('DELETE', `/api/cameras/${off.body.id}`);
  recorder.answerStatus();
  await eventually('all to be well', async () => (await asStranger()).status === 200);
  expect((await asStranger()).body).toEqual({ status: 'ok', faults: [], warnings: [] });
  await recorder.stop();
  await eventually('the loss', async () => {
    const { body } = await asStranger();
    const told = body.faults.some(({ message }) => message === '1 of 1 recorders does not answer');
    expect(JSON.stringify(body)).not.toMatch(/recorder-1|127\.0\.0\.1/);
    return told;
  });
  await recorder.listen();
  await recorder.announce();
  await eventually('all to be well', async () => (await asStranger()).status === 200);
});

test('recorders are asked once for states and health, however long they take', async () => {
  const asked = () => recorder.requests.filter((url) => url === '/internal/status').length;
  recorder.answer('/internal/status', (_request, response) => {
    const answer = JSON.stringify({ cameras: [], healthy: true, faults: [] });
    setTimeout(() => response.setHeader('content-type', 'application/json').end(answer), 1200);
  });
  const before = asked();
  await eventually('a question', async () => {
    await server.admin('GET', '/api/status');
    return asked() > before;
  });
  expect(asked()).toBe(before + 1);
  recorder.answerStatus();
});

test('metrics of all processes are one exposition', async () => {
  recorder.answer('/internal/metrics', (_request, response) =>
    response.end(
      '# HELP nightjar_frames_total Frames.\n# TYPE nightjar_frames_total counter\nnightjar_frames_total{camera="a"} 5\n',
    ),
  );
  const { body, headers } = await server.admin<string>('GET', '/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain/);
  expect(body).toContain('nightjar_frames_total{process="recorder-1",camera="a"} 5');
  expect(body).toContain('nightjar_recorders{process="server"} 1');
  const transcoder = await FakePeer.start(server, 'transcoder');
  transcoder.answer('/internal/metrics', (_request, response) =>
    response.end(
      '# HELP nightjar_transcodes_running Now.\n# TYPE nightjar_transcodes_running gauge\nnightjar_transcodes_running 2\n',
    ),
  );
  const both = readExposition((await server.admin<string>('GET', '/metrics')).body);
  expect(valueOf(both, 'nightjar_transcodes_running', {})).toBe(2);
  expect(valueOf(both, 'nightjar_frames_total', { process: 'recorder-1', camera: 'a' })).toBe(5);
  expect(valueOf(both, 'nightjar_transcoders', { process: 'server' })).toBe(1);
  await transcoder.stop();
});

test('families of several processes stay together and are described once', () => {
  const text = (value: number) =>
    `# HELP a_total A.\n# TYPE a_total counter\na_total ${value}\n# TYPE b gauge\nb 1\n`;
  expect(
    mergeExpositions([
      { process: 'x', text: text(1) },
      { process: 'y', text: text(2) },
    ]),
  ).toBe(
    '# HELP a_total A.\n# TYPE a_total counter\na_total{process="x"} 1\na_total{process="y"} 2\n' +
      '# TYPE b gauge\nb{process="x"} 1\nb{process="y"} 1\n',
  );
});

test('an event of a recorder is kept, and told to who listens, with camera states beside it', async () => {
  const token = await server.tokenOf('viewer');
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/events/live`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const messages: Record<string, unknown>[] = [];
  socket.on('message', (data) =>
    messages.push(JSON.parse(String(data)) as Record<string, unknown>),
  );
  await eventually('states', () => messages.some((message) => message['type'] === 'states'));
  const event = {
    at: '2026-01-01T00:00:00.000Z',
    kind: 'camera-offline',
    camera: camera.id,
    message: 'Gate is gone',
  };
  expect((await server.internal('/internal/events', { events: [event] })).status).toBe(204);
  await eventually('the event', () =>
    messages.some((message) => message['message'] === event.message),
  );
  socket.terminate();
  const { body } = await server.admin<{ items: NightjarEvent[] }>('GET', '/api/events');
  expect(body.items[0]).toMatchObject(event);
  expect(body.items.some(({ kind }) => kind === 'configuration')).toBe(true);
});

test('a hold is confirmed once the recorder runs a configuration with it', async () => {
  const input = { cameras: [camera.id], from: 0, to: 1e12, reason: 'case 7' };
  const placed = await server.admin<Hold>('POST', '/api/holds', input);
  expect(placed.body).toMatchObject({ confirmed: true, createdBy: 'admin' });
  expect(recorder.config?.holds).toMatchObject([
    { id: placed.body.id, cameras: [camera.id], fromUnixMs: 0, toUnixMs: 1e12 },
  ]);

  await recorder.stop();
  const late = await server.admin<Hold>('POST', '/api/holds', input);
  expect(late.body.confirmed).toBe(false);
  await recorder.listen();
  await recorder.announce();
  await recorder.announce();
  const { body } = await server.admin<{ items: Hold[] }>('GET', '/api/holds');
  expect(body.items.map(({ confirmed }) => confirmed)).toEqual([true, true]);
  for (const { id } of body.items) await server.admin('DELETE', `/api/holds/${id}`);
  expect(recorder.config?.holds).toEqual([]);
  const unknown = await server.admin<Problem>('POST', '/api/holds', {
    ...input,
    cameras: ['00000000-0000-4000-8000-000000000000'],
  });
  expect(unknown.status).toBe(400);
});

test('deletions of footage reach the trail once, over restarts of the server', async () => {
  const deletions: Deletion[] = Array.from({ length: 1200 }, (_, index) => ({
    at: new Date(Date.UTC(2026, 0, 1) + index).toISOString(),
    camera: camera.id,
    track: 'main',
    chunk: `gate/${index}.h264`,
    from: '2025-12-01T00:00:00.000Z',
    to: '2025-12-01T00:10:00.000Z',
    bytes: 10_000_000,
    rule: 'days',
  }));
  recorder.answerJson('/internal/deletions', (url) => {
    const after = Number(url.searchParams.get('after') ?? 0);
    const end = Math.min(deletions.length, after + Number(url.searchParams.get('limit')));
    return { items: deletions.slice(after, end), cursor: String(end) };
  });
  const inTrail = async () => {
    const { body } = await server.admin<{ items: AuditEntry[]; cursor?: string }>(
      'GET',
      '/api/audit?limit=1000',
    );
    const rest = await server.admin<{ items: AuditEntry[] }>(
      'GET',
      `/api/audit?limit=1000&cursor=${body.cursor ?? ''}`,
    );
    return [...body.items, ...rest.body.items].filter(({ action }) => action === 'footage.delete');
  };
  await server.running.parts.deletions.collect();
  const entries = await inTrail();
  expect(new Set(entries.map(({ detail }) => detail['chunk'])).size).toBe(1200);
  expect(entries.at(-1)).toMatchObject({ actor: 'system', subject: camera.id });
  await server.restart();
  await recorder.announce();
  await server.running.parts.deletions.collect();
  expect(await inTrail()).toHaveLength(1200);

  // By themselves, for whoever may see the storage; other entries are not among them.
  const token = await server.tokenOf('viewer');
  const listed: RecordedDeletion[] = [];
  for (let cursor = ''; cursor !== 'end';) {
    const { body } = await server.call<{ items: RecordedDeletion[]; cursor?: string }>(
      'GET',
      `/api/deletions?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`,
      { token },
    );
    listed.push(...body.items);
    cursor = body.cursor ?? 'end';
  }
  expect(listed).toHaveLength(1200);
  expect(listed.at(-1)).toMatchObject({ ...deletions[0], recorder: recorder.id });
});

test('the console is served at any address of its own, its assets for ever, and nothing beyond', async () => {
  const page = await server.call<string>('GET', '/cameras/of/the/console');
  expect([page.status, page.body]).toEqual([200, '<title>Nightjar</title>']);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
  const asset = await server.call('GET', '/assets/index-abc.js');
  expect(asset.headers.get('cache-control')).toMatch(/immutable/);
  expect((await server.call('GET', '/assets/gone.js')).status).toBe(404);
  expect((await server.call('GET', '/api/gone')).status).toBe(404);
  const beyond = await server.call<string>('GET', '/..%2f..%2f..%2f..%2fetc%2fpasswd');
  expect(beyond.body).not.toContain('root:');
});

test('the description of the API names every route and stands on its own', async () => {
  const { body } = await server.call<{ openapi: string; paths: Record<string, object> }>(
    'GET',
    '/api/openapi.json',
  );
  expect(body.openapi).toBe('3.1.0');
  expect(body.paths['/healthz']).toMatchObject({
    get: { 'x-role': 'public', security: [{}, { token: [] }, { cookie: [] }] },
  });
  expect(body.paths['/api/cameras/{id}']).toMatchObject({
    get: { 'x-role': 'viewer' },
    patch: { requestBody: { required: true } },
  });
  const docs = await server.call<string>('GET', '/api/docs');
  expect(docs.body).toContain('/api/cameras/{id}/playback.m3u8');
  expect(docs.body).not.toMatch(/<script|https?:\/\//);
});

test('without PostgreSQL requests are unavailable and recording counts as healthy; then all is back', async () => {
  await eventually('all to be well', async () => (await health()).status === 200);
  const token = await server.tokenOf('admin');
  await server.postgres.halt();
  await eventually('the session to be unknowable', async () => {
    const answer = await server.call<Problem>('GET', '/api/cameras', { token });
    return answer.status === 503 && answer.body.code === 'unavailable';
  });
  const login = await server.call('POST', '/api/auth/login', {
    body: { username: 'admin', password: 'whatever it is' },
  });
  expect(login.status).toBe(503);
  expect(
    await server.internal('/internal/announce', {
      role: 'recorder',
      id: recorder.id,
      url: recorder.url,
    }),
  ).toMatchObject({ status: 200, body: {} });
  const meanwhile = await eventually('the warning', async () => {
    const answer = await health();
    return answer.body.warnings.length === 1 ? answer : undefined;
  });
  expect([meanwhile.status, meanwhile.body.faults]).toEqual([200, []]);
  await server.postgres.resume();
  await eventually('the cameras to be back', async () => {
    const answer = await server.call('GET', '/api/cameras', { token });
    return answer.status === 200;
  });
});
