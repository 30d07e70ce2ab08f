import { gapReasonSchema } from '#contract';
import { GAP_STYLE } from './gap-style.js';
import {
  describeInstant,
  isRecorded,
  motionColumns,
  neighbourMotion,
  nextRecordedMs,
  toSpans,
} from './spans.js';

const at = (second: number) => new Date(second * 1000).toISOString();
const spans = toSpans({
  id: '8c5ac9d4-5a2e-4c3e-9c43-0c4e1d6d3a11',
  recordings: [
    { from: at(200), to: at(300), track: 'main' },
    { from: at(0), to: at(100), track: 'main' },
    { from: at(0), to: at(400), track: 'sub' },
  ],
  motion: [
    { from: at(10), to: at(20), peak: 0.4 },
    { from: at(15), to: at(30), peak: 0.8 },
    { from: at(250), to: at(260), peak: 0.2 },
  ],
  gaps: [{ from: at(100), to: at(200), reason: 'no-motion' }],
});

test('an instant is described by motion, recording and gap', () => {
  expect(describeInstant(spans, 16_000, 1e9)).toEqual(['Motion, peak 80 %', 'Recorded']);
  expect(describeInstant(spans, 150_000, 1e9)).toEqual([
    'Recorded at low resolution only',
    'Nothing moved, so nothing was kept.',
  ]);
  expect(describeInstant(spans, 500_000, 1e9)).toEqual(['No recording']);
  expect(describeInstant(spans, 500_000, 400_000)).toEqual(['The future']);
});

test('footage is found at and after an instant', () => {
  const main = { ...spans, recordings: spans.recordings.filter((row) => row.track === 'main') };
  expect(isRecorded(main, 150_000)).toBe(false);
  expect(nextRecordedMs(main, 150_000)).toBe(200_000);
  expect(nextRecordedMs(main, 50_000)).toBe(50_000);
  expect(nextRecordedMs(main, 300_000)).toBeUndefined();
});

test('the neighbouring motion is strictly before or after', () => {
  expect(neighbourMotion(spans, 15_000, 'next')?.fromMs).toBe(250_000);
  expect(neighbourMotion(spans, 250_000, 'previous')?.fromMs).toBe(15_000);
  expect(neighbourMotion(spans, 250_000, 'next')).toBeUndefined();
});

test('columns keep the greatest peak, and short motion is still seen', () => {
  const columns = motionColumns(spans, (ms) => ms / 10_000, 40);
  expect([...columns.slice(0, 4)].map((peak) => Math.round(peak * 10))).toEqual([0, 8, 8, 0]);
  expect(Math.round((columns[25] ?? 0) * 10)).toBe(2);
  const far = motionColumns(spans, (ms) => ms / 1e6, 2);
  expect(Math.round((far[0] ?? 0) * 10)).toBe(8);
});

test('every reason of the contract has its own words, and faults their own colour', () => {
  const styles = gapReasonSchema.options.map((reason) => GAP_STYLE[reason]);
  expect(new Set(styles.map((style) => style.text)).size).toBe(styles.length);
  expect(new Set(styles.map((style) => style.color)).size).toBe(styles.length);
});
