// Power cuts at random moments of a recording whose every write is remembered, in both ways in which
// chunks are written.

import { join } from 'node:path';
import { cutPower, recordForPowerCut } from '../../dist/test/faults/power-cut.js';

const GROUPS = 100;

export async function run({ rounds, directory, random, say }) {
  const results = [];
  for (const mode of ['direct', 'buffered']) {
    const result = { fault: `power cut, ${mode} writes`, rounds: 0, lossMs: 0, recoveryMs: [] };
    result.failures = [];
    const recording = await recordForPowerCut(join(directory, mode), mode, GROUPS);
    for (; result.rounds < Math.ceil(rounds / 2); result.rounds++) {
      const moment = Math.floor(random() * recording.disk.now) + 1;
      const { lostUs, recoveredMs, faults } = await cutPower(recording, moment, random);
      result.lossMs = Math.max(result.lossMs, lostUs / 1000);
      result.recoveryMs.push(recoveredMs);
      for (const fault of faults) result.failures.push(`moment ${moment}: ${fault}`);
    }
    say(`${mode}: ${result.rounds} cuts, ${result.failures.length} faults`);
    results.push(result);
  }
  return results;
}
