import {
  fileStem,
  formatAgo,
  formatBitrate,
  formatBytes,
  formatMoment,
  formatPeriod,
  formatSpan,
} from './format.js';

test('spans keep their two greatest units', () => {
  expect(formatSpan(0)).toBe('0 s');
  expect(formatSpan(12_400)).toBe('12 s');
  expect(formatSpan(200_000)).toBe('3 min 20 s');
  expect(formatSpan(3_600_000)).toBe('1 h');
  expect(formatSpan(93_784_000)).toBe('1 d 2 h');
});

test('ages keep one unit', () => {
  expect(formatAgo(1000, 2000)).toBe('now');
  expect(formatAgo(0, 200_000)).toBe('3 min ago');
});

test('sizes and rates', () => {
  expect(formatBytes(999)).toBe('999 B');
  expect(formatBytes(1500)).toBe('1.5 kB');
  expect(formatBytes(999_999)).toBe('1.0 MB');
  expect(formatBytes(250e9)).toBe('250 GB');
  expect(formatBitrate(4_120_000)).toBe('4.1 Mbit/s');
  expect(formatBitrate(380_000)).toBe('380 kbit/s');
});

test('file names carry no character that a file system refuses', () => {
  expect(fileStem('Gate / "north"', Date.now())).toMatch(
    /^Gate _ _north_ \d{4}-\d\d-\d\d \d\d-\d\d-\d\d$/,
  );
});

test('a period within a day names the day once', () => {
  const from = new Date(2026, 10, 21, 9, 30).getTime();
  expect(formatPeriod(from, from + 60_000)).toBe(`${formatMoment(from)} to 09:31:00`);
  expect(formatPeriod(from, from + 86_400_000)).toContain(formatMoment(from + 86_400_000));
});
