import { readMoment, writeMoment } from './moment-text.js';

const now = new Date(2026, 10, 21, 14, 30, 5).getTime();

test('what is written is read back', () => {
  expect(writeMoment(now)).toBe('2026-11-21 14:30:05');
  expect(readMoment(writeMoment(now), now)).toBe(now);
});

test('short forms', () => {
  expect(readMoment('2026-11-20', now)).toBe(new Date(2026, 10, 20).getTime());
  expect(readMoment(' 2026-11-20 7:05 ', now)).toBe(new Date(2026, 10, 20, 7, 5).getTime());
  expect(readMoment('9:15', now)).toBe(new Date(2026, 10, 21, 9, 15).getTime());
  expect(readMoment('23:50', now)).toBe(new Date(2026, 10, 20, 23, 50).getTime());
  expect(readMoment('Yesterday 09:15:10', now)).toBe(new Date(2026, 10, 20, 9, 15, 10).getTime());
});

test('nonsense is refused', () => {
  for (const text of ['', 'noon', '25:00', '12:61', '2026-13-01', '2026-11-32', '14.30']) {
    expect(readMoment(text, now)).toBeUndefined();
  }
});
