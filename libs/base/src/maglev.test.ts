// What Maglev promises: even shares, little movement, and the same answer everywhere.

import { MaglevTable } from './maglev.js';

const KEYS = Array.from({ length: 20_000 }, (_, index) => `camera ${index}`);
const recorders = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `recorder-${index + 1}` }));

function sharesOf(table: MaglevTable): Map<string, number> {
  const shares = new Map<string, number>();
  for (const key of KEYS) {
    const id = table.find(key) ?? '';
    shares.set(id, (shares.get(id) ?? 0) + 1);
  }
  return shares;
}

function moved(before: MaglevTable, after: MaglevTable): string[] {
  return KEYS.filter((key) => before.find(key) !== after.find(key));
}

test.each([2, 5, 16])('%i backends have even shares', (count) => {
  const shares = [...sharesOf(new MaglevTable(recorders(count))).values()];
  const even = KEYS.length / count;
  // Four standard deviations of keys that fall where they like.
  const slack = 4 * Math.sqrt(even);
  expect(shares).toHaveLength(count);
  for (const share of shares) expect(Math.abs(share - even)).toBeLessThan(slack);
});

test.each([2, 5, 16])(
  'one of %i that leaves or comes moves little more than its share',
  (count) => {
    const all = recorders(count);
    const whole = new MaglevTable(all);
    const less = new MaglevTable(all.slice(0, -1));
    const lost = sharesOf(whole).get(all.at(-1)?.id ?? '') ?? 0;
    const away = moved(whole, less);
    expect(away.length).toBeGreaterThanOrEqual(lost);
    expect(away.length - lost).toBeLessThan(KEYS.length * 0.05);
    expect(moved(less, whole)).toEqual(away);
  },
);

test('the order of registration does not matter, and the answer is the same on every machine', () => {
  const forth = new MaglevTable(recorders(5));
  expect(moved(forth, new MaglevTable(recorders(5).reverse()))).toEqual([]);
  // Written down: another machine or version that answers otherwise would move cameras.
  expect(['gate', 'yard', 'roof', 'dock', 'hall'].map((key) => forth.find(key))).toEqual([
    'recorder-3',
    'recorder-4',
    'recorder-1',
    'recorder-5',
    'recorder-4',
  ]);
});

test('weights are shares', () => {
  const shares = sharesOf(
    new MaglevTable([{ id: 'small' }, { id: 'large', weight: 3 }, { id: 'half', weight: 0.5 }]),
  );
  expect((shares.get('large') ?? 0) / (shares.get('small') ?? 1)).toBeCloseTo(3, 0);
  expect((shares.get('half') ?? 0) / (shares.get('small') ?? 1)).toBeCloseTo(0.5, 1);
});

test('none has nothing, one has everything, two of a name are refused', () => {
  expect(new MaglevTable([]).find('gate')).toBeUndefined();
  expect(sharesOf(new MaglevTable([{ id: 'only' }]))).toEqual(new Map([['only', KEYS.length]]));
  expect(() => new MaglevTable([{ id: 'a' }, { id: 'a' }])).toThrow('different ids');
  expect(() => new MaglevTable([{ id: 'a', weight: 0 }])).toThrow('above zero');
});
