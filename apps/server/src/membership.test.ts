// Who shares the cameras when recorders come, restart, are lost, flap, are drained.

import { FakeClock } from '#base/testing';
import { Membership, MOVE_AFTER_MS } from './membership.js';

let clock: FakeClock;
let membership: Membership;

beforeEach(() => {
  clock = new FakeClock();
  membership = new Membership(clock);
});

const sharing = () => membership.sharing().map(({ id }) => id);

/** Time passes as the server lives it: every second it decides, and these announce themselves. */
function live(seconds: number, ...ids: readonly string[]): void {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    for (const id of ids) membership.hear(id, 1);
    membership.settle();
  }
}

test('recorders share as soon as they announce themselves', () => {
  membership.hear('b', 1);
  expect(membership.settle()).toEqual([{ id: 'b', weight: 1, drained: false, sharing: true }]);
  membership.hear('a', 2);
  membership.settle();
  expect(membership.sharing()).toMatchObject([
    { id: 'a', weight: 2 },
    { id: 'b', weight: 1 },
  ]);
  expect(membership.settle()).toEqual([]);
});

test('a restart moves nothing; a loss does, and a return gives the share back at once', () => {
  live(3, 'a', 'b');
  live(MOVE_AFTER_MS / 1000 - 1, 'a');
  expect(sharing()).toEqual(['a', 'b']);
  live(1, 'a', 'b');
  live(MOVE_AFTER_MS / 1000 - 1, 'a');
  expect(sharing()).toEqual(['a', 'b']);
  live(1, 'a');
  expect(sharing()).toEqual(['a']);
  live(1, 'a', 'b');
  expect(sharing()).toEqual(['a', 'b']);
});

test('one that is lost again and again has to stay for a while first', () => {
  live(2, 'a', 'b');
  for (let loss = 0; loss < 3; loss++) {
    live(MOVE_AFTER_MS / 1000, 'a');
    expect(sharing()).toEqual(['a']);
    live(2, 'a', 'b');
  }
  expect(sharing()).toEqual(['a']);
  live(57, 'a', 'b');
  expect(sharing()).toEqual(['a']);
  live(5, 'a', 'b');
  expect(sharing()).toEqual(['a', 'b']);
});

test('when all fall silent, nobody loses anything: there is nobody to take over', () => {
  live(2, 'a', 'b');
  live(120);
  expect(sharing()).toEqual(['a', 'b']);
  membership.hear('a', 1);
  membership.settle();
  expect(sharing()).toEqual(['a']);
});

test('a server that stood still does not hold its own silence against the recorders', () => {
  live(2, 'a', 'b');
  clock.advance(300_000);
  membership.hear('a', 1);
  membership.settle();
  expect(sharing()).toEqual(['a', 'b']);
  live(MOVE_AFTER_MS / 1000, 'a');
  expect(sharing()).toEqual(['a']);
});

test('a server that starts takes those who shared for alive, and those who did not for lost', () => {
  membership.restore([
    { id: 'a', weight: 1, drained: false, sharing: true },
    { id: 'b', weight: 1, drained: false, sharing: true },
    { id: 'dead', weight: 1, drained: false, sharing: false },
    { id: 'idle', weight: 1, drained: true, sharing: false },
  ]);
  live(1, 'a');
  expect(sharing()).toEqual(['a', 'b']);
  live(1, 'a', 'idle');
  expect(sharing()).toEqual(['a', 'b']);
  live(MOVE_AFTER_MS / 1000, 'a', 'idle');
  expect(sharing()).toEqual(['a']);
});

test('a share that changes is told', () => {
  expect(membership.hear('a', 1)).toBe(true);
  expect(membership.hear('a', 1)).toBe(false);
  expect(membership.hear('a', 2)).toBe(true);
});

test('drained, weighed nothing or forgotten: the cameras go at once', () => {
  live(2, 'a', 'b', 'c');
  expect(membership.drain('a', true)).toBe(true);
  membership.hear('b', 0);
  membership.settle();
  expect(sharing()).toEqual(['c']);
  membership.drain('a', false);
  membership.settle();
  expect(sharing()).toEqual(['a', 'c']);
  membership.forget('c');
  expect(sharing()).toEqual(['a']);
  expect(membership.drain('nobody', true)).toBe(false);
});
