// Reading that does not keep up leaves time for everything else, and forgets no socket.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReadTurns } from './read-turns.js';

/** Longer than reading may last where turns do not sleep. */
function workFor(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('behind the time that reading may last sockets rest, and are woken in portions, each once', async () => {
  const turns = new ReadTurns(() => 0);
  const woken: number[] = [];
  const read = (socket: number) => turns.received(100_000, () => woken.push(socket));
  expect(read(-1)).toBe(true);
  workFor(25);
  for (let socket = 0; socket < 100; socket++) expect(read(socket)).toBe(false);
  const portions: number[] = [];
  for (let seen = 0; seen < 100; seen = woken.length) {
    await nextTurn();
    if (woken.length > seen) portions.push(woken.length - seen);
  }
  expect(portions).toEqual([32, 32, 32, 4]);
  expect(woken).toEqual(Array.from({ length: 100 }, (_, socket) => socket));
  // Then all is as before.
  for (let round = 0; round < 3; round++) await nextTurn();
  expect(read(-1)).toBe(true);
});

test('a socket that brings several pieces at once, as TLS does, takes one place among those that rest', async () => {
  const turns = new ReadTurns(() => 0);
  const woken: number[] = [];
  const wakes = Array.from({ length: 33 }, (_, socket) => () => woken.push(socket));
  expect(turns.received(100_000)).toBe(true);
  workFor(25);
  for (const wake of wakes) {
    for (let piece = 0; piece < 4; piece++) expect(turns.received(16_384, wake)).toBe(false);
  }
  const portions: number[] = [];
  for (let round = 0, seen = 0; round < 50; round++, seen = woken.length) {
    await nextTurn();
    if (woken.length > seen) portions.push(woken.length - seen);
  }
  expect(portions).toEqual([32, 1]);
  expect(woken).toEqual(wakes.map((_, socket) => socket));
});
