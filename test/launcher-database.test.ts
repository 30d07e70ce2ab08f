// The launcher's PostgreSQL: one that cannot be started again at once is not given up.

import { eventually } from '#base/testing';

interface DatabaseWatch {
  readonly url: string | undefined;
  open(): Promise<void>;
  letGo(): void;
  stop(): Promise<void>;
}

const launcher = '../apps/launcher/database-watch.mjs';
const { DatabaseWatch } = (await import(launcher)) as {
  DatabaseWatch: new (options: object) => DatabaseWatch;
};

function rig() {
  const lines: string[] = [];
  const exits: (() => void)[] = [];
  let starts = 0;
  let stops = 0;
  let fails = 0;
  const watch = new DatabaseWatch({
    start: () => {
      starts += 1;
      if (fails > 0) {
        fails -= 1;
        return Promise.reject(new Error('no space left on device'));
      }
      return Promise.resolve({
        url: `postgresql://${starts}`,
        onExit: (run: () => void) => void exits.push(run),
        stop: () => ((stops += 1), Promise.resolve()),
      });
    },
    log: (line: string) => lines.push(line),
  });
  return {
    watch,
    lines,
    exits,
    starts: () => starts,
    stops: () => stops,
    fail: (n: number) => (fails = n),
  };
}

test('a database that ends is started until it is there again', async () => {
  const { watch, lines, exits, starts, stops, fail } = rig();
  await watch.open();
  fail(2);
  exits[0]?.();
  await eventually('it is there again', () => exits.length === 2, 60_000);
  expect(starts()).toBe(4);
  expect(watch.url).toBe('postgresql://4');
  expect(lines[0]).toMatch(/^PostgreSQL ended; starting it again/);
  expect(lines[1]).toMatch(/^no space left on device; starting it again/);
  watch.letGo();
  exits[1]?.();
  await watch.stop();
  expect(stops()).toBe(1);
  expect(lines).toHaveLength(3);
}, 90_000);

test('the first start fails for whoever asked for it', async () => {
  const { watch, fail } = rig();
  fail(1);
  await expect(watch.open()).rejects.toThrow('no space left');
  await watch.stop();
});
