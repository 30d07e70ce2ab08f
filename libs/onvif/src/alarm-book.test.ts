// Alarms by the clock: what is told, what is asked for, and what is ended.

import { AlarmBook } from './alarm-book.js';
import { STANDARD_BEHAVIOUR, type Behaviour } from './quirks.js';

const REPEATS: Behaviour = { ...STANDARD_BEHAVIOUR, alarmEnd: 'repeat', unconfirmedEndMs: 20_000 };
const MINUTE = 60_000;

function told(active: boolean, key = 'a', momentary = false) {
  return { key, topic: 'x', active, momentary };
}

test('an alarm is on until it is told to be off, and two are on until both are off', () => {
  const book = new AlarmBook();
  book.take(told(true, 'a'), 0);
  book.take(told(true, 'b'), 0);
  book.take(told(false, 'a'), 10);
  expect(book.active).toBe(true);
  book.take(told(false, 'b'), 20);
  expect(book.active).toBe(false);
  book.take(told(false, 'b'), 30);
  expect(book.endless).toBe(0);
});

test('after a minute without a word the camera is asked once; without an answer the alarm ends', () => {
  const book = new AlarmBook();
  book.take(told(true), 0);
  expect(book.turn(MINUTE - 1, STANDARD_BEHAVIOUR)).toBe('nothing');
  expect(book.turn(MINUTE, STANDARD_BEHAVIOUR)).toBe('ask');
  expect(book.turn(MINUTE + 9999, STANDARD_BEHAVIOUR)).toBe('nothing');
  expect(book.active).toBe(true);
  book.turn(MINUTE + 10_000, STANDARD_BEHAVIOUR);
  expect([book.active, book.endless]).toEqual([false, 1]);
  // It is believed again when it comes anew.
  book.take(told(true), 2 * MINUTE);
  expect(book.active).toBe(true);
});

test('a refusal to be asked ends it at the next turn', () => {
  const book = new AlarmBook();
  book.take(told(true), 0);
  expect(book.turn(MINUTE, STANDARD_BEHAVIOUR)).toBe('ask');
  book.noAnswer();
  book.turn(MINUTE + 1000, STANDARD_BEHAVIOUR);
  expect([book.active, book.endless]).toEqual([false, 1]);
});

test('a camera that repeats its alarm by itself is believed for as long as it does', () => {
  const book = new AlarmBook();
  for (let second = 0; second < 3600; second += 10) {
    book.take(told(true), second * 1000);
    expect(book.turn(second * 1000, STANDARD_BEHAVIOUR)).toBe('nothing');
  }
  expect([book.active, book.endless]).toEqual([true, 0]);
});

test('a camera that says on only when it is asked is not believed after a quarter of an hour', () => {
  const book = new AlarmBook();
  book.take(told(true), 0);
  let ms = 0;
  while (book.active && ms < 3_600_000) {
    ms += 1000;
    if (book.turn(ms, STANDARD_BEHAVIOUR) === 'ask') book.take(told(true), ms + 500);
  }
  expect(ms).toBe(15 * MINUTE);
  expect(book.endless).toBe(1);
  book.take(told(true), ms + 1000);
  expect(book.active).toBe(false);
  book.take(told(false), ms + 2000);
  book.take(told(true), ms + 3000);
  expect(book.active).toBe(true);
});

test('a camera that is known to tell no end is not asked, and not blamed', () => {
  const book = new AlarmBook();
  book.take(told(true), 0);
  expect(book.turn(19_999, REPEATS)).toBe('nothing');
  expect(book.active).toBe(true);
  expect(book.turn(20_000, REPEATS)).toBe('nothing');
  expect([book.active, book.endless]).toEqual([false, 0]);
});

test('a moment ends by itself', () => {
  const book = new AlarmBook();
  book.take(told(true, 'line', true), 0);
  book.turn(2000, STANDARD_BEHAVIOUR);
  expect(book.active).toBe(true);
  book.turn(3000, STANDARD_BEHAVIOUR);
  expect([book.active, book.endless]).toEqual([false, 0]);
});

test('alarms without end in number are bounded', () => {
  const book = new AlarmBook();
  for (let at = 0; at < 1000; at++) book.take(told(true, `rule ${at}`), 0);
  for (let at = 0; at < 64; at++) book.take(told(false, `rule ${at}`), 1);
  expect(book.active).toBe(false);
});
