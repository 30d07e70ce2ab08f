// Exports: what is in the archive, that a person can check it, and that nothing half-made stays.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { ExportJobData } from '#jobs';
import { Transcoder } from '#transcode';
import { makeFootage } from '../../../libs/transcode/src/footage.test-support.js';
import { CAMERA, EMPTY_CAMERA, SECRET, TestRecorder } from './doubles.test-support.js';
import { ExportArchive } from './export-archive.js';
import { ExportKey } from './export-key.js';
import { ExportMaker } from './export-maker.js';
import { fileNameOf } from './export-manifest.js';
import { ExportShelf } from './export-shelf.js';
import { RecorderDoor } from './recorder-door.js';

const FROM = Date.UTC(2026, 8, 21, 13, 46, 40);
const has = (program: string, argument: string) => spawnSync(program, [argument]).status === 0;
const canUnpack = has('unzip', '-v') && has('openssl', 'version') && has('bash', '--version');
const canProbe = has('ffmpeg', '-version');

let directory: string;
let recorder: TestRecorder;
let key: ExportKey;
let shelf: ExportShelf;
let maker: ExportMaker;
const transcoder = new Transcoder({ log: silentLog() });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-exports-'));
  recorder = await TestRecorder.start(await makeFootage({ width: 320, height: 180, seconds: 3 }));
  key = await ExportKey.open(join(directory, 'secrets', 'export-key.pem'));
  shelf = await ExportShelf.open(join(directory, 'exports'));
  maker = new ExportMaker({
    transcoderId: 'transcoder-1',
    recorders: new RecorderDoor(SECRET),
    clock: new FakeClock(FROM + 60_000),
    ...{ transcoder, shelf, key },
  });
});
beforeEach(() => {
  recorder.hold = undefined;
  recorder.breaking = false;
});
afterAll(async () => {
  await recorder.close();
  await transcoder.close();
  await rm(directory, { recursive: true });
});

function dataOf(changes: Partial<ExportJobData> = {}): ExportJobData {
  return {
    cameras: [
      { id: CAMERA, name: 'Gate', recorderUrl: recorder.url },
      { id: CAMERA, name: 'Größe/$(rm -rf)', recorderUrl: recorder.url },
      { id: EMPTY_CAMERA, name: 'Yard', recorderUrl: recorder.url },
    ],
    fromUnixMs: FROM,
    toUnixMs: FROM + 3000,
    rendition: 'source',
    note: 'the incident',
    createdBy: 'admin',
    createdAtUnixMs: FROM + 50_000,
    ...changes,
  };
}

function contextOf(signal = new AbortController().signal) {
  const fractions: number[] = [];
  const progress = ({ fraction }: { fraction: number }) => void fractions.push(fraction);
  return { id: randomUUID(), signal, progress, fractions };
}

async function unpacked(id: string): Promise<string> {
  const path = join(shelf.directory, await shelf.find(id));
  const into = await mkdtemp(join(directory, 'unpacked-'));
  expect(spawnSync('unzip', ['-q', path, '-d', into]).status).toBe(0);
  return into;
}

test('an archive holds each clip as the camera sent it, and says everything about it', async () => {
  const context = contextOf();
  const result = await maker.make(dataOf(), context);
  const file = await readFile(join(shelf.directory, await shelf.find(context.id)));
  expect(result).toMatchObject({
    sizeBytes: file.length,
    transcoder: 'transcoder-1',
    withoutFootage: [EMPTY_CAMERA],
  });
  // Stored and not deflated: the clip lies in the archive as it is, twice.
  expect(file.indexOf(recorder.clip)).toBeGreaterThan(0);
  expect(file.indexOf(recorder.clip)).not.toBe(file.lastIndexOf(recorder.clip));
  expect([...context.fractions]).toEqual([...context.fractions].sort((a, b) => a - b));
  expect(context.fractions.some((fraction) => fraction > 0 && fraction < 0.3)).toBe(true);
  if (!canUnpack) return;
  const into = await unpacked(context.id);
  const manifest = JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8')) as object;
  expect(manifest).toMatchObject({
    format: 'nightjar-export',
    version: 1,
    id: context.id,
    from: '2026-09-21T13:46:40.000Z',
    to: '2026-09-21T13:46:43.000Z',
    note: 'the incident',
    requestedBy: 'admin',
    files: [
      {
        camera: CAMERA,
        name: 'Gate',
        file: 'Gate 2026-09-21T13-46-40Z.mp4',
        sizeBytes: recorder.clip.length,
        gaps: [
          {
            from: '2026-09-21T13:46:40.000Z',
            to: '2026-09-21T13:46:41.000Z',
            reason: 'network',
          },
          { reason: 'no-motion' },
        ],
      },
      { name: 'Größe/$(rm -rf)' },
    ],
    withoutFootage: [{ id: EMPTY_CAMERA, name: 'Yard' }],
  });
});

test('the commands of VERIFY.txt say yes, and no to anything that was changed', async () => {
  if (!canUnpack) return;
  const context = contextOf();
  await maker.make(dataOf(), context);
  const into = await unpacked(context.id);
  const text = await readFile(join(into, 'VERIFY.txt'), 'utf8');
  const commands = text.split('\n').filter((line) => line.startsWith('    '));
  expect(commands).toHaveLength(4);
  const run = (command: string | undefined) =>
    spawnSync('bash', ['-c', command ?? 'false'], { cwd: into, encoding: 'utf8' });
  const [signature, first, second, fingerprint] = commands;
  expect(run(signature)).toMatchObject({ status: 0, stdout: /Verified Successfully/ });
  expect(run(first)).toMatchObject({ status: 0, stdout: 'OK\n' });
  expect(run(second)).toMatchObject({ status: 0, stdout: 'OK\n' });
  expect(run(fingerprint).stdout).toContain(key.fingerprint);
  expect(text).toContain(key.fingerprint);

  const video = join(into, 'Gate 2026-09-21T13-46-40Z.mp4');
  const bytes = await readFile(video);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(video, bytes);
  expect(run(first).status).not.toBe(0);
  expect(run(second).status).toBe(0);
  const manifest = join(into, 'manifest.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('admin', 'other'));
  expect(run(signature).status).not.toBe(0);
});

test('a rendition is decoded and encoded again, and plays', async () => {
  const context = contextOf();
  await maker.make(dataOf({ rendition: '240p' }), context);
  if (!canUnpack) return;
  const into = await unpacked(context.id);
  const video = join(into, 'Gate 2026-09-21T13-46-40Z.mp4');
  expect((await readFile(video)).equals(recorder.clip)).toBe(false);
  if (!canProbe) return;
  const decoded = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', video, '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  expect(decoded).toMatchObject({ status: 0, stderr: '' });
});

test('one that is called off, or whose recorder breaks off, leaves nothing', async () => {
  const before = await readdir(shelf.directory);
  recorder.hold = new Promise(() => undefined);
  const controller = new AbortController();
  const called = maker.make(dataOf(), contextOf(controller.signal));
  await eventually('writing', async () => (await readdir(shelf.directory)).length > before.length);
  controller.abort();
  await expect(called).rejects.toThrow();
  expect(await readdir(shelf.directory)).toEqual(before);

  recorder.hold = undefined;
  recorder.breaking = true;
  for (const rendition of ['source', '240p'] as const) {
    await expect(maker.make(dataOf({ rendition }), contextOf())).rejects.toMatchObject({
      code: 'unavailable',
    });
  }
  expect(await readdir(shelf.directory)).toEqual(before);
});

test('without any footage there is no export, and without a recorder none yet', async () => {
  const empty = { id: EMPTY_CAMERA, name: 'Yard', recorderUrl: recorder.url };
  await expect(maker.make(dataOf({ cameras: [empty] }), contextOf())).rejects.toMatchObject({
    code: 'not-found',
  });
  const away = { ...empty, recorderUrl: 'http://127.0.0.1:1' };
  await expect(maker.make(dataOf({ cameras: [away] }), contextOf())).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a full disk is named', async () => {
  const full = await open('/dev/full', 'w');
  const archive = new ExportArchive(full, FROM);
  const write = async () => {
    await archive.add(
      'a.mp4',
      (async function* () {
        for (let count = 0; count < 100; count++) yield Buffer.alloc(100_000);
      })(),
    );
    await archive.end();
  };
  await expect(write()).rejects.toMatchObject({ code: 'resource-exhausted' });
  await archive.close();
  await full.close();
});

test('the key is made once, private to its owner, and refused when it is something else', async () => {
  const path = join(directory, 'other', 'export-key.pem');
  const [one, two] = await Promise.all([ExportKey.open(path), ExportKey.open(path)]);
  expect(one.fingerprint).toBe(two.fingerprint);
  expect((await ExportKey.open(path)).publicPem).toBe(one.publicPem);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(directory, 'other'))).toEqual(['export-key.pem']);
  await writeFile(path, 'no key');
  await expect(ExportKey.open(path)).rejects.toMatchObject({ code: 'failed-precondition' });
});

test('file names are plain, and no two are equal', () => {
  const taken = new Set<string>();
  const names = ['Gate', 'gate', '../../etc', '', '日本'].map((name) =>
    fileNameOf(name, FROM, taken),
  );
  expect(names).toEqual([
    'Gate 2026-09-21T13-46-40Z.mp4',
    'gate 2026-09-21T13-46-40Z 2.mp4',
    '_.._etc 2026-09-21T13-46-40Z.mp4',
    'camera 2026-09-21T13-46-40Z.mp4',
    '_ 2026-09-21T13-46-40Z.mp4',
  ]);
});

test('what an earlier run left unfinished is swept away', async () => {
  const left = join(shelf.directory, `${randomUUID()}.zip.half.part`);
  await writeFile(left, 'half');
  await ExportShelf.open(shelf.directory);
  await expect(stat(left)).rejects.toThrow();
});
