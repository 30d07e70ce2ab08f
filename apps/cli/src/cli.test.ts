// The command-line tool on footage with a warm tier: check, verify, scrub, export, rebuild, replace.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ALL_SHARDS, ChunkStore, foldGroups, type ChunkInfo } from '#store';
import { Timeline } from '#timeline';
import { CAMERA, OTHER_CAMERA, realRecord } from '../../../libs/store/src/footage.test-support.js';
import { main } from './main.js';

const HOUR_US = 3_600_000_000;
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nightjar-cli-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const warmRoots = () => Array.from({ length: ALL_SHARDS }, (_, index) => join(root, `w${index}`));

/** Two chunks, the older one in the warm tier. */
async function recorded(): Promise<{ cold: ChunkInfo; warm: ChunkInfo }> {
  const clock = new FakeClock();
  const log = silentLog();
  const store = await ChunkStore.open({
    directories: [join(root, 'data', 'store')],
    warm: { directories: warmRoots().map((path) => join(path, 'recorder-1')) },
    clock,
    log,
  });
  const directory = join(root, 'data', 'recorder-1', 'index');
  const timeline = await Timeline.open({ directory, clock, log });
  const chunks: ChunkInfo[] = [];
  for (const run of [1, 2]) {
    const writer = store.openTrack({ camera: CAMERA, track: 'main' });
    for (let group = 0; group < 40; group++) {
      const startUnixUs = clock.nowUnixUs() + run * HOUR_US;
      const at = { firstFrame: group * 5, frameCount: 5, run, startUnixUs };
      await writer.write(realRecord(at));
    }
    const { records, chunks: rows } = await writer.close();
    await timeline.commit({ groups: foldGroups(records), chunks: rows });
    chunks.push(...rows);
    clock.advance(1000);
  }
  const [old, cold] = chunks as [ChunkInfo, ChunkInfo];
  await store.copyToWarm(old);
  const warm = { ...old, store: store.warm?.id ?? '' };
  await timeline.commit({ chunks: [warm] });
  await store.deleteFile(old);
  await store.close();
  await timeline.close();
  return { cold, warm };
}

/** The exit status and the report. */
async function nightjar(...args: string[]) {
  const write = process.stdout.write.bind(process.stdout);
  const parts: string[] = [];
  process.stdout.write = (text: string | Uint8Array) => parts.push(String(text)) > 0;
  try {
    const warm = warmRoots().flatMap((path) => ['--warm', path]);
    const status = await main([...args, '--data-dir', join(root, 'data'), ...warm, '--json']);
    return { status, facts: JSON.parse(parts.join('') || '{}') as Record<string, unknown> };
  } finally {
    process.stdout.write = write;
  }
}

async function shardFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const path of warmRoots()) {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (/\.\d\d$/.test(entry.name)) found.push(join(entry.parentPath, entry.name));
    }
  }
  return found;
}

test('check, verify and scrub find both tiers whole', async () => {
  const { cold, warm } = await recorded();
  const bytes = cold.sizeBytes + warm.sizeBytes;
  expect(await nightjar('check')).toMatchObject({ status: 0, facts: { chunks: 2, groups: 80 } });
  expect(await nightjar('verify')).toMatchObject({
    status: 0,
    facts: { chunks: 2, faults: [], missing: [], unsealed: 0 },
  });
  expect(await nightjar('scrub')).toMatchObject({ status: 0, facts: { chunks: 2, bytes } });
});

test('an export finds a camera whichever recorder of the machine has it', async () => {
  await recorded();
  const clock = new FakeClock();
  const directories = [join(root, 'data', 'store', 'recorder-2')];
  const store = await ChunkStore.open({ directories, clock, log: silentLog() });
  const writer = store.openTrack({ camera: OTHER_CAMERA, track: 'main' });
  for (let group = 0; group < 10; group++) {
    const startUnixUs = clock.nowUnixUs();
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5, run: 1, startUnixUs }));
  }
  await writer.close();
  await store.close();
  const nowMs = clock.nowUnixMs();
  const period = ['--from', String(nowMs - 60_000), '--to', String(nowMs + 60_000)];
  const out = join(root, 'clip.mp4');
  const wanted = ['export', '--camera', OTHER_CAMERA, ...period, '--out', out];
  expect(await nightjar(...wanted, '--recorder', 'recorder-1')).toMatchObject({
    status: 2,
    facts: { error: { code: 'not-found' } },
  });
  expect(await nightjar(...wanted)).toMatchObject({ status: 0, facts: { frames: 50 } });
});

test('scrub names lost shards, and writes them anew when it is told to', async () => {
  await recorded();
  const files = await shardFiles();
  const lost = files.find((path) => path.endsWith('.02')) ?? '';
  const torn = files.find((path) => path.endsWith('.12')) ?? '';
  const before = await readFile(lost);
  await rm(lost);
  const bytes = await readFile(torn);
  bytes.writeUInt8((bytes[9] ?? 0) ^ 1, 9);
  await writeFile(torn, bytes);
  const found = await nightjar('scrub');
  expect(found.status).toBe(1);
  expect(JSON.stringify(found.facts.damage)).toMatch(/shard 2 is lost.*shard 12 is lost/);
  await expect(stat(lost)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await nightjar('check')).toMatchObject({ status: 0 });
  expect(await nightjar('scrub', '--mend')).toMatchObject({ status: 0, facts: { mended: 2 } });
  expect((await readFile(lost)).equals(before)).toBe(true);
  expect(await nightjar('scrub')).toMatchObject({ status: 0, facts: { mended: 0 } });
});

test('the index is made again from both tiers, and footage leaves them as one MP4', async () => {
  const { warm } = await recorded();
  await rm(join(root, 'data', 'recorder-1'), { recursive: true });
  expect(await nightjar('rebuild-index')).toMatchObject({ status: 0, facts: { chunks: 2 } });
  expect(await nightjar('check')).toMatchObject({ status: 0, facts: { groups: 80 } });
  // Four disks are lost.
  for (const path of warmRoots().slice(2, 6)) await rm(path, { recursive: true });
  const out = join(root, 'clip.mp4');
  const period = [
    '--from',
    String(warm.firstUnixUs / 1000),
    '--to',
    String(warm.lastUnixUs / 1000),
  ];
  const clip = await nightjar('export', '--camera', CAMERA, ...period, '--out', out);
  expect(clip).toMatchObject({ status: 0, facts: { frames: 200, damaged: 0 } });
  expect((await stat(out)).size).toBeGreaterThan(warm.sizeBytes / 2);
});

test('a lost directory is replaced by the word of a person, and scrub fills it', async () => {
  await recorded();
  const gone = warmRoots()[7] ?? '';
  const filesBefore = await readdir(join(gone, 'recorder-1', CAMERA), { recursive: true });
  await rm(join(gone, 'recorder-1'), { recursive: true });
  expect(await nightjar('scrub', '--mend')).toMatchObject({ status: 1 });
  const occupied = await nightjar('replace-warm', '--dir', warmRoots()[1] ?? '');
  expect(occupied.status).toBe(2);
  expect(await nightjar('replace-warm', '--dir', gone)).toMatchObject({
    status: 0,
    facts: { slot: 7 },
  });
  expect(await nightjar('scrub', '--mend')).toMatchObject({ status: 0, facts: { mended: 1 } });
  const filesAfter = await readdir(join(gone, 'recorder-1', CAMERA), { recursive: true });
  expect(filesAfter.sort()).toEqual(filesBefore.sort());
});
