import { ticksOf } from './ticks.js';
import { MAX_SPAN_MS, MIN_SPAN_MS, toX } from './view.js';

const start = new Date(2026, 10, 21, 9, 58, 30).getTime();

test('at every zoom there are labels, and they do not collide', () => {
  for (let span = MIN_SPAN_MS; span <= MAX_SPAN_MS; span *= 1.3) {
    const view = { fromMs: start - span, toMs: start };
    for (const width of [340, 1200, 2400]) {
      const ticks = ticksOf(view, width);
      const labels = ticks.filter((tick) => tick.label !== undefined);
      expect(labels.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThan(width);
      const xs = labels.map((tick) => toX(view, width, tick.atMs));
      for (let i = 1; i < xs.length; i += 1) {
        // Months differ by a tenth.
        expect((xs[i] ?? 0) - (xs[i - 1] ?? 0)).toBeGreaterThan(84 * 0.88);
      }
    }
  }
});

test('hours start at local midnight, which is strong and carries the date', () => {
  const midnight = new Date(2026, 10, 21).getTime();
  const ticks = ticksOf({ fromMs: midnight - 7_200_000, toMs: midnight + 7_200_000 }, 500);
  const strong = ticks.filter((tick) => tick.strong);
  expect(strong.map((tick) => tick.atMs)).toEqual([midnight]);
  expect(strong[0]?.label).toMatch(/21 Nov/);
});

test('the same days keep their ticks while the view moves', () => {
  const view = { fromMs: start - 20 * 86_400_000, toMs: start };
  const later = { fromMs: view.fromMs + 86_400_000, toMs: view.toMs + 86_400_000 };
  const labelled = (v: typeof view) =>
    ticksOf(v, 600)
      .filter((tick) => tick.label !== undefined)
      .map((tick) => tick.atMs);
  const shared = labelled(view).filter((atMs) => atMs >= later.fromMs);
  expect(labelled(later).slice(0, shared.length)).toEqual(shared);
});
