// The power is cut at some moments of a recording; `npm run faults` does it at hundreds.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cutPower, recordForPowerCut } from './faults/power-cut.js';
import { seededRandom } from '../libs/store/src/footage.test-support.js';

test.each(['direct', 'buffered'] as const)(
  'a power cut costs at most 2 s, and index and chunks agree (%s writes)',
  async (mode) => {
    const directory = await mkdtemp(join(tmpdir(), 'nightjar-power-'));
    try {
      const recording = await recordForPowerCut(directory, mode, 60);
      const random = seededRandom(20_261_121);
      for (let cut = 0; cut < 40; cut++) {
        const moment = 20 + Math.floor(random() * (recording.disk.now - 20));
        const { faults } = await cutPower(recording, moment, random);
        expect({ moment, faults }).toEqual({ moment, faults: [] });
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  },
  120_000,
);
