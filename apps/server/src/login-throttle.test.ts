// The throttle's delays grow, fade, and cost bounded memory.

import { FakeClock } from '#base/testing';
import { LoginThrottle } from './login-throttle.js';

function failedTimes(throttle: LoginThrottle, count: number, user = 'eve', address = '192.0.2.1') {
  for (let done = 0; done < count; done++) throttle.enter(user, address)('failed');
}

function waitSeconds(throttle: LoginThrottle, user = 'eve', address = '192.0.2.1'): number {
  try {
    throttle.enter(user, address)('aborted');
    return 0;
  } catch (error) {
    return (error as { context: { retryAfterSeconds: number } }).context.retryAfterSeconds;
  }
}

test('delays double up to a cap and end with a success', () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  failedTimes(throttle, 5);
  const waits: number[] = [];
  for (let count = 0; count < 9; count++) {
    const seconds = waitSeconds(throttle);
    waits.push(seconds);
    clock.advance(seconds * 1000);
    failedTimes(throttle, 1);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  clock.advance(60_000);
  throttle.enter('eve', '192.0.2.1')('ok');
  failedTimes(throttle, 4);
  expect(waitSeconds(throttle)).toBe(0);
});

test('many names from one address are slowed down, other addresses are not', () => {
  const throttle = new LoginThrottle(new FakeClock());
  for (let count = 0; count < 20; count++) failedTimes(throttle, 1, `user ${count}`);
  expect(waitSeconds(throttle, 'someone else')).toBeGreaterThan(0);
  expect(waitSeconds(throttle, 'someone else', '192.0.2.2')).toBe(0);
});

test('parallel guesses are counted while they run', () => {
  const throttle = new LoginThrottle(new FakeClock());
  const ends = Array.from({ length: 8 }, () => throttle.enter('eve', '192.0.2.1'));
  expect(waitSeconds(throttle)).toBeGreaterThan(0);
  for (const end of ends) end('aborted');
  expect(waitSeconds(throttle)).toBe(0);
});

test('memory stays bounded', () => {
  const throttle = new LoginThrottle(new FakeClock());
  for (let count = 0; count < 25_000; count++) failedTimes(throttle, 1, `u${count}`, `a${count}`);
  expect(throttle.size).toBeLessThanOrEqual(20_000);
});
