import { RecentTraffic } from './recent-traffic.js';

const traffic = (seconds: number, lostPackets: number) => ({
  packets: seconds * 100,
  lostPackets,
  frames: seconds * 25,
  droppedFrames: Math.floor(lostPackets / 2),
});

test('tells of the last minute, and forgets what was before', () => {
  const recent = new RecentTraffic();
  expect(recent.report(0, traffic(0, 0))).toBeUndefined();
  for (let second = 0; second <= 200; second++) {
    // All losses are in the first hundred seconds.
    recent.note(second * 1000, traffic(second, Math.min(second, 100)));
    if (second !== 30) continue;
    expect(recent.report(30_000, traffic(30, 30))).toEqual({
      seconds: 30,
      packets: 3000,
      lostPackets: 30,
      frames: 750,
      droppedFrames: 15,
    });
  }
  const report = recent.report(201_000, traffic(201, 100));
  expect(report).toMatchObject({ lostPackets: 0, droppedFrames: 0 });
  expect(report?.seconds).toBeGreaterThanOrEqual(60);
  expect(report?.seconds).toBeLessThanOrEqual(65);
  expect(report?.packets).toBe((report?.seconds ?? 0) * 100);
});

test('a new run begins anew', () => {
  const recent = new RecentTraffic();
  recent.note(0, traffic(0, 0));
  recent.restart();
  recent.note(1000, traffic(40, 30));
  expect(recent.report(3000, traffic(42, 31))).toMatchObject({ seconds: 2, lostPackets: 1 });
});
