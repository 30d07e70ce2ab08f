// Nobody who waits for the thread waits longer than he would notice; where nobody does, it sleeps long.

import { FakeClock } from '#base/testing';
import { IngestTurns } from './ingest-turns.js';

/** The period is asked for through the jitter that it causes. */
const periodOf = (turns: IngestTurns) => Math.round(turns.jitterFloorMs * 3);

test('turns are short while somebody watches or asks, longer at a console, long otherwise', () => {
  const clock = new FakeClock();
  const turns = new IngestTurns(clock, 200);
  expect(periodOf(turns)).toBe(200);
  turns.watched(1);
  expect(periodOf(turns)).toBe(10);
  turns.watched(-1);
  expect(periodOf(turns)).toBe(200);
  turns.asked();
  expect(periodOf(turns)).toBe(10);
  clock.advance(3000);
  expect(periodOf(turns)).toBe(100);
  clock.advance(300_000);
  expect(periodOf(turns)).toBe(200);
  turns.datagrams(1);
  turns.watched(1);
  expect(periodOf(turns)).toBe(4);
});

test('turns are short while records wait for a disk', () => {
  const clock = new FakeClock();
  let behind = true;
  const turns = new IngestTurns(clock, 200, () => behind);
  expect(periodOf(turns)).toBe(20);
  behind = false;
  expect(periodOf(turns)).toBe(200);
});

test('a period that was set shorter stays so, and none is none', () => {
  const clock = new FakeClock();
  expect(periodOf(new IngestTurns(clock, 50))).toBe(50);
  const never = new IngestTurns(clock, 0);
  never.asked();
  expect(periodOf(never)).toBe(0);
});
