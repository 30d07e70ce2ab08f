// The built `nightjar` as a script runs it: every command over real footage with the database and the
// server gone, a configuration saved and put back, and what it says to bad input.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SecretBox, silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { Catalog } from '#catalog';
import { cameraInputSchema } from '#contract';
import { ChunkStore, foldGroups, type ChunkInfo } from '#store';
import { Timeline, type NewDeletion } from '#timeline';
import { CAMERA, OTHER_CAMERA, realRecord } from '../libs/store/src/footage.test-support.js';
import { runTool, toolFacts } from './fixtures/nightjar-tool.js';
import { startTestPostgres, type TestPostgres } from './fixtures/postgres.js';

const { jest } = import.meta;
const HOUR_US = 3_600_000_000;
const HOLD = 'c0ffee00-1234-4abc-8def-001122334455';
const PASSPHRASE = 'correct horse battery staple';
/** Every command is a process of its own. */
jest.setTimeout(300_000);
const ALWAYS = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
const clock = new FakeClock();
const log = silentLog();
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nightjar-tool-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  runTool(args, { cwd: root, environment });
const facts = (args: readonly string[], environment: Record<string, string> = {}) =>
  toolFacts(args, { cwd: root, environment });

const data = () => join(root, 'data');
const indexDir = () => join(data(), 'recorder-1', 'index');
const openIndex = (directory = indexDir()) => Timeline.open({ directory, clock, log });
const fileOf = ({ path }: ChunkInfo) => join(data(), 'store', path);

/** Three sealed chunks of each of two cameras, and what only an index knows. */
async function recorded(): Promise<ChunkInfo[]> {
  const store = await ChunkStore.open({ directories: [join(data(), 'store')], clock, log });
  const timeline = await openIndex();
  const chunks: ChunkInfo[] = [];
  const beganUs = clock.nowUnixUs();
  for (const run of [1, 2, 3]) {
    for (const camera of [CAMERA, OTHER_CAMERA]) {
      const writer = store.openTrack({ camera, track: 'main' });
      for (let group = 0; group < 40; group++) {
        const startUnixUs = beganUs + run * HOUR_US;
        await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5, run, startUnixUs }));
      }
      const { records, chunks: rows } = await writer.close();
      await timeline.commit({ groups: foldGroups(records), chunks: rows });
      chunks.push(...rows);
      clock.advance(1000);
    }
  }
  const gone: NewDeletion = {
    ...{ atUnixUs: beganUs, camera: CAMERA, track: 'main', chunkPath: 'x', bytes: 7, rule: 'age' },
    ...{ fromUnixUs: 1, toUnixUs: 2 },
  };
  await timeline.commit({
    gaps: [{ camera: CAMERA, startUnixUs: beganUs, endUnixUs: beganUs + 9, reason: 'restart' }],
    motion: [
      {
        ...{ camera: CAMERA, startUnixUs: beganUs, endUnixUs: beganUs + 9 },
        ...{ peak: 1, cells: new Uint8Array(18) },
      },
    ],
    deletions: [gone, { ...gone, rule: 'disk-space' }],
  });
  await timeline.putHolds([{ id: HOLD, cameras: [CAMERA], fromUnixMs: 1, toUnixMs: 2 }]);
  await timeline.putSetting('control/copy', Buffer.from('what to record'));
  await store.close();
  await timeline.close();
  return chunks;
}

/** Everything that an index answers about footage, and, of one that was whole, the rest. */
async function answers(chunks: readonly ChunkInfo[], extent: 'footage' | 'all') {
  const timeline = await openIndex();
  const found: unknown[] = [await timeline.usage(), await timeline.chunksAfter(-1, 100)];
  for (const camera of [CAMERA, OTHER_CAMERA]) {
    found.push(await timeline.groups(camera, 'main', ALWAYS));
    found.push(await timeline.recordings(camera, 0, ALWAYS.toUnixUs));
    found.push(await timeline.chunksOf(camera));
    if (extent === 'all') found.push(await timeline.gaps(camera, 0, ALWAYS.toUnixUs));
  }
  for (const { camera, firstUnixUs, lastUnixUs } of chunks) {
    for (const at of [firstUnixUs, (firstUnixUs + lastUnixUs) / 2, lastUnixUs - 1, lastUnixUs]) {
      found.push((await timeline.groupAt(camera, 'main', Math.floor(at))) ?? 'nothing');
    }
  }
  if (extent === 'all') {
    const motion = { ...ALWAYS, cameras: [CAMERA], limit: 9 };
    found.push(await timeline.motion(motion), await timeline.deletions({ limit: 9 }));
    found.push(timeline.holds(), await timeline.settings());
  }
  await timeline.close();
  return found;
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8((bytes[bytes.length >> 1] ?? 0) ^ 0x55, bytes.length >> 1);
  writeFileSync(path, bytes);
}

test('with database and server gone, every command works on the chunks alone', async () => {
  const chunks = await recorded();
  const before = { all: await answers(chunks, 'all'), footage: await answers(chunks, 'footage') };
  const at = ['--data-dir', data()];
  expect(await facts(['check', ...at])).toMatchObject({
    status: 0,
    facts: { ok: true, chunks: 6, groups: 240, faults: [] },
  });
  expect(await facts(['verify', ...at])).toMatchObject({ status: 0, facts: { chunks: 6 } });
  expect(await facts(['scrub', ...at])).toMatchObject({ status: 0, facts: { damage: [] } });

  const rebuilt = await facts(['rebuild-index', ...at]);
  expect(rebuilt).toMatchObject({
    status: 0,
    facts: { chunks: 6, groups: 240, cameras: 2, gaps: 1, motion: 1, holds: 1, deletions: 2 },
  });
  expect(existsSync(String(rebuilt.facts.kept))).toBe(true);
  expect(await answers(chunks, 'all')).toEqual(before.all);
  // And with the index gone altogether, or damaged so that it does not open.
  rmSync(indexDir(), { recursive: true });
  expect(await facts(['rebuild-index', ...at])).toMatchObject({ status: 0, facts: { gaps: 0 } });
  expect(await answers(chunks, 'footage')).toEqual(before.footage);
  const manifest = readdirSync(indexDir()).find((name) => name.startsWith('MANIFEST')) ?? '';
  writeFileSync(join(indexDir(), manifest), 'no more');
  const said = await run(['check', ...at]);
  expect([said.status, said.stderr]).toEqual([2, expect.stringContaining('rebuild-index')]);
  expect(await facts(['rebuild-index', ...at])).toMatchObject({ status: 0 });
  expect(await answers(chunks, 'footage')).toEqual(before.footage);
  expect(await facts(['check', ...at])).toMatchObject({ status: 0 });

  rmSync(join(data(), 'recorder-1'), { recursive: true });
  const second = chunks.filter(({ camera }) => camera === CAMERA)[1] as ChunkInfo;
  const out = join(root, 'clip.mp4');
  const period = [second.firstUnixUs, second.lastUnixUs].map((us) => new Date(us / 1000));
  const [from = '', to = ''] = period.map((time) => time.toISOString());
  const wanted = ['export', ...at, '--camera', CAMERA, '--from', from, '--to', to, '--out', out];
  expect(await facts(wanted)).toMatchObject({ status: 0, facts: { frames: 200, damaged: 0 } });
  const played = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', out, '-f', 'null', '-']);
  if (played.error === undefined) {
    expect([played.status, played.stderr.toString()]).toEqual([0, '']);
  }
  const bytes = readFileSync(out);
  expect(await run(wanted)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('an export replaces none'),
  });
  expect(readFileSync(out).equals(bytes)).toBe(true);
});

test('a damaged chunk is named by every command that reads it, and costs only itself', async () => {
  const chunks = await recorded();
  const [first, , second] = chunks as [ChunkInfo, ChunkInfo, ChunkInfo];
  damage(fileOf(first));
  for (const command of ['check', 'verify', 'scrub']) {
    const { status, stdout } = await run([command, '--data-dir', data()]);
    expect([command, status]).toEqual([command, 1]);
    expect(stdout).toContain(first.path);
    expect(stdout).not.toContain(second.path);
  }
  rmSync(fileOf(second));
  expect(await facts(['check', '--data-dir', data()])).toMatchObject({
    status: 1,
    facts: { ok: false, faults: expect.arrayContaining([expect.stringContaining(second.path)]) },
  });
  expect(await facts(['verify', '--data-dir', data()])).toMatchObject({
    status: 1,
    facts: { missing: [expect.stringContaining('sealed before it is not here')] },
  });
  const rebuilt = await facts(['rebuild-index', '--data-dir', data()]);
  expect(rebuilt).toMatchObject({ status: 0, facts: { chunks: 5 } });
  expect(rebuilt.facts.damagedBytes).toBeGreaterThan(0);
  expect(rebuilt.facts.groups).toBeGreaterThan(190);
  // What is left of the damaged chunk is exported, and the status tells that it is not whole.
  const out = join(root, 'clip.mp4');
  const period = [
    '--from',
    String(first.firstUnixUs / 1000),
    '--to',
    String(first.lastUnixUs / 1000),
  ];
  const clip = await facts([
    'export',
    '--data-dir',
    data(),
    '--camera',
    CAMERA,
    ...period,
    '--out',
    out,
  ]);
  expect(clip.facts.frames).toBeGreaterThan(180);
});

test('bad input gets a sentence, and nothing is made or lost', async () => {
  const chunks = await recorded();
  const nowhere = join(root, 'nowhere');
  const refused = async (args: readonly string[], sentence: RegExp) => {
    const { status, stdout, stderr } = await run(args);
    expect([args[0], status, stdout]).toEqual([args[0], 2, '']);
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^nightjar: [^\n]*\n$/);
  };
  await refused(['chek'], /there is no command chek/);
  await refused(['check', '--data-dir', nowhere], /expected a store directory at .*nowhere/);
  await refused(['check', '--data-dir', data(), '--camera', CAMERA], /check takes no --camera/);
  await refused(['check', '--data-dir', data(), '--recorder', '../x'], /the id of a recorder/);
  await refused(
    ['verify', '--store', dirname(fileOf(chunks[0] as ChunkInfo))],
    /no nightjar-store/,
  );
  await refused(['backup', '--data-dir', nowhere, '--out', 'b'], /expected a passphrase/);
  const away = {
    ...{ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/x', NIGHTJAR_SECRET_KEY: 'x'.repeat(32) },
    NIGHTJAR_BACKUP_PASSPHRASE: PASSPHRASE,
  };
  expect(await run(['backup', '--out', 'b'], away)).toMatchObject({
    ...{ status: 2, stdout: '' },
    stderr: expect.stringMatching(/PostgreSQL does not answer/),
  });
  const clip = ['export', '--data-dir', data(), '--out', join(root, 'clip.mp4')];
  const [from, to] = ['--from=2026-01-01', '--to=2026-01-02'];
  await refused([...clip, '--camera', 'gate', from, to], /expected the id of a camera/);
  await refused([...clip, '--camera', CAMERA, from, '--to=soon'], /ISO 8601/);
  await refused([...clip, '--camera', CAMERA, '--from=2027', from.replace('from', 'to')], /before/);
  await refused([...clip, '--camera', HOLD, from, to], /no footage of that camera/);
  const out = ['--out', join(nowhere, 'clip.mp4')];
  const always = ['--from=2000-01-01', '--to=2100-01-01'];
  await refused(
    ['export', '--data-dir', data(), ...out, '--camera', CAMERA, ...always],
    /no file or directory for .*nowhere/,
  );
  expect(existsSync(nowhere)).toBe(false);
  expect(readdirSync(root)).toEqual(['data']);
  expect(await facts(['chek'])).toMatchObject({
    status: 2,
    facts: { ok: false, error: { code: 'invalid-argument' } },
  });

  // As a recorder that runs has it.
  const before = await answers(chunks, 'all');
  const timeline = await openIndex();
  for (const command of ['check', 'rebuild-index']) {
    await refused([command, '--data-dir', data()], /expected an index that nobody uses/);
  }
  await timeline.close();
  expect(readdirSync(dirname(indexDir()))).toEqual(['index']);
  expect(await answers(chunks, 'all')).toEqual(before);
});

describe('backup and restore', () => {
  const KEY = 'the key of an installation, quite long';
  const OTHER_KEY = 'the key of another one, as long as that';
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres.stop());

  const openCatalog = (databaseUrl: string, key: string) =>
    Catalog.open({ databaseUrl, secretBox: new SecretBox(key), clock, log });
  const environment = (databaseUrl: string, key: string) => ({
    ...{ DATABASE_URL: databaseUrl, NIGHTJAR_SECRET_KEY: key },
    NIGHTJAR_BACKUP_PASSPHRASE: PASSPHRASE,
  });

  /** Two cameras of which one is removed, two users, a hold and an entry of the trail. */
  async function declared(databaseUrl: string, key: string): Promise<string> {
    const catalog = await openCatalog(databaseUrl, key);
    await catalog.recorders.save([{ id: 'recorder-1', weight: 1, drained: false, sharing: true }]);
    const input = cameraInputSchema.parse({
      name: 'Gate',
      streams: { main: 'rtsp://guard:hushhush@host/main' },
      onvif: { url: 'http://host/onvif', username: 'guard', password: 'hushhush' },
      retention: { days: 12, minDays: 3 },
    });
    const camera = await catalog.cameras.add(input);
    await catalog.recorders.assign(new Map([[camera.id, 'recorder-1']]));
    const [from, to] = [clock.nowUnixMs(), clock.nowUnixMs() + 60_000];
    await catalog.holds.place({ cameras: [camera.id], from, to, reason: 'theft' }, 'ada');
    const gone = await catalog.cameras.add({ ...input, name: 'Gone' });
    await catalog.cameras.remove(gone.id);
    await catalog.users.add({ username: 'ada', role: 'admin', password: 'a long password' });
    await catalog.users.add({ username: 'bob', role: 'viewer', password: 'a long password' });
    await catalog.audit.add({ actor: 'ada', action: 'camera.add', subject: camera.id });
    await catalog.close();
    return camera.id;
  }

  test('what was saved comes back elsewhere under other keys, ids and credentials included', async () => {
    const here = await postgres.createDatabase();
    const camera = await declared(here, KEY);
    const out = join(root, 'night.backup');
    const saved = await facts(['backup', '--out', out], environment(here, KEY));
    expect(saved).toMatchObject({ status: 0, facts: { rows: { cameras: 2, users: 2, holds: 1 } } });
    const text = readFileSync(out, 'latin1');
    for (const secret of ['hushhush', 'Gate', 'ada', KEY]) expect(text).not.toContain(secret);
    expect(statSync(out).mode & 0o077).toBe(0);

    const there = await postgres.createDatabase();
    const back = await facts(['restore', '--in', out], environment(there, OTHER_KEY));
    expect(back).toMatchObject({ status: 0, facts: { rows: { cameras: 2, users: 2, holds: 1 } } });
    const [one, two] = [await openCatalog(here, KEY), await openCatalog(there, OTHER_KEY)];
    expect(await two.cameras.list()).toEqual(await one.cameras.list());
    expect(await two.cameras.onvifAccess(camera)).toMatchObject({ password: 'hushhush' });
    expect(await two.users.list()).toEqual(await one.users.list());
    expect(await two.recorderConfig('recorder-1')).toEqual(await one.recorderConfig('recorder-1'));
    const actions = (await two.audit.list({ limit: 10 })).items.map(({ action }) => action);
    expect(actions).toEqual(['configuration.restore', 'camera.add']);
    await one.close();
    await two.close();

    // Onto what is declared already: only when told to, and then as a whole.
    await (async () => {
      const catalog = await openCatalog(there, OTHER_KEY);
      await catalog.cameras.change(camera, { name: 'Renamed' });
      const streams = { main: 'rtsp://host/late' };
      const late = await catalog.cameras.add(cameraInputSchema.parse({ name: 'Late', streams }));
      await catalog.recorders.assign(new Map([[late.id, 'recorder-1']]));
      const [from, to] = [clock.nowUnixMs(), clock.nowUnixMs() + 60_000];
      await catalog.holds.place({ cameras: [late.id], from, to, reason: 'fire' }, 'ada');
      await catalog.close();
    })();
    const refused = await run(['restore', '--in', out], environment(there, OTHER_KEY));
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/found 3 cameras.*--replace/),
    });
    const names = async () => {
      const catalog = await openCatalog(there, OTHER_KEY);
      const list = (await catalog.cameras.list()).map(({ name }) => name);
      await catalog.close();
      return list;
    };
    expect(await names()).toEqual(['Late', 'Renamed']);
    const replaced = await facts(
      ['restore', '--in', out, '--replace'],
      environment(there, OTHER_KEY),
    );
    expect(replaced).toMatchObject({ status: 0, facts: { replaced: true } });
    expect(await names()).toEqual(['Gate']);
    // What came later is not declared any more, but its footage keeps its rule and its hold.
    expect(replaced.facts.kept).toEqual({ cameras: 1, holds: 1 });
    const after = await openCatalog(there, OTHER_KEY);
    const { cameras, holds } = await after.recorderConfig('recorder-1');
    expect(cameras.map(({ name, removed }) => [name, removed])).toEqual(
      expect.arrayContaining([
        ['Gate', undefined],
        ['Late', true],
      ]),
    );
    expect(holds).toHaveLength(2);
    await after.close();
  });

  test('a cut, changed or foreign file and a wrong passphrase change nothing', async () => {
    const here = await postgres.createDatabase();
    await declared(here, KEY);
    const out = join(root, 'night.backup');
    const own = environment(here, KEY);
    await facts(['backup', '--out', out], own);
    const whole = readFileSync(out);
    const again = await run(['backup', '--out', out], own);
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('replaces none') });
    expect(readFileSync(out).equals(whole)).toBe(true);

    const there = await postgres.createDatabase();
    const other = environment(there, OTHER_KEY);
    const refused = async (sentence: RegExp, more: Record<string, string> = {}) => {
      const said = await run(['restore', '--in', join(root, 'bad')], { ...other, ...more });
      expect(said).toMatchObject({ status: 2, stderr: expect.stringMatching(sentence) });
    };
    writeFileSync(join(root, 'bad'), whole.subarray(0, whole.length >> 1));
    await refused(/cut short or changed/);
    copyFileSync(out, join(root, 'bad'));
    await refused(/passphrase does not open/, {
      NIGHTJAR_BACKUP_PASSPHRASE: 'not this one, surely',
    });
    const catalog = await openCatalog(there, OTHER_KEY);
    expect(await catalog.cameras.list()).toEqual([]);
    expect((await catalog.audit.list({ limit: 10 })).items).toEqual([]);
    await catalog.close();
  });

  test('without a DATABASE_URL it starts the embedded PostgreSQL for as long as it takes', async () => {
    const here = await postgres.createDatabase();
    const camera = await declared(here, KEY);
    const out = join(root, 'one.backup');
    await facts(['backup', '--out', out], environment(here, KEY));
    writeFileSync(join(root, 'passphrase'), `${PASSPHRASE}\n`);
    const at = ['--data-dir', data(), '--passphrase-file', join(root, 'passphrase')];
    expect(await facts(['restore', '--in', out, ...at])).toMatchObject({ status: 0 });
    expect(existsSync(join(data(), 'postgres', 'postmaster.pid'))).toBe(false);
    const two = join(root, 'two.backup');
    expect(await facts(['backup', '--out', two, ...at])).toMatchObject({ status: 0 });
    expect(existsSync(join(data(), 'postgres', 'postmaster.pid'))).toBe(false);
    const third = await postgres.createDatabase();
    await facts(['restore', '--in', two], environment(third, OTHER_KEY));
    const catalog = await openCatalog(third, OTHER_KEY);
    expect((await catalog.cameras.list()).map(({ id }) => id)).toEqual([camera]);
    await catalog.close();
  });
});
