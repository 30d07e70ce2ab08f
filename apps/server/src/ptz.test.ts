// Moving a simulated ONVIF camera through the server: requests, the joystick's WebSocket, the lock,
// silence, and asking a device what it offers.

import { once, type EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from '#base/testing';
import type { AuditEntry, Camera, OnvifDevice, Problem, PtzPreset, PtzReply } from '#contract';
import { startSimulator, type Simulator } from '../../simulator/src/index.js';
import { TestServer } from './test-server.test-support.js';

const CREDENTIALS = { username: 'guard', password: 'hush hush' };
let server: TestServer;
let simulator: Simulator;
let camera: string;

beforeAll(async () => {
  server = await TestServer.start();
  simulator = await startSimulator({
    credentials: { user: CREDENTIALS.username, password: CREDENTIALS.password },
  });
  const added = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: simulator.url('gate') },
    onvif: { url: simulator.onvifUrl('gate'), ...CREDENTIALS },
  });
  camera = added.body.id;
}, 60_000);

afterAll(async () => {
  await simulator.close();
  await server.stop();
});

const commands = () => simulator.ptzLog('gate').map(({ command }) => command);

class Stick {
  readonly replies: PtzReply[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.replies.push(JSON.parse(String(data)) as PtzReply));
  }

  /** Hears that the server closes, and stays. */
  ignoreClose(): Promise<unknown> {
    const { _receiver: receiver } = this.#socket as unknown as { _receiver: EventEmitter };
    receiver.removeAllListeners('conclude');
    return once(receiver, 'conclude');
  }

  static async open(token: string): Promise<Stick> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ptz`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    return new Stick(socket);
  }

  send(command: object): void {
    this.#socket.send(JSON.stringify(command));
  }

  /** Waits for a reply of a kind. */
  reply(type: PtzReply['type']): Promise<PtzReply> {
    return eventually(`a reply ${type}`, () => this.replies.find((reply) => reply.type === type));
  }

  close(): void {
    this.#socket.terminate();
  }
}

test('requests move, stop, save and find presets', async () => {
  const path = `/api/cameras/${camera}/ptz`;
  expect((await server.admin('POST', `${path}/move`, { pan: 0.5 })).status).toBe(200);
  expect((await server.admin('POST', `${path}/stop`)).status).toBe(200);
  const saved = await server.admin<PtzPreset>('POST', `${path}/presets`, { name: 'Left & right' });
  expect(saved.status).toBe(201);
  const list = await server.admin<{ items: PtzPreset[] }>('GET', `${path}/presets`);
  expect(list.body.items).toContainEqual(saved.body);
  const gone = await server.admin('POST', `${path}/presets/${saved.body.token}/goto`, {});
  expect(gone.status).toBe(200);
  expect(commands()).toEqual(['move', 'stop', 'preset']);
  expect(simulator.ptzLog('gate')[0]?.vector.pan).toBeCloseTo(0.5);
});

test('a stick that falls silent is told that its camera stopped; nobody else moves it meanwhile', async () => {
  const operator = await Stick.open(await server.tokenOf('operator'));
  await eventually('the camera to be free', async () => {
    operator.send({ type: 'move', camera, pan: -1, sequence: 7 });
    return operator.replies.some(({ type }) => type === 'done');
  });
  expect(await operator.reply('done')).toMatchObject({ camera, sequence: 7 });
  const admin = await Stick.open(await server.tokenOf('admin'));
  admin.send({ type: 'move', camera, pan: 1 });
  expect(await admin.reply('locked')).toEqual({ type: 'locked', camera, holder: 'operator' });
  const refused = await server.admin<Problem>('POST', `/api/cameras/${camera}/ptz/stop`);
  expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
  expect(await operator.reply('stopped')).toEqual({ type: 'stopped', camera, why: 'silence' });
  expect(commands().at(-1)).toBe('stop');

  operator.send({ type: 'move', camera, pan: -1 });
  await eventually('the move', () => commands().at(-1) === 'move');
  operator.close();
  await eventually('the stop', () => commands().at(-1) === 'stop');
  admin.replies.length = 0;
  admin.send({ type: 'stop', camera });
  expect(await admin.reply('stopped')).toEqual({ type: 'stopped', camera, why: 'operator' });
  admin.send({ type: 'fly', camera });
  expect(await admin.reply('error')).toMatchObject({ code: 'invalid-argument' });
  admin.close();
});

test('who took the camera is in the trail, once per lock', async () => {
  const { body } = await server.admin<{ items: AuditEntry[] }>('GET', '/api/audit');
  const moves = body.items.filter(({ action }) => action === 'ptz.move');
  expect(moves.map(({ actor, subject }) => [actor, subject])).toEqual([
    ['admin', camera],
    ['operator', camera],
    ['admin', camera],
  ]);
});

test('who was signed out moves nothing, even on a socket that does not let go', async () => {
  await server.tokenOf('operator');
  const { token } = await server.logIn('operator');
  const stick = await Stick.open(token);
  await eventually('the camera to be free', () => {
    stick.send({ type: 'move', camera, pan: 1 });
    return stick.replies.some(({ type }) => type === 'done');
  });
  stick.send({ type: 'stop', camera });
  await stick.reply('stopped');
  const closed = stick.ignoreClose();
  await server.call('POST', '/api/auth/logout', { token });
  await closed;
  const before = commands().length;
  for (let count = 0; count < 5; count++) stick.send({ type: 'move', camera, pan: 1 });
  await eventually('the camera to be free', async () => {
    const { status } = await server.admin('POST', `/api/cameras/${camera}/ptz/stop`);
    return status === 200;
  });
  expect(commands().slice(before)).toEqual(['stop']);
  stick.close();
});

test('a device is asked with the credentials that were given, and refuses others', async () => {
  const url = simulator.onvifUrl('gate');
  const device = await server.admin<OnvifDevice>('POST', '/api/discovery/device', {
    url,
    ...CREDENTIALS,
  });
  expect(device.status).toBe(200);
  expect(device.body.ptz).toBe(true);
  expect(device.body.profiles[0]?.streamUrl).toBe(simulator.url('gate'));
  const refused = await server.admin<Problem>('POST', '/api/discovery/device', {
    ...CREDENTIALS,
    url,
    password: 'wrong',
  });
  // Not 401: that would tell the console that its own session ended.
  expect([refused.status, refused.body.code]).toEqual([409, 'failed-precondition']);
});
