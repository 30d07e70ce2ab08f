// A power cut keeps a gap's beginning and loses its end, while later rows are kept.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { Timeline } from '#timeline';
import { openLedger } from '../libs/pipeline/src/open-ledger.js';
import { Lsm } from '../libs/timeline/src/lsm.js';
import { gapKey } from '../libs/timeline/src/row-codec.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const S = 1_000_000;
const T0 = 1_767_225_600 * S;

test('a gap that lost its end stops where the footage behind it begins', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nightjar-gap-'));
  const open = () => Timeline.open({ directory, clock: new FakeClock(), log: silentLog() });
  try {
    const first = { camera: CAMERA, startUnixUs: T0, endUnixUs: undefined, reason: 'camera-down' };
    let timeline = await open();
    await timeline.commit({ gaps: [first] });
    await timeline.close();
    let lsm = await Lsm.open(directory);
    const begun = (await lsm.get(gapKey(first))) as Buffer;
    await lsm.close();

    timeline = await open();
    const group = { startUnixUs: T0 + 7 * S, durationUs: 3 * S, run: 1, chunkId: T0, offset: 0 };
    const size = { length: 100, frameCount: 3, startDts90k: 0 };
    await timeline.commit({ groups: [{ camera: CAMERA, track: 'main', ...group, ...size }] });
    const later = { camera: CAMERA, startUnixUs: T0 + 10 * S, endUnixUs: T0 + 12 * S };
    await timeline.commit({ gaps: [{ ...later, reason: 'network' }] });
    await timeline.close();
    lsm = await Lsm.open(directory);
    await lsm.batch([{ type: 'put', key: gapKey(first), value: begun }], true);
    await lsm.close();

    timeline = await open();
    await openLedger(timeline, CAMERA, T0 + 10 * S, T0 + 30 * S);
    const gaps = await timeline.gaps(CAMERA, T0 - S, T0 + 40 * S);
    expect(gaps[0]).toMatchObject({ startUnixUs: T0, endUnixUs: T0 + 7 * S });
    expect(gaps[1]).toMatchObject({ ...later, reason: 'network' });
    await timeline.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
