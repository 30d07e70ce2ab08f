import { GroupLengths } from './group-lengths.js';

test('keeps the last group, and the extremes of one to two minutes', () => {
  const groups = new GroupLengths();
  expect([groups.lastTicks, groups.shortestTicks, groups.longestTicks]).toEqual([0, 0, 0]);
  for (const ticks of [90, 30, 60]) groups.add(ticks);
  expect([groups.lastTicks, groups.shortestTicks, groups.longestTicks]).toEqual([60, 30, 90]);
  groups.turn();
  groups.add(70);
  expect([groups.lastTicks, groups.shortestTicks, groups.longestTicks]).toEqual([70, 30, 90]);
  groups.turn();
  expect([groups.shortestTicks, groups.longestTicks]).toEqual([70, 70]);
  groups.turn();
  expect([groups.shortestTicks, groups.longestTicks]).toEqual([70, 70]);
});
