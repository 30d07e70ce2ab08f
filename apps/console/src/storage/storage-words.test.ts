import type { Storage } from '#contract';
import { daysText, reachLines, ruleText, scrubShare, spaceText } from './storage-words.js';

const use = (more: Partial<Storage['cameras'][number]> = {}): Storage['cameras'][number] => ({
  ...{ id: 'a', bytes: 1, chunks: 1, bytesPerDay: 2e9, retentionDays: 30, forecastDays: 7 },
  ...more,
});
const storage = (
  cameras: Storage['cameras'],
  state: Storage['disks'][number]['state'] = 'ok',
): Storage => ({
  disks: [{ path: '/store', state, sizeBytes: 0, freeBytes: 0, footageBytes: 0 }],
  ...{ watermarks: { lowBytes: 0, criticalBytes: 0, stopBytes: 0 }, cameras },
  ...{ nextDeletions: [], scrubs: [], warmTiers: [] },
});

test('days and hours are as exact as they need to be', () => {
  expect([0.01, 0.5, 2.25, 7, 9.96, 30.4].map(daysText)).toEqual([
    ...['under 1 h', '12 h', '2.3 d', '7 d', '10 d', '30 d'],
  ]);
});

test('each kind of footage has its reach', () => {
  expect(reachLines(use({ forecastMotionDays: 30, forecastLowresDays: 90 }))).toEqual([
    '7 d',
    'movement 30 d',
    'low resolution 90 d',
  ]);
});

test('a rule that this console does not know is shown as it is', () => {
  expect([ruleText('disk-space'), ruleText('next-year')]).toEqual([
    'space on the disk',
    'next-year',
  ]);
});

test('says whether the disks hold what the rules keep', () => {
  expect(spaceText(storage([use({ limitedBy: 'age' })]))).toContain('hold all that the rules keep');
  expect(spaceText(storage([use({ limitedBy: 'disk-space' })]))).toContain('cannot hold all');
  expect(spaceText(storage([use({ limitedBy: 'age' })], 'full'))).toContain(
    'No disk takes footage',
  );
  expect(spaceText(storage([use({ bytesPerDay: 0 })]))).toBe('Nothing is being recorded now.');
});

test('a scrub that rests has read all', () => {
  const scrub = {
    recorder: 'r',
    periodDays: 30,
    chunks: 1,
    damagedChunks: 0,
    brokenSeals: 0,
    damage: [],
  };
  expect(scrubShare({ ...scrub, state: 'reading', bytes: 25, totalBytes: 100 })).toBe(0.25);
  expect(scrubShare({ ...scrub, state: 'reading', bytes: 0, totalBytes: 0 })).toBe(0);
  expect(scrubShare({ ...scrub, state: 'resting', bytes: 5, totalBytes: 100 })).toBe(1);
});
