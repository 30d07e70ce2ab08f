// Exports from asking to fetching: a real queue, a worker as a transcoder runs one, and its file.

import { silentLog } from '#base';
import { eventually } from '#base/testing';
import type { AuditEntry, Camera, Export, Problem } from '#contract';
import { openJobs, type Jobs, type JobProcessor } from '#jobs';
import { FakePeer } from './fake-recorder.test-support.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let recorder: FakePeer;
let transcoder: FakePeer;
let jobs: Jobs;
let camera: string;
/** What the worker does with the next job. */
let make: JobProcessor<'exports'>;

beforeAll(async () => {
  server = await TestServer.start();
  recorder = await FakePeer.start(server);
  transcoder = await FakePeer.start(server, 'transcoder');
  const added = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: 'rtsp://camera.example/main' },
  });
  camera = added.body.id;
  jobs = await openJobs({ databaseUrl: server.databaseUrl, log: silentLog() });
  await jobs.work('exports', (data, context) => make(data, context));
}, 60_000);

afterAll(async () => {
  await jobs.close();
  await transcoder.stop();
  await recorder.stop();
  await server.stop();
});

const INPUT = () => ({ cameras: [camera], from: 0, to: 1e12, note: 'case 7' });

async function startExport(): Promise<string> {
  const started = await server.admin<Export>('POST', '/api/exports', INPUT());
  expect(started.status).toBe(202);
  expect(started.body).toMatchObject({ progress: 0, createdBy: 'admin', note: 'case 7' });
  return started.body.id;
}

const get = async (id: string) => (await server.admin<Export>('GET', `/api/exports/${id}`)).body;

test('an export is made by a job, told of on the way, fetched with ranges, and deleted', async () => {
  let finish = () => {};
  let asked: unknown;
  make = async (data, { progress }) => {
    asked = data;
    progress({ fraction: 0.5, sizeBytes: 50 });
    await new Promise<void>((resolve) => (finish = resolve));
    return { sizeBytes: 100, sha256: 'x', transcoder: 'transcoder-1', withoutFootage: [] };
  };
  const id = await startExport();
  await eventually('the half', async () => (await get(id)).progress === 0.5);
  expect(asked).toMatchObject({
    cameras: [{ id: camera, name: 'Gate', recorderUrl: recorder.url }],
    fromUnixMs: 0,
    createdBy: 'admin',
  });
  const early = await server.admin<Problem>('GET', `/api/exports/${id}/file`);
  expect([early.status, early.body.code]).toEqual([409, 'failed-precondition']);
  finish();
  await eventually('the end', async () => (await get(id)).state === 'done');
  expect(await get(id)).toMatchObject({ progress: 1, sizeBytes: 100 });

  transcoder.answer(`/internal/exports/${id}/file`, (request, response) => {
    response.statusCode = request.headers.range === 'bytes=1-' ? 206 : 200;
    response.setHeader('content-type', 'application/zip').end('PK');
  });
  const file = await server.call<string>('GET', `/api/exports/${id}/file`, {
    token: await server.tokenOf('operator'),
    headers: { range: 'bytes=1-' },
  });
  expect([file.status, file.body]).toEqual([206, 'PK']);
  expect(file.headers.get('content-disposition')).toMatch(
    /^attachment; filename="nightjar-.*\.zip"$/,
  );

  let deleted = false;
  transcoder.answer(`/internal/exports/${id}`, (request, response) => {
    deleted = request.method === 'DELETE';
    response.writeHead(204).end();
  });
  expect((await server.admin('DELETE', `/api/exports/${id}`)).status).toBe(204);
  expect(deleted).toBe(true);
  expect((await server.admin('GET', `/api/exports/${id}`)).status).toBe(404);
  const { body } = await server.admin<{ items: AuditEntry[] }>('GET', '/api/audit');
  const trail = body.items.filter(({ subject }) => subject === id).map(({ action }) => action);
  expect(trail).toEqual(['export.delete', 'export.download', 'export.start']);
}, 60_000);

test('an export that is called off stays as called off', async () => {
  make = (_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const id = await startExport();
  await eventually('the beginning', async () => (await get(id)).state === 'running');
  expect((await server.admin('DELETE', `/api/exports/${id}`)).status).toBe(204);
  expect(await get(id)).toMatchObject({ state: 'cancelled' });
}, 60_000);

test('an export of footage that nobody has is refused at once', async () => {
  const unknown = await server.admin<Problem>('POST', '/api/exports', {
    ...INPUT(),
    cameras: ['00000000-0000-4000-8000-000000000000'],
  });
  expect(unknown.status).toBe(400);
  await recorder.stop();
  await eventually(
    'the loss to show',
    async () => {
      const answer = await server.admin<Problem>('POST', '/api/exports', INPUT());
      return answer.status === 503;
    },
    15_000,
  );
  await recorder.listen();
}, 60_000);
