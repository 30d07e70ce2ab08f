// The storage as its administrator sees it, in a real Chromium: what a change of retention deletes,
// disks that fill up, a warm tier that loses directories; and what retention does with nobody to ask.

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually } from '#base/testing';
import type { Camera, Health, Hold, RecordedDeletion, Storage } from '#contract';
import { ADMIN_PASSWORD, Installation } from './installation.js';
import { countFrames, decodeErrors, HAS_CHROMIUM, HAS_FFMPEG } from './peers.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

/** The promise is 10 s; the rest is for a busy machine. */
const SHOWS_MS = 30_000;
const LONG_MS = 60_000;

const parent = mkdtempSync(join(tmpdir(), 'nightjar-storage-'));
const disk = join(parent, 'disk');
const warm = Array.from({ length: 14 }, (_, slot) => join(parent, `warm-${slot}`));
for (const path of [disk, ...warm]) mkdirSync(path);

const run = (command: string, ...args: string[]) =>
  spawnSync(command, args, { encoding: 'utf8' }).status === 0;
/** A disk of its own that can be filled up; it is low with 75 MB free and full with 3 MB. */
const isOwnDisk =
  process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', 'size=300m', 'nightjar', disk);

afterAll(() => {
  if (isOwnDisk) run('umount', '-l', disk);
  rmSync(parent, { recursive: true, force: true });
});

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** What goes while it is listed is not there. */
function filesBelow(path: string): string[] {
  return spawnSync('find', [path, '-type', 'f', '-not', '-name', '*.json'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => name !== '');
}

const shardFiles = () =>
  warm.flatMap((path) => filesBelow(path)).filter((path) => /\.\w+\.\d\d$/.test(path));
const isChunk = (path: string) => /\.(h264|h265|aac|g711[au]?|opus)$/.test(path);

(HAS_CHROMIUM ? describe : describe.skip)('the storage', () => {
  let installation: Installation;
  let source: SimulatedCamera;
  let browser: Browser;
  let page: Page;
  let camera: Camera;
  let hold: Hold;
  let startedAt = 0;
  const faults: string[] = [];

  beforeAll(async () => {
    source = await startSimulatedCamera('lobby');
    installation = await Installation.start({
      environment: {
        NIGHTJAR_STORE_DIRS: disk,
        NIGHTJAR_WARM_DIRS: warm.join(','),
        NIGHTJAR_WARM_AFTER_DAYS: '0',
        NIGHTJAR_RETENTION_SECONDS: '2',
        // Mending takes half a minute, so that its progress can be seen, also on a busy machine.
        NIGHTJAR_WARM_MB_PER_SECOND: '0.25',
        // A round every 26 seconds; what it comes by first it mends itself, and nobody sees progress.
        NIGHTJAR_SCRUB_DAYS: '0.0003',
      },
    });
    startedAt = Date.now();
    camera = await installation.addCamera('Lobby', source.url, {
      recording: { mode: 'continuous' },
    });
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(LONG_MS);
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(installation.url);
    await page.getByTestId('login-username').fill('admin');
    await page.getByTestId('login-password').fill(ADMIN_PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('login-submit').waitFor({ state: 'detached' });
    for (let chunk = 0; chunk < 3; chunk++) await recordAndSeal();
    await eventually('it is in the warm tier', async () => (await tier()).chunks >= 3, LONG_MS);
    const held = { cameras: [camera.id], from: startedAt, to: startedAt + 8000, reason: 'case 4' };
    hold = await installation.json<Hold>('POST', '/api/holds', held);
    expect(hold.confirmed).toBe(true);
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await installation?.close();
    await source?.close();
  });

  const storage = async () => {
    // Not as often as a loop can ask.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return installation.json<Storage>('GET', '/api/storage');
  };
  const use = async () => (await storage()).cameras.find(({ id }) => id === camera.id);
  const tier = async () => {
    const [found] = (await storage()).warmTiers;
    if (found === undefined) throw new Error('there is no warm tier');
    return found;
  };
  const health = async () => (await (await installation.fetch('GET', '/healthz')).json()) as Health;
  const declared = () => installation.json<Camera>('GET', `/api/cameras/${camera.id}`);
  const deletions = async () =>
    (await installation.json<{ items: RecordedDeletion[] }>('GET', '/api/deletions?limit=1000'))
      .items;
  const isRecording = async () => (await installation.status(camera.id)).recording.active;
  const clipOf = async (fromMs: number, toMs: number) => {
    const path = `/api/cameras/${camera.id}/clip.mp4?from=${fromMs}&to=${toMs}`;
    const answer = await installation.fetch('GET', path);
    expect(answer.status).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };
  /** For whoever wants to look at the pages with their own eyes. */
  const picture = async (name: string) => {
    const folder = process.env['NIGHTJAR_PICTURES'];
    if (folder !== undefined) {
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    }
  };

  /** A recorder that was killed seals what it was writing when it is back. */
  async function recordAndSeal(): Promise<void> {
    await eventually('the camera records', isRecording, LONG_MS);
    const before = (await use())?.bytes ?? 0;
    await eventually(
      'half a megabyte more',
      async () => ((await use())?.bytes ?? 0) > before + 500_000,
      LONG_MS,
    );
    await killRecorder();
    await eventually('the camera records again', isRecording, LONG_MS);
  }

  async function killRecorder(): Promise<void> {
    const pid = installation.findRecorder('recorder-1');
    if (pid === undefined) throw new Error('the recorder does not run');
    process.kill(pid, 'SIGKILL');
    await eventually(
      'a new recorder',
      () => ![undefined, pid].includes(installation.findRecorder('recorder-1')),
      LONG_MS,
    );
    await eventually('it answers', async () => (await storage()).warmTiers.length === 1, LONG_MS);
  }

  async function saveGigabytes(text: string): Promise<void> {
    await page.goto(`${installation.url}/cameras/${camera.id}/edit`);
    await page.getByTestId('camera-max-gigabytes').fill(text);
    await page.getByTestId('camera-save').click();
    await page.getByTestId('retention-effect').waitFor();
  }

  test('a change that deletes sooner shows what would go, and waits', async () => {
    await saveGigabytes('0.001');
    await picture('retention-dialog');
    const waiting = (await declared()).pendingRetention;
    expect(waiting?.effect.chunks).toBeGreaterThan(0);
    const shown = await page.getByTestId('retention-effect').innerText();
    expect(shown).toContain(`in ${waiting?.effect.chunks} files`);
    expect(shown).toMatch(/Recorded\s+\S+/);
    await page.getByTestId('dialog-wait').click();
    await page.getByTestId('retention-effect').waitFor({ state: 'detached' });
    const alert = page.getByTestId('pending-retention');
    expect(await alert.innerText()).toMatch(/Lobby: .*at most 1\.0 MB waits for (1 d|23 h 59 min)/);
    await picture('retention-waits');
    // It is seen on the page of the storage, too, and nothing goes meanwhile.
    await page.goto(`${installation.url}/storage`);
    await page.getByTestId('pending-retention').waitFor();
    const bytes = (await use())?.bytes ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect((await use())?.bytes).toBeGreaterThanOrEqual(bytes);
    expect(await deletions()).toEqual([]);

    await page.getByTestId('retention-withdraw').click();
    await page.getByTestId('pending-retention').waitFor({ state: 'detached' });
    expect(await declared()).not.toHaveProperty('pendingRetention');
    expect((await declared()).retention).not.toHaveProperty('maxBytes');
  }, 180_000);

  test('confirmed it deletes what it showed, and says so; what is held stays', async () => {
    const heldBefore = await clipOf(startedAt + 3000, startedAt + 7000);
    await saveGigabytes('0.001');
    const { effect } = (await declared()).pendingRetention ?? {};
    await page.getByTestId('dialog-confirm').click();
    await page.getByTestId('retention-effect').waitFor({ state: 'detached' });
    expect((await declared()).retention.maxBytes).toBe(1_000_000);
    await eventually(
      'as much went as was shown',
      async () => {
        const gone = (await deletions()).reduce((sum, { bytes }) => sum + bytes, 0);
        return gone >= (effect?.bytes ?? Infinity);
      },
      LONG_MS,
    );
    for (const row of await deletions()) {
      expect(row).toMatchObject({ camera: camera.id, rule: 'camera-bytes' });
      expect(Date.parse(row.from)).toBeGreaterThan(startedAt + 8000);
    }
    await page.goto(`${installation.url}/storage`);
    const rows = page.getByTestId('past-deletion');
    await rows.first().waitFor();
    expect(await rows.first().innerText()).toMatch(/Lobby[\s\S]*the camera’s gigabytes/);
    expect(await page.getByTestId('next-deletions').innerText()).toMatch(/gigabytes|days/);
    await picture('storage-after-deletion');
    expect((await clipOf(startedAt + 3000, startedAt + 7000)).equals(heldBefore)).toBe(true);
    await installation.json('PATCH', `/api/cameras/${camera.id}`, {
      retention: { maxBytes: null },
    });
  }, 180_000);

  test('any four lost directories: everything plays, every page says so, and it is mended', async () => {
    for (let chunk = 0; chunk < 2; chunk++) await recordAndSeal();
    const whole = await eventually(
      'all is in the warm tier',
      async () => {
        const now = await tier();
        return now.chunks >= 3 && now.stripes?.degraded === 0 ? now : undefined;
      },
      LONG_MS,
    );
    const span = [startedAt + 3000, startedAt + 7000] as const;
    const before = await clipOf(...span);
    const lost = [2, 5, 11, 13].map((slot) => warm[slot] ?? '');
    await page.goto(`${installation.url}/cameras`);
    for (const path of lost) renameSync(path, `${path}-lost`);
    await eventually(
      'the API says so',
      async () => (await health()).faults.some(({ message }) => /4 of 14/.test(message)),
      SHOWS_MS,
    );
    const bar = page.getByTestId('alarm-bar');
    await bar.getByText(/4 of 14 directories are away/).waitFor({ timeout: SHOWS_MS });
    await picture('alarm-on-cameras');
    expect((await clipOf(...span)).equals(before)).toBe(true);
    const file = join(parent, 'degraded.mp4');
    writeFileSync(file, before);
    if (HAS_FFMPEG) {
      expect(await decodeErrors(file)).toBe('');
      expect(await countFrames(file)).toBeGreaterThan(20);
    }
    await bar.click();
    const warmBox = page.getByTestId('warm');
    await eventually(
      'the slots say so',
      async () => (await warmBox.getByText('away', { exact: true }).count()) === 4,
      SHOWS_MS,
    );
    await eventually(
      'and so do the stripes',
      async () => /degraded/.test(await warmBox.getByTestId('stripes').innerText()),
      SHOWS_MS,
    );
    await picture('warm-degraded');

    // The disks are back, without a shard.
    for (const path of lost) {
      for (const shard of filesBelow(`${path}-lost`).filter((name) => /\.\d\d$/.test(name))) {
        rmSync(shard);
      }
      renameSync(`${path}-lost`, path);
    }
    const progress = await eventually(
      'the mending shows',
      async () => {
        const box = page.getByTestId('mending');
        return (await box.count()) > 0 ? await box.innerText() : undefined;
      },
      LONG_MS,
    );
    expect(progress).toMatch(/Mending: \d+ of \d+ stripes/);
    await picture('warm-mending');
    const mended = await eventually(
      'all is mended',
      async () => {
        const now = await tier();
        return now.stripes?.degraded === 0 && now.mending === undefined ? now : undefined;
      },
      120_000,
    );
    expect(mended.mendedShards).toBeGreaterThanOrEqual(4 * whole.chunks);
    expect(mended.directories.map(({ missingShards }) => missingShards)).toEqual(warm.map(() => 0));
    expect((await clipOf(...span)).equals(before)).toBe(true);
    await page.getByTestId('alarm-bar').waitFor({ state: 'detached' });
    const metrics = await (await installation.fetch('GET', '/metrics')).text();
    expect(metrics).toMatch(/^nightjar_warm_stripes\{[^}]*state="degraded"\} 0$/m);
  }, 400_000);

  (isOwnDisk ? test : test.skip)(
    'minimum days on a full disk: an alarm, then recording stops, and resumes by itself',
    async () => {
      await installation.json('PATCH', `/api/cameras/${camera.id}`, {
        retention: { minDays: 1, whenFull: 'stop-recording' },
      });
      const before = filesBelow(disk).filter(isChunk);
      await page.goto(`${installation.url}/cameras`);
      const filler = join(disk, 'filler');
      const fill = (leaveBytes: number) => {
        const [line = ''] = spawnSync('df', ['-B1', '--output=avail', disk], { encoding: 'utf8' })
          .stdout.trim()
          .split('\n')
          .slice(-1);
        run('fallocate', '-l', String(fillerBytes() + Number(line) - leaveBytes), filler);
      };
      const fillerBytes = () => sizeOf(filler);
      fill(40e6);
      const bar = page.getByTestId('alarm-bar');
      await bar.getByText(/nothing more may be deleted/).waitFor({ timeout: SHOWS_MS });
      expect(await isRecording()).toBe(true);
      fill(1e6);
      await eventually(
        'recording stops',
        async () => {
          const { recording } = await installation.status(camera.id);
          return !recording.active && recording.reason === 'disk-full';
        },
        LONG_MS,
      );
      await bar.click();
      await eventually(
        'the disk shows as full',
        async () => (await page.getByTestId('disk').first().getAttribute('data-state')) === 'full',
        SHOWS_MS,
      );
      await picture('disk-full');
      for (const path of before) expect(sizeOf(path)).toBeGreaterThan(0);
      rmSync(filler);
      await eventually('the camera records again', isRecording, LONG_MS);
      await page.getByTestId('alarm-bar').waitFor({ state: 'detached', timeout: LONG_MS });
      await installation.json('PATCH', `/api/cameras/${camera.id}`, {
        retention: { minDays: null, whenFull: 'oldest-first' },
        confirm: true,
      });
    },
    240_000,
  );

  test('with the control plane down what is over its days goes, and holds stay', async () => {
    await installation.json('PATCH', `/api/cameras/${camera.id}`, {
      recording: { mode: 'off' },
    });
    await eventually('it has stopped', async () => !(await isRecording()), LONG_MS);
    // What is being written ends with less than a block of filling; the rest is sealed.
    await killRecorder();
    // What du says is what the API says, to the byte.
    const agrees = async () => {
      const { cameras, warmTiers } = await storage();
      const files = filesBelow(disk).filter(isChunk);
      const found = files.reduce((sum, path) => sum + sizeOf(path), 0);
      const warmBytes = warmTiers.reduce((sum, { bytes }) => sum + bytes, 0);
      return cameras.reduce((sum, { bytes }) => sum + bytes, 0) === found + warmBytes;
    };
    await eventually('accounting and disk agree, to the byte', agrees, LONG_MS);
    const pidOf = (role: string) => installation.findProcess(role);
    process.kill(installation.launcherPid, 'SIGSTOP');
    const postgres = installation.processes().filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');
      } catch {
        return false;
      }
    });
    let gone = { from: 0, to: 0 };
    try {
      // Nobody tells it anything any more: it has its rules from here.
      process.kill(installation.launcherPid, 'SIGCONT');
      await installation.json('PATCH', `/api/cameras/${camera.id}`, {
        retention: { days: 0.0006, lowresDays: null, motionDays: null },
        confirm: true,
      });
      process.kill(installation.launcherPid, 'SIGSTOP');
      gone = { from: Date.now(), to: 0 };
      for (const pid of [pidOf('server'), ...postgres]) {
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
      }
      const chunks = () => filesBelow(disk).filter(isChunk).length + shardFiles().length / 14;
      await eventually('only what is held is left', () => chunks() === 1, 120_000);
      gone = { ...gone, to: Date.now() };
      await new Promise((resolve) => setTimeout(resolve, 6000));
      expect(chunks()).toBe(1);
    } finally {
      process.kill(installation.launcherPid, 'SIGCONT');
    }
    await eventually(
      'the server is back',
      async () =>
        (await installation.fetch('GET', '/healthz').catch(() => undefined)) !== undefined,
      LONG_MS,
    );
    await eventually(
      'the database is back',
      async () => (await installation.signIn().catch(() => undefined)) !== undefined,
      LONG_MS,
    );
    const told = await eventually(
      'the deletions are told',
      async () => {
        const rows = (await deletions()).filter(({ rule }) => rule === 'age');
        return rows.length > 0 ? rows : undefined;
      },
      LONG_MS,
    );
    expect(told.some(({ at }) => Date.parse(at) >= gone.from && Date.parse(at) <= gone.to)).toBe(
      true,
    );
    const left = await installation.timeline(camera.id, startedAt - 60_000, Date.now());
    for (const { from } of left.recordings) {
      expect(Date.parse(from)).toBeLessThan(Date.parse(hold.to) + 60_000);
    }
    expect((await clipOf(startedAt + 3000, startedAt + 7000)).length).toBeGreaterThan(10_000);
  }, 300_000);

  test('damage that cannot be mended is found, told everywhere, and skipped on playback', async () => {
    const shards = shardFiles().sort();
    expect(shards).toHaveLength(14);
    for (const shard of shards.slice(0, 5)) {
      const bytes = readFileSync(shard);
      bytes.fill(0x55, 0, Math.floor(bytes.length / 2));
      writeFileSync(shard, bytes);
    }
    await eventually(
      'health warns',
      async () => (await health()).warnings.some((text) => /damaged footage/.test(text)),
      120_000,
    );
    expect((await health()).status).toBe('ok');
    await page.goto(`${installation.url}/cameras`);
    await page.getByText(/\d warnings?/).waitFor();
    await page.goto(`${installation.url}/storage`);
    expect(await page.getByTestId('damage').innerText()).toContain('Lobby');
    expect(await page.getByTestId('warnings').innerText()).toMatch(/damaged footage: 1 chunk/);
    await picture('damage');
    const metrics = await (await installation.fetch('GET', '/metrics')).text();
    expect(metrics).toMatch(/^nightjar_damaged_chunks\{[^}]*\} 1$/m);
    const { gaps } = await installation.timeline(camera.id, startedAt - 60_000, Date.now());
    expect(gaps.map(({ reason }) => reason)).toContain('damaged');
    const path = `/api/cameras/${camera.id}/clip.mp4?from=${startedAt}&to=${startedAt + 20_000}`;
    expect([200, 404]).toContain((await installation.fetch('GET', path)).status);
    expect(faults).toEqual([]);
  }, 240_000);
});
