// The progress of long work on a terminal.

import { ProgressBar } from './progress-bar.js';

function drawn(columns = 120) {
  const at = { ms: 0 };
  const parts: string[] = [];
  const bar = new ProgressBar({
    write: (text) => parts.push(text),
    now: () => at.ms,
    columns: () => columns,
  });
  return { at, bar, parts };
}

test('it shows share, count, rate and what is left', () => {
  const { at, bar, parts } = drawn();
  at.ms = 10_000;
  bar.show({ done: 25, total: 100, unit: 'chunks', bytes: 250_000_000 });
  expect(parts).toEqual([
    '\r\u001B[K[######..................] 25 %  25 of 100 chunks  0.25 GB  25 MB/s  30 s left',
  ]);
  at.ms = 7_200_000;
  bar.show({ done: 50, total: 100, unit: 'chunks' });
  expect(parts[1]).toContain('50 %  50 of 100 chunks  2 h 0 min left');
  at.ms += 200;
  bar.show({ done: 7, unit: 'rows' });
  expect(parts[2]).toBe('\r\u001B[K7 rows');
});

test('it draws ten times a second and at the end, fits its line, and leaves nothing behind', () => {
  const { at, bar, parts } = drawn(20);
  for (let done = 1; done <= 1000; done++) {
    at.ms += 1;
    bar.show({ done, total: 1000, unit: 'chunks' });
  }
  expect(parts).toHaveLength(11);
  expect(Math.max(...parts.map((text) => text.length))).toBe('\r\u001B[K'.length + 19);
  bar.clear();
  expect(parts.at(-1)).toBe('\r\u001B[K');
  bar.clear();
  expect(parts).toHaveLength(12);
});
