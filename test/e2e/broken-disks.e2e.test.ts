// Disks that break while they are written to: the kernel makes one read-only, one takes no byte for
// a while. Who records elsewhere loses no frame, whose disk hangs goes on there, the reason shows,
// and all comes back by itself.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import type { Camera, Storage } from '#contract';
import { Installation } from './installation.js';
import { LoopDisk } from './loop-disk.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

/** What is promised. */
const SHOWS_MS = 10_000;
const RESUMES_MS = 60_000;

const parent = mkdtempSync(join(tmpdir(), 'nightjar-broken-'));
const disks = ['one', 'two'].map((name) => LoopDisk.make(parent, name));
const canBreak = disks.every((disk) => disk !== undefined);
if (!canBreak) console.log('skipped: it needs root, mkfs.ext4 and loop devices');

(canBreak ? describe : describe.skip)('with a camera on each of two disks', () => {
  let source: SimulatedCamera;
  let installation: Installation;
  let lobby: Camera;
  let gate: Camera;

  beforeAll(async () => {
    source = await startSimulatedCamera('lobby');
    installation = await Installation.start({
      environment: { NIGHTJAR_STORE_DIRS: disks.map((disk) => disk?.mountPoint).join(',') },
    });
    lobby = await addCamera('Lobby');
    // The disk of the first has less room by then.
    gate = await addCamera('Gate');
    expect(diskOf(gate)).not.toBe(diskOf(lobby));
  }, 240_000);

  afterAll(async () => {
    for (const disk of disks) disk?.thaw();
    await installation?.close();
    await source?.close();
  });

  const addCamera = async (name: string) => {
    const camera = await installation.addCamera(name, source.url, {
      recording: { mode: 'continuous' },
    });
    await eventually(
      `${name} is on a disk`,
      () => disks.some((disk) => (disk?.bytes(camera.id) ?? 0) > 100_000),
      RESUMES_MS,
    );
    return camera;
  };
  /** Where the camera writes now. */
  const diskOf = (camera: Camera): LoopDisk => {
    const found = disks.filter((disk) => (disk?.bytes(camera.id) ?? 0) > 0);
    if (found.length !== 1) throw new Error(`expected one disk of ${camera.name}`);
    return found[0] as LoopDisk;
  };
  const shownState = async (disk: LoopDisk) => {
    const { disks: found } = await installation.json<Storage>('GET', '/api/storage');
    return found.find(({ path }) => path === disk.mountPoint);
  };
  const metric = async (name: string, disk: LoopDisk) => {
    const text = await (await installation.fetch('GET', '/metrics')).text();
    const line = text
      .split('\n')
      .find((row) => row.startsWith(`nightjar_${name}{`) && row.includes(`"${disk.mountPoint}"`));
    return Number(line?.split(' ').at(-1));
  };
  const healthText = async () => {
    const response = await installation.fetch('GET', '/healthz');
    return `${response.status} ${await response.text()}`;
  };
  const showsEverywhere = async (
    disk: LoopDisk,
    reason: RegExp,
    isInMetrics: () => Promise<boolean>,
  ) => {
    await eventually(
      `the reason shows in API, health and metrics`,
      async () => {
        const [shown, health, isMeasured] = await Promise.all([
          shownState(disk),
          healthText(),
          isInMetrics(),
        ]);
        const isShown = shown?.state !== 'ok' && reason.test(shown?.reason ?? '');
        const isUnhealthy = health.startsWith('503') && health.includes(disk.mountPoint);
        return isShown && isUnhealthy && isMeasured;
      },
      SHOWS_MS,
    );
  };
  const untilWell = () =>
    eventually('all is well', async () => (await healthText()).startsWith('200'), RESUMES_MS);
  const growsOn = async (disk: LoopDisk, camera: Camera) => {
    const before = disk.bytes(camera.id);
    await eventually('footage grows', () => disk.bytes(camera.id) > before + 50_000, RESUMES_MS);
  };
  /** One recording without a gap from `fromMs` until now, or very nearly now. */
  const isUnbroken = async (camera: Camera, fromMs: number) => {
    const toMs = Date.now();
    const { recordings, gaps } = await installation.timeline(camera.id, fromMs, toMs);
    const main = recordings.filter(({ track }) => track === 'main');
    expect({ gaps: gaps.filter(({ to }) => to !== undefined), main: main.length }).toEqual({
      gaps: [],
      main: 1,
    });
    expect(Date.parse(main[0]?.from ?? '')).toBeLessThanOrEqual(fromMs);
    expect(Date.parse(main[0]?.to ?? '')).toBeGreaterThan(toMs - 15_000);
  };

  test('a disk that hangs: it shows, its camera goes on on the other one, and nothing is lost', async () => {
    const [slow, other] = [diskOf(lobby), diskOf(gate)];
    const fromMs = Date.now();
    expect(slow.freeze()).toBe(true);
    try {
      const isInMetrics = async () =>
        (await metric('disk_slow', slow)) === 1 || (await metric('disk_usable', slow)) === 0;
      await showsEverywhere(slow, /slow|did not answer/, isInMetrics);
      await growsOn(other, gate);
      expect((await installation.status(gate.id)).recording.active).toBe(true);
      // Its own camera does not wait for it.
      await growsOn(other, lobby);
      expect((await installation.status(lobby.id)).recording.active).toBe(true);
      await eventually(
        'what it records there can be found',
        async () => {
          const { recordings } = await installation.timeline(lobby.id, fromMs, Date.now());
          return recordings.some(({ to }) => Date.parse(to) > fromMs + 10_000);
        },
        RESUMES_MS,
      );
      await isUnbroken(lobby, fromMs);
    } finally {
      expect(slow.thaw()).toBe(true);
    }
    await untilWell();
    await isUnbroken(gate, fromMs);
    await isUnbroken(lobby, fromMs);
    expect((await installation.status(lobby.id)).recording.active).toBe(true);
  }, 240_000);

  test('a disk that the kernel makes read-only: its camera moves, and it is taken back', async () => {
    // The first two record on one disk by now: the other has more room.
    const yard = await addCamera('Yard');
    const broken = diskOf(yard);
    const other = diskOf(gate);
    expect(other).not.toBe(broken);
    const fromMs = Date.now();
    expect(broken.breakReadOnly()).toBe(true);
    await showsEverywhere(broken, /read-only/, async () => {
      return (await metric('disk_usable', broken)) === 0;
    });
    await growsOn(other, yard);
    await growsOn(other, gate);
    await isUnbroken(gate, fromMs);
    await isUnbroken(lobby, fromMs);
    const { gaps } = await installation.timeline(yard.id, fromMs, Date.now());
    for (const { reason } of gaps) expect(reason).toBe('disk-error');

    // Nobody holds on to it, and nothing is written below its mount point.
    await eventually('it can be unmounted', () => broken.unmount(), RESUMES_MS);
    await eventually(
      'it shows as gone',
      async () => /gone|mounted/.test((await shownState(broken))?.reason ?? ''),
      SHOWS_MS,
    );
    expect(readdirSync(broken.mountPoint)).toEqual([]);
    broken.repair();
    expect(broken.mount()).toBe(true);
    await untilWell();
    expect((await shownState(broken))?.state).toBe('ok');
  }, 240_000);
});

afterAll(() => {
  for (const disk of disks) {
    disk?.thaw();
    disk?.unmount();
  }
  rmSync(parent, { recursive: true, force: true });
});
