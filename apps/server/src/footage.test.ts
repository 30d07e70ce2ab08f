// Footage on its way from recorders and transcoders to clients: passed on, at the client's pace, cut
// when the client leaves, and traceable.

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { eventually } from '#base/testing';
import type { AuditEntry, Camera, Problem } from '#contract';
import { FakePeer, problem } from './fake-recorder.test-support.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let recorder: FakePeer;
let camera: string;
const FROM = Date.UTC(2026, 0, 1);
const PERIOD = `from=${FROM}&to=${FROM + 60_000}`;

beforeAll(async () => {
  server = await TestServer.start();
  recorder = await FakePeer.start(server);
  const added = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: 'rtsp://camera.example/main' },
  });
  camera = added.body.id;
});

afterAll(async () => {
  await recorder.stop();
  await server.stop();
});

async function auditOf(action: string): Promise<AuditEntry[]> {
  const { body } = await server.admin<{ items: AuditEntry[] }>('GET', '/api/audit?limit=1000');
  return body.items.filter((entry) => entry.action === action);
}

test('playlists and slices pass through with their headers; playlists are in the trail', async () => {
  recorder.answer(`/internal/cameras/${camera}/playback.m3u8`, (_request, response) => {
    response.setHeader('content-type', 'application/vnd.apple.mpegurl');
    response.setHeader('nightjar-gaps', '[]').end('#EXTM3U\nslice.m4s?n=1\n');
  });
  recorder.answer(`/internal/cameras/${camera}/slice.m4s`, (_request, response, url) => {
    response.setHeader('content-type', 'video/iso.segment');
    response.setHeader('cache-control', 'private, max-age=60').end(`slice ${url.search}`);
  });
  const playlist = await server.admin<string>(
    'GET',
    `/api/cameras/${camera}/playback.m3u8?${PERIOD}`,
  );
  expect([playlist.status, playlist.body]).toEqual([200, '#EXTM3U\nslice.m4s?n=1\n']);
  expect(playlist.headers.get('nightjar-gaps')).toBe('[]');
  expect(recorder.requests.at(-1)).toBe(
    `/internal/cameras/${camera}/playback.m3u8?${PERIOD}&rendition=source`,
  );
  const slice = await server.admin<string>('GET', `/api/cameras/${camera}/slice.m4s?n=1&run=2`);
  expect(slice.body).toBe('slice ?n=1&run=2');
  expect(slice.headers.get('cache-control')).toBe('private, max-age=60');
  const [entry, ...others] = await auditOf('footage.play');
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    actor: 'admin',
    subject: camera,
    detail: { from: '2026-01-01T00:00:00.000Z', rendition: 'source' },
  });
});

test('a refusal of the recorder reaches the client as it is', async () => {
  recorder.answer(`/internal/cameras/${camera}/clip.mp4`, (_request, response) =>
    problem(response, 404, 'not-found', 'there is no footage in this period'),
  );
  const answer = await server.admin<Problem>('GET', `/api/cameras/${camera}/clip.mp4?${PERIOD}`);
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    404,
    'not-found',
    'there is no footage in this period',
  ]);
  expect(await auditOf('footage.clip')).toEqual([]);
  const backwards = await server.admin<Problem>(
    'GET',
    `/api/cameras/${camera}/clip.mp4?from=${FROM}&to=${FROM}`,
  );
  expect(backwards.status).toBe(400);
});

/** A client that reads nothing until it is told to. */
async function openSlowly(path: string): Promise<IncomingMessage> {
  const token = await server.tokenOf('viewer');
  return new Promise((resolve, reject) => {
    const request = httpRequest(server.url + path, {
      headers: { authorization: `Bearer ${token}` },
    });
    request.once('response', (response) => {
      response.pause();
      response.on('error', () => undefined);
      resolve(response);
    });
    request.once('error', reject);
    request.end();
  });
}

test('a slow client slows the recorder down, and its leaving ends the stream there', async () => {
  const chunk = Buffer.alloc(256 * 1024);
  let sent = 0;
  let ended = false;
  recorder.answer(`/internal/cameras/${camera}/live.mp4`, (_request, response) => {
    response.setHeader('content-type', 'video/mp4');
    const pump = () => {
      while (!ended && response.write(chunk)) sent += chunk.length;
      sent += chunk.length;
      response.once('drain', pump);
    };
    response.once('close', () => (ended = true));
    pump();
  });
  const response = await openSlowly(`/api/cameras/${camera}/live.mp4`);
  let before = -1;
  await eventually('the recorder to be held back', async () => {
    const still = before === sent;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return still;
  });
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  response.destroy();
  await eventually('the recorder to see the client leave', () => ended);
  expect((await auditOf('footage.live'))[0]).toMatchObject({ actor: 'viewer', subject: camera });
});

test('a stream that breaks half-way breaks for the client, too', async () => {
  recorder.answer(`/internal/cameras/${camera}/clip.mp4`, (request, response) => {
    response.setHeader('content-length', '1000000');
    response.write(Buffer.alloc(1000));
    setImmediate(() => request.socket.destroy());
  });
  await expect(server.admin('GET', `/api/cameras/${camera}/clip.mp4?${PERIOD}`)).rejects.toThrow();
});

test('renditions and stills come from a transcoder, told where the recorder is', async () => {
  const path = `/api/cameras/${camera}/frame.jpg?at=${FROM}`;
  const without = await server.admin<Problem>('GET', path);
  expect([without.status, without.body.code]).toEqual([503, 'unavailable']);
  const playlist = await server.admin<Problem>(
    'GET',
    `/api/cameras/${camera}/playback.m3u8?${PERIOD}&rendition=480p`,
  );
  expect(playlist.status).toBe(503);

  const transcoder = await FakePeer.start(server, 'transcoder');
  try {
    transcoder.answer('/internal/frame.jpg', (_request, response, url) => {
      response.setHeader('content-type', 'image/jpeg');
      response.setHeader('nightjar-frame-time', '1').end(url.search);
    });
    transcoder.answer('/internal/slice', (_request, response, url) => response.end(url.search));
    const where = new URLSearchParams({ recorder: recorder.url, camera }).toString();
    const first = await server.admin<string>('GET', path);
    expect(first.body).toBe(`?at=${FROM}&height=360&${where}`);
    expect(first.headers.get('nightjar-frame-time')).toBe('1');
    await server.admin('GET', `/api/cameras/${camera}/frame.jpg?at=${FROM + 1}`);
    expect(await auditOf('footage.frame')).toHaveLength(1);

    const slice = await server.admin<string>(
      'GET',
      `/api/cameras/${camera}/slice.m4s?n=1&rendition=480p&recorder=http://evil.example&camera=x`,
    );
    expect(slice.body).toBe(`?n=1&rendition=480p&${where}`);
  } finally {
    await transcoder.stop();
  }
});

test('a removed camera is gone, its footage and its entry at the recorder are not', async () => {
  const { body } = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Old gate',
    streams: { main: 'rtsp://camera.example/old' },
    recording: { mode: 'continuous', schedule: [{ fromMinute: 0, toMinute: 60, mode: 'motion' }] },
    retention: { days: 7 },
  });
  expect((await server.admin('DELETE', `/api/cameras/${body.id}`)).status).toBe(204);
  expect((await server.admin('GET', `/api/cameras/${body.id}`)).status).toBe(404);
  expect(recorder.config?.cameras.find(({ id }) => id === body.id)).toMatchObject({
    removed: true,
    recording: { mode: 'off' },
    retention: { days: 7 },
  });
  recorder.answer(`/internal/cameras/${body.id}/clip.mp4`, (_request, response) =>
    response.end('still here'),
  );
  const clip = await server.admin<string>('GET', `/api/cameras/${body.id}/clip.mp4?${PERIOD}`);
  expect(clip.body).toBe('still here');
});

test('while the recorder is away its footage is unavailable, and a change still succeeds', async () => {
  await recorder.stop();
  const clip = await server.admin<Problem>('GET', `/api/cameras/${camera}/clip.mp4?${PERIOD}`);
  expect([clip.status, clip.body.code]).toEqual([503, 'unavailable']);
  const changed = await server.admin<Camera>('PATCH', `/api/cameras/${camera}`, { name: 'Gate 2' });
  expect([changed.status, changed.body.name]).toEqual([200, 'Gate 2']);
  await recorder.listen();
  await recorder.announce();
  expect(recorder.config?.cameras.find(({ id }) => id === camera)?.name).toBe('Gate 2');
});
