// The whole transcoder between a recorder and a server: its door, its cache, its exports.

import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InternalClient, Shutdown, silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { openJobs } from '#jobs';
import { makeFootage } from '../../../libs/transcode/src/footage.test-support.js';
import { readInit, readSamples } from '../../../libs/transcode/src/fmp4-reader.js';
import { readExposition, valueOf } from '../../../test/fixtures/exposition.js';
import { startTestPostgres } from '../../../test/fixtures/postgres.js';
import { CAMERA, EMPTY_CAMERA, SECRET, TestRecorder, TestServer } from './doubles.test-support.js';
import type { TranscoderState } from './status-desk.js';
import { startTranscoder } from './transcoder-app.js';

let directory: string;
let recorder: TestRecorder;
let server: TestServer;
let announced: { role: string; id: string; url: string } | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-transcoder-'));
  recorder = await TestRecorder.start(await makeFootage({ width: 640, height: 360, seconds: 3 }));
  server = await TestServer.answering((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      announced = JSON.parse(body) as typeof announced;
      response.end('{}');
    });
  });
});
beforeEach(() => {
  recorder.hold = undefined;
  recorder.deleted = false;
  recorder.requests.length = 0;
});
afterAll(async () => {
  await recorder.close();
  await server.close();
  await rm(directory, { recursive: true });
});

async function start(name: string, jobs?: { databaseUrl: string }) {
  const shutdown = new Shutdown(silentLog());
  const { url } = await startTranscoder({
    config: {
      dataDirectory: join(directory, name),
      serverUrl: server.url,
      internalSecret: SECRET,
      internalHost: '127.0.0.1',
      internalPort: 0,
      id: 'transcoder-7',
      cacheBytes: 100_000_000,
      logLevel: 'silent',
      logFormat: 'json',
      ...(jobs === undefined ? {} : { jobs }),
    },
    clock: systemClock,
    log: silentLog(),
    shutdown,
    hardware: { attempts: [] },
  });
  const door = new InternalClient(url, SECRET);
  const status = async () => (await door.json('/internal/status')) as TranscoderState;
  const bytes = async (path: string, signal?: AbortSignal) => {
    const response = await door.fetch(path, { deadlineMs: 20_000, ...(signal && { signal }) });
    return Buffer.from(await response.arrayBuffer());
  };
  return { url, door, status, bytes, close: () => shutdown.run('the test is over') };
}

const address = (group: number, rendition = '240p', camera = CAMERA) => {
  const query = new URLSearchParams({ from: String(group), to: '9', track: 'main' });
  query.set('recorder', recorder.url);
  query.set('camera', camera);
  query.set('rendition', rendition);
  return query.toString();
};

test('it tells the server at once where its door is', async () => {
  const transcoder = await start('announcing');
  await eventually('announced', () => announced?.url === transcoder.url);
  expect(announced).toEqual({ role: 'transcoder', id: 'transcoder-7', url: transcoder.url });
  await transcoder.close();
});

test('the door is for the house alone, and takes sound orders only', async () => {
  const transcoder = await start('refusing');
  const stranger = new InternalClient(transcoder.url, 'another secret than that of the house');
  await expect(stranger.fetch('/internal/status')).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  for (const query of [
    address(0, 'source'),
    address(0, '999p'),
    address(0, '240p', 'no-uuid'),
    address(0).replace(/recorder=[^&]*/, 'recorder=http%3A%2F%2Fa%3Ab%40c%3A1'),
    address(0).replace(/recorder=[^&]*/, 'recorder=http%3A%2F%2Fa%3A1%2Fpath'),
    '',
  ]) {
    await expect(transcoder.door.fetch(`/internal/slice?${query}`)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  }
  await expect(transcoder.door.fetch('/internal/nothing')).rejects.toMatchObject({
    code: 'not-found',
  });
  await transcoder.close();
});

test('slices and their initialisation come from the recorder that was named', async () => {
  const transcoder = await start('slices');
  const init = await transcoder.bytes(`/internal/init?${address(0)}`);
  const track = readInit(init);
  expect(track.formats[0]).toMatchObject({ codec: 'h264', width: 426, height: 240 });
  let endDts = 0;
  for (const group of [0, 1, 2]) {
    const slice = await transcoder.bytes(`/internal/slice?${address(group)}`);
    const samples = readSamples(slice, track);
    expect(samples).toHaveLength(25);
    expect(samples[0]).toMatchObject({ dts: endDts, key: true });
    endDts = samples.at(-1)!.dts + samples.at(-1)!.duration;
  }
  expect(recorder.requests).toContain(
    `/internal/cameras/${CAMERA}/slice.m4s?from=0&to=9&track=main`,
  );
  await expect(
    transcoder.bytes(`/internal/slice?${address(0, '240p', EMPTY_CAMERA)}`),
  ).rejects.toMatchObject({ code: 'not-found' });
  await transcoder.close();
});

test('equal requests share a transcode, later ones and later runs find it on disk', async () => {
  const transcoder = await start('cached');
  let release = () => undefined as void;
  recorder.hold = new Promise((resolve) => (release = resolve));
  const path = `/internal/slice?${address(1)}`;
  const all = Promise.all(Array.from({ length: 5 }, () => transcoder.bytes(path)));
  await eventually('asked', () => recorder.count('slice.m4s') > 0);
  release();
  const [first, ...others] = await all;
  for (const other of others) expect(other.equals(first!)).toBe(true);
  expect(recorder.count('slice.m4s')).toBe(1);
  expect((await transcoder.bytes(path)).equals(first!)).toBe(true);
  expect((await transcoder.status()).cache).toMatchObject({ files: 1, hits: 1, misses: 1 });
  const metrics = readExposition(String(await transcoder.bytes('/internal/metrics')));
  const told = (name: string) => valueOf(metrics, `nightjar_rendition_cache_${name}`, {});
  expect([told('files'), told('hits_total'), told('misses_total')]).toEqual([1, 1, 1]);
  await transcoder.close();

  const again = await start('cached');
  expect((await again.bytes(path)).equals(first!)).toBe(true);
  expect((await again.status()).cache).toMatchObject({ files: 1, hits: 1, misses: 0 });
  recorder.deleted = true;
  await expect(again.bytes(path)).rejects.toMatchObject({ code: 'not-found' });
  await again.close();
});

test('a slice that nobody waits for any more is given up', async () => {
  const transcoder = await start('leaving');
  recorder.hold = new Promise(() => undefined);
  const leaving = new AbortController();
  const slice = transcoder.bytes(`/internal/slice?${address(2)}`, leaving.signal);
  await eventually('running', async () => (await transcoder.status()).slices.running === 1);
  leaving.abort();
  await expect(slice).rejects.toMatchObject({ code: 'cancelled' });
  await eventually('given up', async () => (await transcoder.status()).slices.running === 0);
  await transcoder.close();
});

test('a still is a JPEG with the time of its picture', async () => {
  const transcoder = await start('stills');
  const still = (at: number, camera = CAMERA) => {
    const query = new URLSearchParams({ at: String(at), height: '90', camera });
    return transcoder.door.fetch(`/internal/frame.jpg?${query}&recorder=${recorder.url}`);
  };
  const response = await still(1_790_000_000_001);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  expect(response.headers.get('nightjar-frame-time')).toBe('1790000000123456');
  const jpeg = Buffer.from(await response.arrayBuffer());
  expect(jpeg.subarray(0, 3).toString('hex')).toBe('ffd8ff');
  await expect(still(1_790_000_000_001, EMPTY_CAMERA)).rejects.toMatchObject({ code: 'not-found' });
  await expect(still(1_790_000_000_999)).rejects.toMatchObject({ code: 'not-found' });
  await transcoder.close();
});

test('an export goes from the queue to a file, in ranges, and away', async () => {
  const postgres = await startTestPostgres();
  const databaseUrl = await postgres.createDatabase();
  const jobs = await openJobs({ databaseUrl, log: silentLog() });
  const transcoder = await start('exporting', { databaseUrl });
  const id = randomUUID();
  await jobs.queue.add(
    'exports',
    {
      cameras: [{ id: CAMERA, name: 'Gate', recorderUrl: recorder.url }],
      fromUnixMs: 1_790_000_000_000,
      toUnixMs: 1_790_000_003_000,
      rendition: 'source',
      note: '',
      createdBy: 'admin',
      createdAtUnixMs: 1_790_000_100_000,
    },
    { id },
  );
  const done = await eventually('done', async () => {
    const job = await jobs.queue.find('exports', id);
    return job?.state === 'done' ? job : undefined;
  });
  const path = `/internal/exports/${id}/file`;
  const file = await transcoder.bytes(path);
  expect(file.length).toBe(done.result?.sizeBytes);
  expect(file.includes(recorder.clip)).toBe(true);
  const range = await fetch(transcoder.url + path, {
    headers: { authorization: `Bearer ${SECRET}`, range: 'bytes=10-19' },
  });
  expect(range.status).toBe(206);
  expect(range.headers.get('content-range')).toBe(`bytes 10-19/${file.length}`);
  expect(Buffer.from(await range.arrayBuffer()).equals(file.subarray(10, 20))).toBe(true);
  expect((await transcoder.status()).exports).toEqual({ running: 0, queue: 'there' });
  await transcoder.door.fetch(`/internal/exports/${id}`, { method: 'DELETE' });
  await transcoder.door.fetch(`/internal/exports/${id}`, { method: 'DELETE' });
  await expect(transcoder.bytes(path)).rejects.toMatchObject({ code: 'not-found' });
  await expect(transcoder.bytes('/internal/exports/..%2Fx/file')).rejects.toMatchObject({
    code: 'not-found',
  });
  await transcoder.close();
  await jobs.close();
  await postgres.stop();
}, 60_000);
