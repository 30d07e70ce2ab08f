import {
  clampView,
  fetchPeriod,
  followView,
  MAX_SPAN_MS,
  MIN_SPAN_MS,
  panView,
  spanOf,
  toMs,
  toX,
  zoomView,
} from './view.js';

const now = 1_700_000_000_000;
const hour = { fromMs: now - 3_600_000, toMs: now };

test('zooming keeps the instant under the pointer where it is', () => {
  const anchorMs = now - 2_000_000;
  const before = toX(hour, 1000, anchorMs);
  for (const factor of [0.5, 0.9, 1.1]) {
    const zoomed = zoomView(hour, { factor, anchorMs }, now);
    expect(toX(zoomed, 1000, anchorMs)).toBeCloseTo(before, 6);
    expect(spanOf(zoomed)).toBeCloseTo(3_600_000 * factor, 3);
  }
});

test('zooming stops at ten seconds and at four hundred days', () => {
  expect(spanOf(zoomView(hour, { factor: 1e-9, anchorMs: now }, now))).toBe(MIN_SPAN_MS);
  expect(spanOf(zoomView(hour, { factor: 1e9, anchorMs: now }, now))).toBe(MAX_SPAN_MS);
});

test('the view does not run away into the future or before 1970', () => {
  const future = panView(hour, 1e12, now);
  expect(toX(future, 100, now)).toBeCloseTo(75, 6);
  expect(spanOf(future)).toBe(3_600_000);
  expect(clampView({ fromMs: -5e6, toMs: -4e6 }, now).fromMs).toBe(0);
});

test('pixels and instants go both ways', () => {
  for (const x of [0, 17.5, 999]) expect(toX(hour, 1000, toMs(hour, 1000, x))).toBeCloseTo(x, 6);
});

test('following leaves a view alone while the instant is inside', () => {
  expect(followView(hour, now - 1_800_000)).toBe(hour);
  const paged = followView(hour, now - 60_000);
  expect(toX(paged, 100, now - 60_000)).toBeCloseTo(15, 6);
  const jumped = followView(hour, now - 86_400_000);
  expect(toX(jumped, 100, now - 86_400_000)).toBeCloseTo(50, 6);
});

test('small moves ask the server for the same period, which covers the view', () => {
  const period = fetchPeriod(hour);
  expect(period.fromMs).toBeLessThanOrEqual(hour.fromMs - 1_800_000);
  expect(period.toMs).toBeGreaterThanOrEqual(hour.toMs + 1_800_000);
  const answers = new Set<number>();
  for (let i = 0; i < 60; i += 1) answers.add(fetchPeriod(panView(hour, -i * 1000, now)).fromMs);
  expect(answers.size).toBeLessThanOrEqual(2);
});
