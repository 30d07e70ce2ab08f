// Who moves a camera, which command counts, and that it always stops.

import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { PtzMove } from '#contract';
import { PtzDesk, type MovableCamera, type Operator } from './ptz-desk.js';

const CAMERA = 'camera';
const speed = (pan: number): PtzMove => ({ pan, tilt: 0, zoom: 0 });

/** A camera that writes down what it is told, and can be slow or broken. */
class RecordedCamera implements MovableCamera {
  readonly words: (number | string)[] = [];
  failures = 0;
  closed = 0;
  readonly ptz = {
    move: ({ pan }: PtzMove) => this.#hear(pan),
    stop: () => this.#hear('stop'),
  };
  #gate: Promise<void> = Promise.resolve();
  #open = () => {};

  hold(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  release(): void {
    this.#open();
  }

  presets() {
    return Promise.resolve([{ token: '1', name: 'Gate' }]);
  }

  savePreset(name: string) {
    return Promise.resolve({ token: '2', name });
  }

  gotoPreset(token: string): Promise<void> {
    return this.#hear(`preset ${token}`);
  }

  close(): void {
    this.closed += 1;
  }

  async #hear(word: number | string): Promise<void> {
    this.words.push(word);
    await this.#gate;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the camera does not answer');
    }
  }
}

function setUp(hasOnvif = true) {
  const clock = new FakeClock();
  const camera = new RecordedCamera();
  const stopped: string[] = [];
  const taken: string[] = [];
  let connects = 0;
  const desk = new PtzDesk({
    clock,
    log: silentLog(),
    findAccess: () => Promise.resolve(hasOnvif ? { url: 'http://camera.example/' } : undefined),
    connect: () => ((connects += 1), Promise.resolve(camera)),
    onTaken: (_, operator) => taken.push(operator.name),
  });
  const operator = (name: string): Operator => ({
    key: name,
    name,
    address: '192.0.2.1',
    onStopped: (_, why) => stopped.push(`${name}: ${why}`),
  });
  return {
    ...{ clock, camera, desk, stopped, taken },
    connects: () => connects,
    ann: operator('ann'),
    bob: operator('bob'),
  };
}

test('a camera whose operator falls silent is stopped after half a second', async () => {
  const { clock, camera, desk, ann, stopped } = setUp();
  await desk.move(CAMERA, speed(0.5), ann);
  clock.advance(400);
  await desk.move(CAMERA, speed(0.6), ann);
  clock.advance(499);
  expect(camera.words).toEqual([0.5, 0.6]);
  clock.advance(1);
  await eventually('the stop', () => stopped.length === 1);
  expect(camera.words).toEqual([0.5, 0.6, 'stop']);
  expect(stopped).toEqual(['ann: silence']);
});

test('a command that fails costs the connection, and what moved is stopped', async () => {
  const { camera, desk, ann, connects } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  camera.failures = 1;
  await expect(desk.move(CAMERA, speed(0.5), ann)).rejects.toThrow('does not answer');
  await eventually('the old connection to be closed', () => camera.closed === 1);
  expect(camera.words).toEqual([1, 0.5, 'stop']);
  await desk.move(CAMERA, speed(0.2), ann);
  expect(connects()).toBe(2);
});

test('while the camera answers slowly only the latest command is kept', async () => {
  const { camera, desk, ann } = setUp();
  camera.hold();
  const first = desk.move(CAMERA, speed(1), ann);
  await eventually('the first to be on its way', () => camera.words.length === 1);
  const moves = [0.9, 0.8, 0.7].map((pan) => desk.move(CAMERA, speed(pan), ann));
  const stop = desk.stop(CAMERA, ann);
  camera.release();
  expect(await Promise.all([first, ...moves, stop])).toEqual([
    ...['done', 'replaced', 'replaced', 'replaced', 'done'],
  ]);
  expect(camera.words).toEqual([1, 'stop']);
});

test('one operator at a time: others hear who it is, until three seconds of silence', async () => {
  const { clock, desk, ann, bob, taken } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  await desk.stop(CAMERA, ann);
  await expect(desk.move(CAMERA, speed(1), bob)).rejects.toMatchObject({
    code: 'conflict',
    context: { holder: 'ann' },
  });
  clock.advance(2999);
  await expect(desk.goToPreset(CAMERA, '1', bob)).rejects.toMatchObject({ code: 'conflict' });
  clock.advance(1);
  await desk.move(CAMERA, speed(1), bob);
  await desk.move(CAMERA, speed(0.5), bob);
  expect(taken).toEqual(['ann', 'bob']);
});

test('an operator who leaves stops the camera and frees it at once', async () => {
  const { camera, desk, ann, bob, stopped } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  desk.leave(bob);
  desk.leave(ann);
  await eventually('the stop', () => stopped.length === 1);
  expect([camera.words, stopped]).toEqual([[1, 'stop'], ['ann: closed']]);
  await desk.goToPreset(CAMERA, '1', bob);
  expect(camera.words.at(-1)).toBe('preset 1');
});

test('one person on two ways is one holder, and the way used last counts', async () => {
  const { camera, desk, ann, stopped, taken } = setUp();
  const stick: Operator = { ...ann, key: 'stick' };
  await desk.savePreset(CAMERA, 'Gate', ann);
  await desk.move(CAMERA, speed(1), stick);
  desk.leave(ann);
  expect(camera.words).toEqual([1]);
  desk.leave(stick);
  await eventually('the stop', () => stopped.length === 1);
  expect(taken).toEqual(['ann']);
});

test('one connection serves all commands, and a changed camera gets a new one', async () => {
  const { desk, ann, connects } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  await desk.presets(CAMERA);
  await desk.savePreset(CAMERA, 'Gate', ann);
  expect(connects()).toBe(1);
  desk.forget(CAMERA);
  await desk.stop(CAMERA, ann);
  expect(connects()).toBe(2);
});

test('closing the desk stops what moves', async () => {
  const { camera, desk, ann } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  await desk.close();
  expect(camera.words).toEqual([1, 'stop']);
});

test('a camera without ONVIF says so', async () => {
  const { desk, ann } = setUp(false);
  await expect(desk.move(CAMERA, speed(1), ann)).rejects.toMatchObject({
    code: 'failed-precondition',
  });
});

test('cameras that are gone, or never were, leave nothing behind', async () => {
  const { clock, desk, ann } = setUp();
  await desk.move(CAMERA, speed(1), ann);
  await desk.stop(CAMERA, ann);
  clock.advance(3000);
  expect(desk.size).toBe(1);
  desk.forget(CAMERA);
  await eventually('its head to be forgotten', () => desk.size === 0);
  const none = setUp(false);
  for (let camera = 0; camera < 5; camera++) {
    await expect(none.desk.presets(`none ${camera}`)).rejects.toThrow('no ONVIF service');
    await expect(none.desk.move(`none ${camera}`, speed(1), none.ann)).rejects.toThrow();
  }
  none.clock.advance(3000);
  await eventually('nothing', () => none.desk.size === 0);
});
