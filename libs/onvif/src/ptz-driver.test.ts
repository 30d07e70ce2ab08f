// The latest command wins, stop always gets through, silence stops the camera.

import { NightjarError } from '#base';
import { FakeClock } from '#base/testing';
import { PtzDriver, type PtzMotors, type PtzVelocity } from './index.js';

/** Motors that answer when the test says so. */
class Motors implements PtzMotors {
  readonly commands: string[] = [];
  readonly #open: { resolve(): void; reject(error: unknown): void }[] = [];

  move({ pan }: PtzVelocity): Promise<void> {
    return this.#take(`move ${pan}`);
  }

  stop(): Promise<void> {
    return this.#take('stop');
  }

  async answer(error?: unknown): Promise<void> {
    const open = this.#open.shift();
    if (error === undefined) open?.resolve();
    else open?.reject(error);
    await settled();
  }

  #take(command: string): Promise<void> {
    this.commands.push(command);
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }));
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const to = (pan: number): PtzVelocity => ({ pan, tilt: 0, zoom: 0 });

test('while a request is under way only the newest move is kept', async () => {
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock: new FakeClock() });
  const outcomes = [driver.move(to(1)), driver.move(to(2)), driver.move(to(3))];
  expect(motors.commands).toEqual(['move 1']);
  await motors.answer();
  expect(motors.commands).toEqual(['move 1', 'move 3']);
  await motors.answer();
  expect(await Promise.all(outcomes)).toEqual(['done', 'replaced', 'done']);
});

test('a stop beats the moves before it and is not beaten by those after it', async () => {
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock: new FakeClock() });
  const outcomes = [driver.move(to(1)), driver.move(to(2)), driver.stop(), driver.move(to(3))];
  await motors.answer();
  await motors.answer();
  await motors.answer();
  expect(motors.commands).toEqual(['move 1', 'stop', 'move 3']);
  expect(await Promise.all(outcomes)).toEqual(['done', 'replaced', 'done', 'done']);
});

test('a stop is tried again when the camera fails', async () => {
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock: new FakeClock() });
  const stopped = driver.stop();
  await motors.answer(new NightjarError('unavailable', 'gone'));
  await motors.answer(new NightjarError('timeout', 'late'));
  await motors.answer();
  expect(await stopped).toBe('done');
  expect(motors.commands).toEqual(['stop', 'stop', 'stop']);
});

test('a stop goes out when the move before it fails', async () => {
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock: new FakeClock() });
  const moved = driver.move(to(1)).catch((error: unknown) => (error as NightjarError).code);
  const stopped = driver.stop();
  await motors.answer(new NightjarError('timeout', 'late'));
  await motors.answer();
  expect(await moved).toBe('timeout');
  expect(await stopped).toBe('done');
});

test('silence stops the camera once, and each move puts it off', async () => {
  const clock = new FakeClock();
  const motors = new Motors();
  let silences = 0;
  const driver = new PtzDriver({ motors, clock, onSilence: () => (silences += 1) });
  for (let turn = 0; turn < 5; turn++) {
    void driver.move(to(0.5));
    await motors.answer();
    clock.advance(400);
  }
  expect(motors.commands).not.toContain('stop');
  clock.advance(100);
  await motors.answer();
  clock.advance(5000);
  expect(motors.commands.filter((command) => command === 'stop')).toHaveLength(1);
  expect(silences).toBe(1);
});

test('after a stop there is no second one from silence', async () => {
  const clock = new FakeClock();
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock });
  void driver.move(to(1));
  void driver.stop();
  await motors.answer();
  await motors.answer();
  clock.advance(5000);
  expect(motors.commands).toEqual(['move 1', 'stop']);
});

test('closing stops a camera that may be moving, and only that', async () => {
  const motors = new Motors();
  const driver = new PtzDriver({ motors, clock: new FakeClock() });
  void driver.move(to(1));
  const closed = driver.close();
  await motors.answer();
  await motors.answer();
  await closed;
  expect(motors.commands).toEqual(['move 1', 'stop']);
  await expect(driver.move(to(1))).rejects.toThrow('closed');
  const idle = new Motors();
  await new PtzDriver({ motors: idle, clock: new FakeClock() }).close();
  expect(idle.commands).toEqual([]);
});
