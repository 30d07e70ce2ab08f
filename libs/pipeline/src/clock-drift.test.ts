import { CameraClock } from './camera-clock.js';
import { ClockDrift } from './clock-drift.js';

const START_US = 1_700_000_000_000_000;

test.each([40, -25, 0])('a clock that is %i ppm off is told, through uneven arrivals', (ppm) => {
  const clock = new CameraClock(0);
  let seed = 7;
  const noise = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  for (let frame = 0; frame < 25 * 300; frame++) {
    const sentUs = frame * 40_000;
    const pts90k = Math.round((sentUs * (1 + ppm / 1e6) * 90) / 1000);
    clock.observe(pts90k, Math.round(START_US + sentUs + noise() * 30_000));
    if (frame === 20) clock.settle(0);
    if (frame === 25 * 40) expect(clock.driftPpm).toBeUndefined();
  }
  expect(Math.abs((clock.driftPpm ?? 999) - ppm)).toBeLessThan(5);
});

test('a wall clock that is set is no drift: the line begins anew behind it', () => {
  const drift = new ClockDrift();
  for (let index = 0; index < 40; index++) {
    drift.add(START_US + index * 5e6, 100 + (index < 20 ? 0 : 3e6));
  }
  expect(drift.ppm).toBe(-0);
  drift.add(START_US, 0);
  expect(drift.ppm).toBeUndefined();
});
