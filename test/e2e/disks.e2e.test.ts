// Disks that go while footage is written: unmounted, another one in their place, back read-only. The
// others record on, nothing lands below the mount point, and recording comes back by itself.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera, Storage } from '#contract';
import { Installation } from './installation.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

/** From the fault to its showing, as is promised. */
const SHOWS_MS = 10_000;
const RESUMES_MS = 60_000;

const run = (command: string, ...args: string[]) =>
  spawnSync(command, args, { encoding: 'utf8' }).status === 0;

/** A directory that stands for a disk, and the place where it is mounted. */
class Disk {
  readonly contents: string;
  readonly mountPoint: string;

  constructor(parent: string, name: string) {
    this.contents = join(parent, `${name}-contents`);
    this.mountPoint = join(parent, name);
    mkdirSync(this.contents);
    mkdirSync(this.mountPoint);
  }

  mount(contents = this.contents): boolean {
    return run('mount', '--bind', contents, this.mountPoint);
  }

  /** Open files stay open, as when a cable is pulled. */
  unmount(): boolean {
    return run('umount', '-l', this.mountPoint);
  }

  bytes(directory = this.contents): number {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.h264'))
      .reduce((sum, path) => sum + statSync(join(directory, path)).size, 0);
  }
}

const parent = mkdtempSync(join(tmpdir(), 'nightjar-disks-'));
const disks = ['one', 'two'].map((name) => new Disk(parent, name));
const canMount =
  process.getuid?.() === 0 && disks.every((disk) => disk.mount()) && readdirSync(parent).length > 0;
if (!canMount) console.log('skipped: mounting needs root');

(canMount ? describe : describe.skip)('with two disks', () => {
  let source: SimulatedCamera;
  let installation: Installation;
  let camera: Camera;

  beforeAll(async () => {
    source = await startSimulatedCamera('lobby');
    installation = await Installation.start({
      environment: { NIGHTJAR_STORE_DIRS: disks.map(({ mountPoint }) => mountPoint).join(',') },
    });
    camera = await installation.addCamera('Lobby', source.url, {
      recording: { mode: 'continuous' },
    });
    await eventually('the camera records', isRecording, RESUMES_MS);
    await eventually('footage is on a disk', () => disks.some((disk) => disk.bytes() > 0), 20_000);
  }, 180_000);

  afterAll(async () => {
    await installation?.close();
    await source?.close();
  });

  const isRecording = async () => (await installation.status(camera.id)).recording.active;
  const health = async () => {
    const response = await installation.fetch('GET', '/healthz');
    return { status: response.status, text: await response.text() };
  };
  const unhealthy = async () => {
    const now = await health();
    return now.status === 503 ? now : undefined;
  };
  const directories = async () => {
    const { disks: found } = await installation.json<Storage>('GET', '/api/storage');
    return new Map(found.map((directory) => [directory.path, directory]));
  };
  const showsAs = (disk: Disk, state: string, reason: RegExp) =>
    eventually(
      `${disk.mountPoint} shows as ${state}`,
      async () => {
        const found = (await directories()).get(disk.mountPoint);
        return found?.state === state && reason.test(found.reason ?? '') ? found : undefined;
      },
      SHOWS_MS,
    );
  const untilGrowing = async (disk: Disk) => {
    const before = disk.bytes();
    await eventually('footage grows', () => disk.bytes() > before, RESUMES_MS);
  };
  const other = (disk: Disk) => disks.find((candidate) => candidate !== disk) as Disk;
  const untilOneGrows = async (): Promise<Disk> => {
    const before = disks.map((disk) => disk.bytes());
    return eventually(
      'a disk takes footage',
      () => disks.find((disk, index) => disk.bytes() > (before[index] ?? 0)),
      RESUMES_MS,
    );
  };

  test('one that is unmounted while it is written to: the other one takes over', async () => {
    const gone = await untilOneGrows();
    expect(gone.unmount()).toBe(true);
    await showsAs(gone, 'failed', /gone|mounted/);
    const { text } = await eventually('it is not healthy', () => unhealthy(), SHOWS_MS);
    expect(text).toContain(gone.mountPoint);
    const metrics = await (await installation.fetch('GET', '/metrics')).text();
    const line = metrics
      .split('\n')
      .find(
        (text) => text.startsWith('nightjar_disk_usable') && text.includes(`"${gone.mountPoint}"`),
      );
    expect(line).toMatch(/ 0$/);
    await untilGrowing(other(gone));
    expect(await isRecording()).toBe(true);
    expect(readdirSync(gone.mountPoint)).toEqual([]);

    // Another disk in its place is not taken for it, and not written to.
    const stranger = new Disk(parent, `stranger-to-${gone.mountPoint.split('/').at(-1)}`);
    mkdirSync(join(stranger.contents, 'holiday'));
    expect(gone.mount(stranger.contents)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    expect((await directories()).get(gone.mountPoint)).toMatchObject({ state: 'failed' });
    expect(readdirSync(stranger.contents)).toEqual(['holiday']);
    expect(gone.unmount()).toBe(true);

    // Its own disk, but read-only.
    expect(gone.mount() && run('mount', '-o', 'remount,bind,ro', gone.mountPoint)).toBe(true);
    await showsAs(gone, 'failed', /read-only|written|EROFS/i);
    expect(gone.unmount() && gone.mount()).toBe(true);
    await showsAs(gone, 'ok', /^$/);
    await eventually('all is well', async () => (await health()).status === 200, SHOWS_MS);
  }, 240_000);

  test('both: the reason shows, and recording resumes by itself', async () => {
    for (const disk of disks) expect(disk.unmount()).toBe(true);
    const status = await eventually(
      'the status says why',
      async () => {
        const now = await installation.status(camera.id);
        return now.recording.active ? undefined : now;
      },
      SHOWS_MS,
    );
    expect(status.recording.reason).toBe('disk-error');
    expect(status.reason).toMatch(/disk|store/i);
    for (const { mountPoint } of disks) expect(readdirSync(mountPoint)).toEqual([]);
    const fromMs = Date.now();
    for (const disk of disks) expect(disk.mount()).toBe(true);
    await eventually('the camera records again', isRecording, RESUMES_MS);
    await untilOneGrows();
    const { gaps } = await installation.timeline(camera.id, fromMs - 120_000, Date.now());
    expect(gaps.map(({ reason }) => reason)).toContain('disk-error');
    // Everything that was confirmed is there, also what was written as the disk went.
    await eventually('every disk is well', async () => (await health()).status === 200, SHOWS_MS);
  }, 240_000);
});

afterAll(() => {
  for (const disk of disks) for (let layers = 0; layers < 3 && disk.unmount(); layers++);
  rmSync(parent, { recursive: true, force: true });
});
