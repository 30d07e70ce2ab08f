// The sentences that scrub and warm tier put into health.

import { storageWarnings } from './storage-warnings.js';

const clean = { damagedChunks: 0, brokenSeals: 0 };

test('nothing to say while all is whole', () => {
  expect(storageWarnings(clean, undefined)).toEqual([]);
  expect(storageWarnings(clean, { stripes: { whole: 9, degraded: 0, lost: 0 } })).toEqual([]);
});

test('each finding is a sentence of its own, with progress while it is mended', () => {
  expect(storageWarnings({ damagedChunks: 1, brokenSeals: 2 }, undefined)).toEqual([
    'damaged footage: 1 chunk cannot be read in full',
    'the chain of seals: 2 chunks changed, or gone without a deletion',
  ]);
  const stripes = { whole: 1, degraded: 3, lost: 1 };
  expect(storageWarnings(clean, { stripes, mending: { done: 2, total: 5 } })).toEqual([
    'the warm tier: 1 stripe lost more than four of 14 shards',
    'the warm tier: shards of 3 stripes are missing, nothing is lost; 2 of 5 are mended',
  ]);
});
