// How long the launcher waits before it starts again what ended.

interface RestartDelay {
  started(): void;
  next(): number;
}

const launcher = '../apps/launcher/restart-delay.mjs';
const { RestartDelay } = (await import(launcher)) as {
  RestartDelay: new (options: object) => RestartDelay;
};

/** The delays after lives of so many seconds. */
function delaysAfter(lives: readonly number[], options: object): number[] {
  let seconds = 0;
  const delay = new RestartDelay({ ...options, nowMs: () => seconds * 1000 });
  return lives.map((life) => {
    delay.started();
    seconds += life;
    return delay.next();
  });
}

test('it waits longer each time, up to ten seconds, and briefly after a long life', () => {
  const delays = delaysAfter([0, 1, 0, 0, 0, 0, 29, 31, 0], { firstMs: 250 });
  expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 250, 500]);
});

test('what was well until it ended may start again at once, but only once', () => {
  const delays = delaysAfter([0, 0, 31, 0, 0, 31], { firstMs: 500, afterLifeMs: 0 });
  expect(delays).toEqual([500, 1000, 0, 500, 1000, 0]);
});
