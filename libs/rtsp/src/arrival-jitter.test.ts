import { ArrivalJitter } from './arrival-jitter.js';

test('an even stream has none, whatever the delay', () => {
  const jitter = new ArrivalJitter();
  for (let index = 0; index < 100; index++) jitter.frame(index * 3600, 700 + index * 40);
  expect(jitter.ms).toBe(0);
});

test('follows the formula of RFC 3550, A.8', () => {
  const jitter = new ArrivalJitter();
  const late = [0, 16, 4, 4, 40];
  let expected = 0;
  late.forEach((delayMs, index) => {
    jitter.frame(index * 3600, index * 40 + delayMs);
    if (index === 0) return;
    const difference = Math.abs(delayMs - (late[index - 1] ?? 0));
    expected += (difference - expected) / 16;
  });
  expect(jitter.ms).toBeCloseTo(expected, 9);
});

test('B-frames, which are shown earlier than sent, are no jitter', () => {
  const jitter = new ArrivalJitter();
  const shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11];
  // The first P comes a frame after the key frame, each further one three frames later.
  shown.forEach((time, index) => jitter.frame(time * 3600, index * 40));
  const once = 80 / 16;
  expect(jitter.ms).toBeLessThan(once);
});

test('datagrams count one by one, over the wrap of the timestamp, and frames no more', () => {
  const jitter = new ArrivalJitter();
  const first = 0xffff_ffff - 3600;
  for (let index = 0; index < 400; index++) {
    // Two packets a frame, the second 2 ms behind: |D| is 2 ms within and across frames.
    jitter.packet((first + index * 3600) >>> 0, 90_000, index * 40);
    jitter.packet((first + index * 3600) >>> 0, 90_000, index * 40 + 2);
    jitter.frame(index, index * 977);
  }
  expect(jitter.ms).toBeCloseTo(2, 6);
});

test('a clock that is set is not counted, and a new run begins at zero', () => {
  const jitter = new ArrivalJitter();
  jitter.frame(0, 0);
  jitter.frame(3600, 40);
  jitter.frame(90_000 * 1000, 80);
  jitter.frame(90_000 * 1000 + 3600, 120);
  jitter.frame(0, 160);
  jitter.frame(3600, 200);
  expect(jitter.ms).toBe(0);
  jitter.frame(7200, 400);
  expect(jitter.ms).toBe(10);
  jitter.restart();
  expect(jitter.ms).toBe(10);
  jitter.frame(0, 1000);
  expect(jitter.ms).toBe(0);
});
