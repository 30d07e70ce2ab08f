// The numbers of a track, from the camera to the server's exposition: two recorders with simulated
// cameras, one by TCP with a sub stream that loses packets and one by UDP, read by a strict reader.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shutdown, silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import { cameraStatusSchema, type CameraStatus, type RecorderConfig } from '#contract';
import { readRecorderConfig } from '../apps/recorder/src/config.js';
import { startRecorder, type RunningRecorder } from '../apps/recorder/src/recorder-process.js';
import { Metrics } from '../apps/server/src/metrics.js';
import { RecorderRegistry } from '../apps/server/src/recorder-registry.js';
import { makeClip, Simulator } from '../apps/simulator/src/index.js';
import { readExposition, valueOf } from './fixtures/exposition.js';

const TCP = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const UDP = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a22';
const SECRET = 'x'.repeat(40);
const log = silentLog();
const directories: string[] = [];
const servers: Server[] = [];
const shutdown = new Shutdown(log, 20_000);

let simulator: Simulator;
let recorders: RunningRecorder[];

beforeAll(async () => {
  const clip = await makeClip('gate', { fromSeconds: 5 });
  simulator = await Simulator.start({ clips: { moving: clip } });
  recorders = [await start(TCP, 'tcp', 'sub'), await start(UDP, 'udp')];
}, 60_000);

afterAll(async () => {
  await shutdown.run('the test is over');
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await simulator?.close();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

async function start(
  camera: string,
  transport: 'tcp' | 'udp',
  second?: 'sub',
): Promise<RunningRecorder> {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-metrics-'));
  directories.push(directory);
  const config: RecorderConfig = {
    version: '1',
    holds: [],
    cameras: [
      {
        id: camera,
        name: 'Gate',
        streams: {
          main: simulator.url('moving'),
          ...(second === undefined ? {} : { sub: simulator.url('moving?drop-every=20') }),
        },
        transport,
        recording: { mode: 'continuous', preRollSeconds: 5, postRollSeconds: 10 },
        retention: { days: 30 },
        motion: { source: 'video', sensitivity: 0.5 },
      },
    ],
  };
  const control = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url === '/internal/events' ? '{}' : JSON.stringify({ config }));
    });
  });
  servers.push(control.listen(0, '127.0.0.1'));
  await once(control, 'listening');
  return startRecorder({
    config: readRecorderConfig({
      NIGHTJAR_DATA_DIR: directory,
      NIGHTJAR_SECRET_KEY: SECRET,
      NIGHTJAR_INTERNAL_SECRET: SECRET,
      NIGHTJAR_SERVER_URL: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
      NIGHTJAR_MOTION_PROCESSES: '1',
    }),
    clock: systemClock,
    log,
    shutdown,
  });
}

async function statusOf(recorder: RunningRecorder | undefined): Promise<CameraStatus | undefined> {
  const response = await fetch(`${recorder?.url}/internal/status`, {
    headers: { authorization: `Bearer ${SECRET}` },
  });
  const { cameras } = (await response.json()) as { cameras: { status: unknown }[] };
  return cameras[0] === undefined ? undefined : cameraStatusSchema.parse(cameras[0].status);
}

test('status and exposition tell the same truth of every track', async () => {
  const registry = new RecorderRegistry({ clock: systemClock, log, internalSecret: SECRET });
  shutdown.add('registry', () => Promise.resolve(registry.close()));
  // As recorders do every 2 s: one that is silent is away.
  const announce = () =>
    recorders.forEach(({ url }, index) =>
      registry.hear({ role: 'recorder', id: `recorder "${index}"`, url }),
    );
  announce();
  const metrics = new Metrics({ recorders: registry, connections: { size: 0 } });

  const before = await eventually(
    'some seconds of both cameras, and a clock',
    async () => {
      const statuses = await Promise.all(recorders.map(statusOf));
      const tracks = statuses.flatMap((status) => status?.tracks ?? []);
      const whole = tracks.filter(
        (track) =>
          (track.recent?.seconds ?? 0) >= 5 &&
          track.packets >= 100 &&
          track.groupSeconds !== undefined &&
          track.clockOffsetMs !== undefined,
      );
      return whole.length === 3 ? tracks : undefined;
    },
    60_000,
  );
  for (const track of before) {
    expect(track).toMatchObject({ clockJumps: 0, disconnects: {}, connects: 1 });
    const { recent } = track;
    if (track.track === 'sub') {
      // One in twenty is missing, by chance: of a hundred packets that may be 1 or 15.
      for (const { lostPackets: lost, packets: came } of [track, recent ?? track]) {
        expect(lost).toBeGreaterThan(0);
        expect(lost / (lost + came)).toBeLessThan(0.2);
      }
      expect(track.dropped['packet-lost']).toBeGreaterThan(0);
      expect(recent?.droppedFrames).toBeGreaterThan(0);
      continue;
    }
    expect(track).toMatchObject({ lostPackets: 0, malformedPackets: 0, dropped: {} });
    expect(recent).toMatchObject({ lostPackets: 0, droppedFrames: 0 });
    // The clip has a key frame each second, and shares our clock.
    expect(track.groupSeconds).toBeCloseTo(1, 2);
    expect(track.groupSecondsMin).toBeCloseTo(1, 2);
    expect(track.groupSecondsMax).toBeCloseTo(1, 2);
    expect(Math.abs(track.clockOffsetMs ?? 1e9)).toBeLessThan(2000);
    expect(track.jitterMs).toBeGreaterThanOrEqual(0);
    expect(track.packets).toBeGreaterThanOrEqual(track.frames);
    expect(track.bytes).toBeGreaterThan(track.packets * 12);
  }

  announce();
  const families = readExposition(await metrics.text());
  const after = (await Promise.all(recorders.map(statusOf))).flatMap(
    (status) => status?.tracks ?? [],
  );
  expect(before.map(({ track }) => track).sort()).toEqual(['main', 'main', 'sub']);
  const ids = before.map((_, index) => (index === before.length - 1 ? UDP : TCP));
  const counts = { frames: 'frames', packets: 'packets', received_bytes: 'bytes' } as const;
  before.forEach((track, index) => {
    const labels = { camera: ids[index] ?? '', track: track.track };
    for (const [name, field] of Object.entries(counts)) {
      const value = valueOf(families, `nightjar_track_${name}_total`, labels) ?? -1;
      expect(value).toBeGreaterThanOrEqual(track[field]);
      expect(value).toBeLessThanOrEqual(after[index]?.[field] ?? 0);
    }
    const own = (name: string) => valueOf(families, `nightjar_track_${name}`, labels);
    expect(own('connects_total')).toBe(1);
    if (track.track === 'sub') {
      expect(own('loss_ratio')).toBeGreaterThan(0);
      expect(own('loss_ratio')).toBeLessThan(0.2);
      const labelled = { ...labels, reason: 'packet-lost' };
      const dropped = valueOf(families, 'nightjar_track_dropped_frames_total', labelled);
      expect(dropped).toBeGreaterThanOrEqual(track.dropped['packet-lost'] ?? 1);
      return;
    }
    expect(own('lost_packets_total')).toBe(0);
    expect(own('loss_ratio')).toBe(0);
    expect(own('group_seconds')).toBeCloseTo(1, 2);
    expect(own('group_longest_seconds')).toBeCloseTo(1, 2);
    expect(Math.abs(own('clock_offset_seconds') ?? 1e9)).toBeLessThan(2);
    // A third of a turn: 200 ms at the most, 4 ms where datagrams come.
    const floor = labels.camera === UDP ? 0.00134 : 0.067;
    expect(own('jitter_floor_seconds')).toBeLessThanOrEqual(floor);
  });
  const processes = families
    .get('nightjar_track_frames_total')
    ?.samples.map(({ labels }) => labels['process']);
  expect(new Set(processes)).toEqual(new Set(['recorder "0"', 'recorder "1"']));
}, 120_000);
