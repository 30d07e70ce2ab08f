// Ids are UUIDs of version 7 and never go back.

import { isUuid } from '#base';
import { FakeClock } from '#base/testing';
import { Ids } from './ids.js';

test('later ids sort later, many in one millisecond and after the clock went back', () => {
  const clock = new FakeClock();
  const ids = new Ids(clock);
  const made = Array.from({ length: 10_000 }, () => ids.next());
  clock.advance(5);
  made.push(ids.next());
  clock.advance(-60_000);
  made.push(ids.next());
  expect(made.every((id) => isUuid(id) && /^.{14}7.{4}[89ab]/.test(id))).toBe(true);
  expect([...made].sort()).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
});
