// The gap ledger: every second has footage or a reason, exactly once.

import type { GapRow } from '#timeline';
import { GapLedger, type LedgerState } from './gap-ledger.js';

const S = 1_000_000;
const T0 = 1000 * S;

/** What a timeline would hold after the ledger's changes. */
class Book {
  readonly rows = new Map<number, GapRow>();
  take(ledger: GapLedger): void {
    const changes = ledger.drain();
    for (const { startUnixUs } of changes?.removedGaps ?? []) this.rows.delete(startUnixUs);
    for (const row of changes?.gaps ?? []) this.rows.set(row.startUnixUs, row);
  }
  list(): [number, number | undefined, string][] {
    return [...this.rows.values()]
      .sort((a, b) => a.startUnixUs - b.startUnixUs)
      .map((row) => [
        (row.startUnixUs - T0) / S,
        row.endUnixUs === undefined ? undefined : (row.endUnixUs - T0) / S,
        row.reason,
      ]);
  }
}

function rig(options: { openGap?: GapRow; lastAliveUs?: number; coveredUntilUs?: number } = {}) {
  const ledger = new GapLedger({ camera: 'c', coveredUntilUs: T0, ...options });
  const book = new Book();
  const mark = (state: LedgerState, at: number) => ledger.mark(state, T0 + at * S);
  const recorded = (from: number, to: number) => ledger.recorded(T0 + from * S, T0 + to * S);
  const settle = (at: number) => ledger.settle(T0 + at * S);
  const list = () => {
    book.take(ledger);
    return book.list();
  };
  return { ledger, mark, recorded, settle, list };
}

test('a new camera has a gap until its first frame', () => {
  const it = rig();
  expect(it.list()).toEqual([[0, undefined, 'restart']]);
  it.mark('recording', 3);
  it.recorded(3, 4);
  it.recorded(4, 5);
  expect(it.list()).toEqual([[0, 3, 'restart']]);
});

test('the pre-roll pulls the end of a gap back, the post-roll pushes its start', () => {
  const it = rig();
  it.mark('no-motion', 0);
  expect(it.list()).toEqual([[0, undefined, 'no-motion']]);
  it.mark('recording', 55);
  it.recorded(55, 70);
  it.mark('no-motion', 75);
  expect(it.list()).toEqual([[0, 55, 'no-motion'], [75, undefined, 'no-motion']]); // prettier-ignore
  it.recorded(70, 75);
  expect(it.list()).toEqual([[0, 55, 'no-motion'], [75, undefined, 'no-motion']]); // prettier-ignore
});

test('footage that comes in late moves the gaps that were already told', () => {
  const it = rig();
  it.mark('no-motion', 0);
  it.mark('camera-down', 60);
  expect(it.list()).toEqual([[0, 60, 'no-motion'], [60, undefined, 'camera-down']]); // prettier-ignore
  it.recorded(50, 60);
  expect(it.list()).toEqual([[0, 50, 'no-motion'], [60, undefined, 'camera-down']]); // prettier-ignore
});

test('footage under way makes no gap before it is settled that it will not come', () => {
  const it = rig();
  it.mark('recording', 0);
  it.recorded(0, 10);
  it.mark('disk-full', 14);
  expect(it.list()).toEqual([[14, undefined, 'disk-full']]);
  it.recorded(10, 12);
  it.settle(14);
  expect(it.list()).toEqual([[12, 14, 'network'], [14, undefined, 'disk-full']]); // prettier-ignore
});

test('a pause below a second is jitter, a longer hole is the network', () => {
  const it = rig();
  it.mark('recording', 0);
  it.recorded(0, 10);
  it.recorded(10.9, 20);
  it.recorded(23, 30);
  expect(it.list()).toEqual([[20, 23, 'network']]);
});

test('a moment between the footage and the reason for its end is no gap of its own', () => {
  const it = rig();
  it.mark('recording', 0);
  it.recorded(0, 10);
  it.mark('disk-error', 10.3);
  it.settle(11);
  expect(it.list()).toEqual([[10, undefined, 'disk-error']]);
  it.mark('recording', 15);
  it.recorded(15, 16);
  expect(it.list()).toEqual([[10, 15, 'disk-error']]);
  // A longer one was lost on the way.
  it.mark('disk-error', 18);
  it.settle(19);
  expect(it.list().slice(1)).toEqual([
    [16, 18, 'network'],
    [18, undefined, 'disk-error'],
  ]);
});

test('a short outage that leaves no second missing leaves no gap', () => {
  const it = rig();
  it.mark('recording', 0);
  it.recorded(0, 10);
  it.mark('camera-down', 10);
  expect(it.list()).toEqual([[10, undefined, 'camera-down']]);
  it.mark('recording', 10.5);
  it.recorded(10.5, 20);
  expect(it.list()).toEqual([]);
});

test('after a kill the open gap is explained up to the last sign of life, the rest is the restart', () => {
  const openGap = {
    camera: 'c',
    startUnixUs: T0 + 5 * S,
    endUnixUs: undefined,
    reason: 'no-motion',
  };
  const it = rig({ openGap, lastAliveUs: T0 + 40 * S });
  expect(it.list()).toEqual([[5, 40, 'no-motion'], [40, undefined, 'restart']]); // prettier-ignore
  it.mark('recording', 47);
  it.recorded(47, 50);
  expect(it.list()).toEqual([[5, 40, 'no-motion'], [40, 47, 'restart']]); // prettier-ignore
});

test('after a kill during recording the restart begins where the footage ends', () => {
  const it = rig({ coveredUntilUs: T0 + 9 * S, lastAliveUs: T0 + 10 * S });
  it.mark('recording', 15);
  it.recorded(15, 16);
  expect(it.list()).toEqual([[9, 15, 'restart']]);
});

test('reasons that alternate for hours do not pile up in memory', () => {
  const it = rig();
  for (let at = 0; at < 20_000; at += 10) {
    it.mark(at % 20 === 0 ? 'camera-down' : 'authentication', at);
    it.settle(at);
  }
  const rows = it.list();
  expect(rows).toHaveLength(2000);
  rows.forEach(([from, to], index) => {
    expect(from).toBe(index * 10);
    expect(to).toBe(index === 1999 ? undefined : index * 10 + 10);
  });
});

test('property: every second between start and now is covered exactly once', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const reasons: LedgerState[] = ['no-motion', 'camera-down', 'off', 'disk-full', 'authentication'];
  for (let round = 0; round < 200; round++) {
    const it = rig();
    const footage: [number, number][] = [];
    const late: [number, number][] = [];
    let now = 0;
    for (let step = 0; step < 40; step++) {
      const length = 1 + random(30);
      if (random(2) === 0) {
        it.mark('recording', now);
        // Flushes arrive in parts, and now and then only after the next state is known.
        for (let at = now; at < now + length; at += 1) late.push([at, at + 1]);
      } else {
        it.mark(reasons[random(reasons.length)] ?? 'off', now);
      }
      now += length;
      while (late.length > 0 && random(5) !== 0) {
        const part = late.shift() as [number, number];
        it.recorded(...part);
        footage.push(part);
      }
    }
    for (const part of late) {
      it.recorded(...part);
      footage.push(part);
    }
    it.mark('off', now);
    it.settle(now);
    const cover = new Array<number>(now).fill(0);
    const add = (from: number, to: number) => {
      for (let second = from; second < Math.min(to, now); second++)
        cover[second] = (cover[second] ?? 0) + 1;
    };
    for (const [from, to] of footage) add(from, to);
    for (const [from, to] of it.list()) add(from, to ?? Infinity);
    expect(cover.every((count) => count === 1)).toBe(true);
  }
});
