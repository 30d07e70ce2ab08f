// The ONVIF room against the simulator's cameras: what they are, what they stream, how they move.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NightjarError, systemClock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { discoverCameras, OnvifCamera, PtzDriver } from '#onvif';
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../apps/simulator/src/index.js';

const simulators: Simulator[] = [];
const cameras: OnvifCamera[] = [];

afterEach(async () => {
  for (const camera of cameras.splice(0)) camera.close();
  for (const simulator of simulators.splice(0)) await simulator.close();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  simulators.push(simulator);
  return simulator;
}

async function connect(url: string, username?: string, password?: string): Promise<OnvifCamera> {
  const camera = await OnvifCamera.connect({ url, username, password });
  cameras.push(camera);
  return camera;
}

test('a camera tells what it is and where its streams are', async () => {
  const simulator = await start();
  const camera = await connect(simulator.onvifUrl('gate'));
  expect(camera.info).toEqual({
    manufacturer: 'Nightjar',
    model: 'Simulator gate',
    // Not the number 1.1, which the package makes of it.
    firmware: '1.10',
    serialNumber: '0042',
    hardware: '1',
  });
  expect(camera.hasPtz).toBe(true);
  expect(camera.profiles).toEqual([
    {
      token: 'profile_main',
      name: 'main',
      codec: 'H264',
      width: 1280,
      height: 720,
      fps: 15,
      source: 'source',
      streamUrl: simulator.url('gate'),
    },
    {
      token: 'profile_sub',
      name: 'sub',
      codec: 'H264',
      width: 640,
      height: 360,
      fps: 10,
      source: 'source',
      streamUrl: simulator.url('gate/sub'),
    },
  ]);
});

test('a camera without motors says so', async () => {
  const simulator = await start();
  const camera = await connect(simulator.onvifUrl('yard'));
  expect(camera.hasPtz).toBe(false);
  await expect(camera.ptz.move({ pan: 1, tilt: 0, zoom: 0 })).rejects.toMatchObject({
    code: 'unsupported',
  });
});

test('credentials are proven before a camera counts as connected', async () => {
  const credentials = { user: 'jürgen & co', password: 'geheim<ß>' };
  const simulator = await start({ credentials });
  const url = simulator.onvifUrl('gate');
  const camera = await connect(url, credentials.user, credentials.password);
  expect(camera.profiles).toHaveLength(2);
  for (const password of ['wrong', '', undefined]) {
    await expect(connect(url, credentials.user, password)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  }
});

test('moves move, stop stops, presets are kept and found', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const head = simulator.head('gate');
  const camera = await connect(simulator.onvifUrl('gate'));
  await camera.ptz.move({ pan: 0.5, tilt: -0.25, zoom: 0 });
  clock.advance(1000);
  expect(head.position).toEqual({ pan: 0.125, tilt: -0.0625, zoom: 0 });
  const home = await camera.savePreset('Tür "A" & <B>');
  await camera.ptz.move({ pan: 0, tilt: 0, zoom: 1 });
  clock.advance(1000);
  await camera.ptz.stop();
  const stoppedAt = head.position;
  clock.advance(1000);
  expect(head.position).toEqual(stoppedAt);
  expect(stoppedAt.zoom).toBeCloseTo(0.25);
  expect(await camera.presets()).toEqual([{ token: '1', name: 'Tür "A" & <B>' }]);
  expect(home).toEqual({ token: '1', name: 'Tür "A" & <B>' });
  await camera.gotoPreset('1');
  clock.advance(10_000);
  expect(head.position).toEqual({ pan: 0.125, tilt: -0.0625, zoom: 0 });
  await expect(camera.gotoPreset('9')).rejects.toMatchObject({ code: 'not-found' });
  expect(simulator.ptzLog('gate').map(({ command }) => command)).toEqual([
    'move',
    'move',
    'stop',
    'preset',
  ]);
});

test('a camera that was left alone stops by itself', async () => {
  const clock = new FakeClock();
  const simulator = await start({ clock });
  const camera = await connect(simulator.onvifUrl('gate'));
  await camera.ptz.move({ pan: 1, tilt: 0, zoom: 0 });
  clock.advance(4000);
  expect(simulator.head('gate').moving).toBe(true);
  clock.advance(2000);
  expect(simulator.head('gate').moving).toBe(false);
});

test('a move is one request and no more', async () => {
  const simulator = await start({ credentials: { user: 'admin', password: 'secret' } });
  const camera = await connect(simulator.onvifUrl('gate'), 'admin', 'secret');
  const before = simulator.onvif.requestCount;
  for (let move = 0; move < 10; move++) await camera.ptz.move({ pan: 0.1, tilt: 0, zoom: 0 });
  expect(simulator.onvif.requestCount - before).toBe(10);
  expect(simulator.ptzLog('gate')).toHaveLength(10);
});

test('the driver stops a real device when the operator falls silent', async () => {
  const simulator = await start();
  const camera = await connect(simulator.onvifUrl('gate'));
  const clock = new FakeClock();
  const driver = new PtzDriver({ motors: camera.ptz, clock });
  await driver.move({ pan: 1, tilt: 0, zoom: 0 });
  clock.advance(500);
  await eventually('the camera stands', () => !simulator.head('gate').moving);
});

test('a slow camera sees the newest command, and the stop', async () => {
  const simulator = await start();
  const camera = await connect(simulator.onvifUrl('gate'));
  simulator.onvif.delayMs = 30;
  const driver = new PtzDriver({ motors: camera.ptz, clock: systemClock });
  const moves = Array.from({ length: 50 }, (_, step) =>
    driver.move({ pan: step / 100, tilt: 0, zoom: 0 }),
  );
  await driver.stop();
  await Promise.all(moves);
  expect(simulator.ptzLog('gate').map(({ command }) => command)).toEqual(['move', 'stop']);
});

test('a restarted camera is reached again over the same object', async () => {
  const simulator = await start();
  const camera = await connect(simulator.onvifUrl('gate'));
  const port = simulator.onvifPort;
  await simulator.close();
  await expect(camera.presets()).rejects.toMatchObject({ code: 'unavailable' });
  await start({ onvifPort: port });
  expect(await camera.presets()).toEqual([]);
});

test('a device that wants HTTP Digest is asked with it, and not challenged each time', async () => {
  const simulator = await start();
  const door = await digestDoor(simulator.onvifPort);
  const camera = await connect(`http://127.0.0.1:${door.port}/onvif/gate/device_service`, 'a', 'b');
  const challenges = door.challenges;
  await camera.ptz.move({ pan: 1, tilt: 0, zoom: 0 });
  await camera.ptz.stop();
  expect(door.challenges).toBe(challenges);
  expect(simulator.ptzLog('gate').map(({ command }) => command)).toEqual(['move', 'stop']);
  await expect(
    connect(`http://127.0.0.1:${door.port}/onvif/gate/device_service`, 'a', 'wrong'),
  ).rejects.toMatchObject({ code: 'unauthenticated' });
  door.close();
});

test('cameras are found on the network', async () => {
  const simulator = await start({ discoverable: true });
  const found = await discoverCameras({ timeoutMs: 800 });
  const own = found.filter(({ url }) => url.includes(`:${simulator.onvifPort}/`));
  // A machine without multicast finds nothing, and that is no error.
  if (found.length > 0) {
    expect(own.map(({ name }) => name)).toContain('Nightjar gate');
    expect(own.map(({ url }) => url)).toContain(simulator.onvifUrl('gate'));
  }
});

test('a search can be called off', async () => {
  const signal = AbortSignal.abort();
  await expect(discoverCameras({ signal })).rejects.toBeInstanceOf(NightjarError);
});

/** In front of the simulator: takes HTTP Digest (RFC 2617, qop auth) and passes requests on. */
async function digestDoor(
  target: number,
): Promise<{ port: number; readonly challenges: number; close(): void }> {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  let challenges = 0;
  const isRight = (request: IncomingMessage): boolean => {
    const field = (name: string): string =>
      new RegExp(`\\b${name}="?([^",]*)"?`).exec(request.headers.authorization ?? '')?.[1] ?? '';
    const secret = md5('a:door:b');
    const asked = md5(`POST:${request.url ?? ''}`);
    const parts = [secret, 'n1', field('nc'), field('cnonce'), 'auth', asked];
    return field('response') === md5(parts.join(':'));
  };
  const server = createServer((request, response) => {
    void (async () => {
      const body: Buffer[] = [];
      for await (const piece of request) body.push(piece as Buffer);
      if (!isRight(request)) {
        challenges += 1;
        response
          .writeHead(401, { 'WWW-Authenticate': 'Digest realm="door", nonce="n1", qop="auth"' })
          .end();
        return;
      }
      const answer = await fetch(`http://127.0.0.1:${target}${request.url ?? ''}`, {
        method: 'POST',
        body: Buffer.concat(body),
      });
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get challenges() {
      return challenges;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
