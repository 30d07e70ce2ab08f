// What erasure coding costs: processor time to make the parity of a chunk and to compute lost shards,
// by each codec that is installed, as megabytes of footage a second of one core.
//
// npm run bench -- erasure [rounds]

import { randomFillSync } from 'node:crypto';
import { ALL_SHARDS, codecOf, DATA_SHARDS } from '../../dist/libs/store/src/erasure.js';
import { shapeOf } from '../../dist/libs/store/src/shard.js';

const CHUNK_BYTES = 10_000_000;
const CASES = [
  ['encode', [10, 11, 12, 13]],
  ['reconstruct one data shard', [3, 11, 12, 13]],
  ['reconstruct four data shards', [0, 3, 6, 9]],
];
const NAMES = { 1: '@ronomon/reed-solomon', 2: 'reed-solomon-erasure.wasm' };

export async function run([given]) {
  const rounds = Number(given ?? 15);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
    throw new Error(`expected a number of rounds from 1 to 1000, found ${given}`);
  }
  const { shardBytes, blockBytes } = shapeOf(CHUNK_BYTES);
  const shards = Buffer.alloc(ALL_SHARDS * shardBytes);
  randomFillSync(shards, 0, DATA_SHARDS * shardBytes);
  for (const id of [1, 2]) {
    const codec = await codecOf(id).catch(() => undefined);
    if (codec === undefined) {
      console.log(`${NAMES[id]}: not installed`);
      continue;
    }
    await codec.fill(shards, CASES[0][1], blockBytes);
    const whole = Buffer.from(shards);
    for (const [name, missing] of CASES) {
      const times = [];
      for (let round = 0; round < rounds; round++) {
        for (const shard of missing) shards.fill(0, shard * shardBytes, (shard + 1) * shardBytes);
        const before = process.cpuUsage();
        await codec.fill(shards, missing, blockBytes);
        const { user, system } = process.cpuUsage(before);
        times.push((user + system) / 1000);
        if (!shards.equals(whole)) throw new Error(`${NAMES[id]}: ${name} gave other bytes`);
      }
      times.sort((a, b) => a - b);
      const ms = times[rounds >> 1];
      const mbPerSecond = Math.round(CHUNK_BYTES / 1e6 / (ms / 1000));
      console.log(
        `${NAMES[id]}: ${name}: ${mbPerSecond} MB/s a core, ${ms.toFixed(1)} ms of CPU a chunk of 10 MB ` +
          `(median of ${rounds}; ${times[0].toFixed(1)} to ${times.at(-1).toFixed(1)})`,
      );
    }
  }
}
