// The built `nightjar` over footage with a warm tier, as an administrator uses it: shards that are
// damaged, directories that are lost, a recorder that runs, Ctrl-C, terminals and pipes.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { ALL_SHARDS, ChunkStore, foldGroups, type ChunkInfo } from '#store';
import { rememberDirectories, Timeline } from '#timeline';
import { CAMERA, realRecord } from '../libs/store/src/footage.test-support.js';
import { NIGHTJAR_BIN, runTool, toolFacts } from './fixtures/nightjar-tool.js';

const { jest } = import.meta;
/** Every command is a process of its own. */
jest.setTimeout(300_000);
const CHUNKS = 4;
const HOUR_US = 3_600_000_000;
const clock = new FakeClock();
const log = silentLog();
let root: string;
let chunks: ChunkInfo[];

const slots = Array.from({ length: ALL_SHARDS }, (_, slot) => slot);
const warmRoot = (slot: number) => join(root, `warm-${slot}`);
const own = (path: string) => join(path, 'recorder-1');
const warmOf = (paths: readonly string[]) => paths.flatMap((path) => ['--warm', path]);
const environment = () => ({
  NIGHTJAR_DATA_DIR: join(root, 'data'),
  NIGHTJAR_WARM_DIRS: slots.map(warmRoot).join(','),
});
const run = (...args: string[]) => runTool(args, { cwd: root, environment: environment() });
const facts = (...args: string[]) => toolFacts(args, { cwd: root, environment: environment() });

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'nightjar-warm-tool-'));
  chunks = await recorded(CHUNKS);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const openStore = (exclusive = false) =>
  ChunkStore.open({
    directories: [join(root, 'data', 'store')],
    warm: { directories: slots.map((slot) => own(warmRoot(slot))) },
    ...{ exclusive, clock, log },
  });
const openIndex = () =>
  Timeline.open({ directory: join(root, 'data', 'recorder-1', 'index'), clock, log });

/** All but the last chunk are in the warm tier. */
async function recorded(count: number): Promise<ChunkInfo[]> {
  const [store, timeline] = [await openStore(), await openIndex()];
  await rememberDirectories(timeline, 'warm', store.warm?.directories ?? []);
  const made: ChunkInfo[] = [];
  for (let run = 1; run <= count; run++) {
    const writer = store.openTrack({ camera: CAMERA, track: 'main' });
    for (let group = 0; group < 40; group++) {
      const startUnixUs = clock.nowUnixUs() + run * HOUR_US;
      await writer.write(realRecord({ firstFrame: group * 5, frameCount: 5, run, startUnixUs }));
    }
    const { records, chunks: rows } = await writer.close();
    await timeline.commit({ groups: foldGroups(records), chunks: rows });
    made.push(...rows);
    clock.advance(1000);
  }
  for (const chunk of made.slice(0, -1)) {
    await store.copyToWarm(chunk);
    await timeline.commit({ chunks: [{ ...chunk, store: store.warm?.id ?? '' }] });
    await store.deleteFile(chunk);
  }
  await store.close();
  await timeline.close();
  return made;
}

/** By path below the directory of a slot. */
function shardsIn(path: string): Map<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    /\.\d\d$/.test(name),
  );
  return new Map(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(path.length), readFileSync(file).toString('base64')];
    }),
  );
}

test('scrub finds damaged and lost shards, and --mend writes them anew, byte for byte', async () => {
  const [damaged, lost] = [own(warmRoot(2)), own(warmRoot(9))];
  const before = [shardsIn(damaged), shardsIn(lost)];
  expect(before.map(({ size }) => size)).toEqual([CHUNKS - 1, CHUNKS - 1]);
  const first = join(damaged, [...(before[0]?.keys() ?? [])].sort()[0] ?? '');
  const bytes = readFileSync(first);
  bytes.writeUInt8((bytes[bytes.length >> 1] ?? 0) ^ 1, bytes.length >> 1);
  writeFileSync(first, bytes);
  rmSync(join(lost, [...(before[1]?.keys() ?? [])].sort()[1] ?? ''));

  const found = await run('scrub');
  expect([found.status, found.stderr]).toEqual([1, '']);
  expect(found.stdout).toMatch(/^\S+\.h264: shard \d+ is lost or damaged\n/);
  expect(found.stdout).toMatch(/\n4 chunks, 0\.00 GB: 2 faults\n$/);
  expect((await facts('scrub')).facts.damage).toHaveLength(2);
  // Nothing is lost: the index still fits, and what is played is whole.
  expect(await facts('check')).toMatchObject({ status: 0, facts: { chunks: 4, groups: 160 } });

  const mended = await run('scrub', '--mend');
  expect(mended).toEqual({
    ...{ status: 0, stderr: '' },
    stdout: '2 shards were written anew\n4 chunks, 0.00 GB: nothing is damaged\n',
  });
  expect([shardsIn(damaged), shardsIn(lost)]).toEqual(before);
  expect(await facts('scrub', '--mend')).toEqual({
    status: 0,
    facts: {
      ...{ ok: true, chunks: 4, bytes: chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
      ...{ mended: 0, damage: [], warmDirectories: 14 },
    },
  });
});

test('lost directories are replaced by empty ones, at the same path or another, and come back whole', async () => {
  const [gone, moved, fresh] = [warmRoot(7), warmRoot(3), join(root, 'fresh')];
  const before = [shardsIn(own(gone)), shardsIn(own(moved))];
  for (const path of [gone, moved]) rmSync(path, { recursive: true });
  mkdirSync(fresh);
  expect(await facts('scrub', '--mend')).toMatchObject({ status: 1, facts: { mended: 0 } });
  const refused = async (sentence: RegExp, ...args: string[]) => {
    const said = await run('replace-warm', ...args);
    expect(said).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(sentence) });
    expect(readdirSync(fresh)).toEqual([]);
  };
  await refused(/needs --dir/);
  await refused(/expected a directory at .*warm-7/, '--dir', gone);
  await refused(/expected an empty directory/, '--dir', warmRoot(1));
  await refused(/all 14 directories/, '--dir', fresh, ...warmOf([warmRoot(0), warmRoot(1)]));
  // Either place could be meant, and the other disk may come back.
  await refused(/whose place.*warm-3.*warm-7/, '--dir', fresh);

  mkdirSync(gone);
  const same = await run('replace-warm', '--dir', gone);
  expect([same.status, same.stderr]).toEqual([0, '']);
  expect(same.stdout).toMatch(/warm-7\/recorder-1 is now directory 7 of the warm tier\n/);
  expect(await facts('replace-warm', '--dir', fresh)).toEqual({
    status: 0,
    facts: { ok: true, dir: own(fresh), slot: 3 },
  });
  const now = warmOf(slots.map((slot) => (slot === 3 ? fresh : warmRoot(slot))));
  expect(await facts('scrub', '--mend', ...now)).toMatchObject({ status: 0, facts: { mended: 6 } });
  expect([shardsIn(own(gone)), shardsIn(own(fresh))]).toEqual(before);
  expect(await facts('check', ...now)).toMatchObject({ status: 0, facts: { groups: 160 } });
});

test('without the index nobody guesses whose place a directory takes', async () => {
  for (const slot of [5, 6]) rmSync(own(warmRoot(slot)), { recursive: true });
  rmSync(join(root, 'data', 'recorder-1'), { recursive: true });
  const said = await run('replace-warm', '--dir', warmRoot(5));
  expect(said).toMatchObject({ status: 2, stderr: expect.stringMatching(/no index/) });
  expect(readdirSync(warmRoot(5))).toEqual([]);
});

test('the index knows of the warm tier where nobody names it; without the index that is said', async () => {
  const data = { NIGHTJAR_DATA_DIR: join(root, 'data') };
  const at = { cwd: root, environment: data };
  expect(await toolFacts(['check'], at)).toMatchObject({ status: 0, facts: { chunks: 4 } });
  expect(await toolFacts(['rebuild-index'], at)).toMatchObject({ status: 0, facts: { chunks: 4 } });
  const verified = await runTool(['verify'], at);
  expect(verified).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/1 chunks.*\nno dir/),
  });
  const period = ['--from', '2020-01-01', '--to', '2030-01-01', '--out', 'clip.mp4'];
  rmSync(join(root, 'data', 'store', CAMERA), { recursive: true });
  const clip = await runTool(['export', '--camera', CAMERA, ...period], at);
  expect(clip).toMatchObject({ status: 2, stderr: expect.stringMatching(/no footage.*--warm/) });
});

test('what a recorder uses is read, and never written to', async () => {
  const [store, timeline] = [await openStore(true), await openIndex()];
  for (const command of ['scrub', 'verify']) {
    expect(await facts(command)).toMatchObject({ status: 0, facts: { chunks: 4 } });
  }
  for (const args of [['scrub', '--mend'], ['check'], ['rebuild-index']]) {
    const { status, stderr } = await run(...args);
    expect([args, status]).toEqual([args, 2]);
    expect(stderr).toMatch(/^nightjar: .*(another process has it open|that nobody uses).*\n$/);
  }
  await store.close();
  await timeline.close();
});

test('Ctrl-C ends a command at its next step, and nothing half-made stays', async () => {
  const out = join(root, 'clip.mp4');
  const [{ firstUnixUs } = { firstUnixUs: 0 }] = chunks;
  const period = ['--from', String(firstUnixUs / 1000), '--to', '2100-01-01'];
  const interrupted = async (signal: 'SIGINT' | 'SIGTERM') => {
    rmSync(out, { force: true });
    const args = ['export', '--camera', CAMERA, ...period, '--out', out, '--json'];
    const ended = runTool(args, {
      ...{ cwd: root, environment: environment() },
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(`${out}.part`)) return;
          clearInterval(timer);
          child.kill(signal);
        }, 1);
        child.once('close', () => clearInterval(timer));
      },
    });
    return ended;
  };
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    // One that was through before the signal came is tried again.
    const said = await eventually(
      signal,
      async () => {
        const outcome = await interrupted(signal);
        return outcome.status === 0 ? undefined : outcome;
      },
      240_000,
    );
    expect(said).toMatchObject({ status, stderr: '' });
    expect(JSON.parse(said.stdout)).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(readdirSync(root).filter((name) => name.startsWith('clip'))).toEqual([]);
  }
});

const hasScript = spawnSync('script', ['--version']).status === 0;
(hasScript ? test : test.skip)(
  'progress is for terminals; a reader that goes is no fault',
  async () => {
    const command = `stty cols 100; exec ${process.execPath} ${NIGHTJAR_BIN} verify`;
    const { PATH = '' } = process.env;
    const options = { cwd: root, env: { PATH, ...environment() }, encoding: 'utf8' } as const;
    const seen = spawnSync('script', ['-qec', command, '/dev/null'], options);
    expect(seen.status).toBe(0);
    expect(seen.stdout).toMatch(/\r\u001B\[K\[#+\.*\] +\d+ %  \d of 4 chunks/);
    expect(seen.stdout).toMatch(/\r\u001B\[K4 chunks, .*hold\r\n$/);
    expect(await run('verify')).toMatchObject({ status: 0, stderr: '' });
    const piped = `${process.execPath} ${NIGHTJAR_BIN} verify | true`;
    const { stderr } = spawnSync('/bin/sh', ['-c', piped], options);
    expect(stderr).toBe('');
  },
);

test('each command tells what it takes, and refuses the rest in a sentence', async () => {
  const all = await run('--help');
  expect(all).toMatchObject({ status: 0, stderr: '' });
  expect((await run()).stdout).toBe(all.stdout);
  const names = [...all.stdout.matchAll(/^ {2}([a-z][a-z-]+) {2,}/gm)].map(([, name = '']) => name);
  expect(names).toEqual([
    ...['check', 'rebuild-index', 'scrub', 'replace-warm', 'verify'],
    ...['export', 'backup', 'restore'],
  ]);
  const help = await run('scrub', '--store', 'x', '-h');
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(help.stdout).toMatch(/--mend .*\n/);
  expect(help.stdout).not.toContain('--passphrase-file');
  for (const [args, sentence] of [
    [['scrub', 'mend'], 'scrub takes no mend'],
    [['scrub', '--menn'], 'scrub takes no --menn'],
    [['scrub', '-m'], 'scrub takes no -m'],
    [['verify', '--mend'], 'verify takes no --mend'],
    [['scrub', '--mend=yes'], '--mend takes no value'],
    [['scrub', '--store', '--mend'], '--store needs a value'],
    [['scrub', '--store='], '--store needs a value'],
    [['scrub', '--store'], '--store needs a value'],
  ] as const) {
    const { status, stdout, stderr } = await run(...args);
    expect([args, status, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(/^nightjar: [^\n]*; see nightjar (scrub|verify) --help \([a-z-]+\)\n$/);
    expect(stderr).toContain(sentence);
  }
});
