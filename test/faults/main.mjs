// `npm run faults [-- --rounds N --only NAME,...]`: kills, cuts power and breaks disks, and prints
// for each fault what it cost; ends with 1 when anything was worse than promised.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from '../../apps/launcher/prepare.mjs';
import { makeClip } from '../bench/rig.mjs';

/** Each a file beside this one, and its share of the rounds. */
const FAULTS = {
  'kill-recorder': 0.5,
  'kill-installation': 0.5,
  'power-cuts': 2,
  'failing-disk': 0.1,
  'broken-disks': 0,
  'recovery-time': 0,
};
const VIDEO = { size: '320x240', fps: 25, bitrateKbit: 600, seconds: 6, group: 25 };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    only: { type: 'string', default: Object.keys(FAULTS).join(',') },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const names = values.only.split(',');
const unknown = names.find((name) => !Object.hasOwn(FAULTS, name));
const rounds = Number(values.rounds);
if (unknown !== undefined || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`npm run faults -- [--rounds N] [--only ${Object.keys(FAULTS).join(',')}]`);
  process.exit(2);
}

await prepare(console.log);
const directory = mkdtempSync(
  join(process.env.NIGHTJAR_FAULTS_DIR ?? tmpdir(), 'nightjar-faults-'),
);
const results = [];
try {
  console.log(`seed ${values.seed}`);
  const clip = makeClip(directory, VIDEO);
  for (const name of names) {
    const { run } = await import(`./${name}.mjs`);
    const result = await run({
      rounds: Math.max(1, Math.round(rounds * FAULTS[name])),
      clip,
      directory: mkdtempSync(join(directory, `${name}-`)),
      random: randomFrom(Number(values.seed)),
      say: (line) => console.log(`${name}: ${line}`),
    });
    results.push(...[result].flat());
  }
} finally {
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

console.log('\n| fault | rounds | worst loss | recovery, median and worst | faults found |');
console.log('|---|---|---|---|---|');
for (const { fault, rounds: done, lossMs, recoveryMs, failures } of results) {
  const sorted = [...recoveryMs].sort((a, b) => a - b);
  const recovery =
    sorted.length === 0
      ? '-'
      : `${seconds(sorted[Math.floor(sorted.length / 2)])}, ${seconds(sorted.at(-1))}`;
  const loss = lossMs === undefined ? '-' : seconds(lossMs);
  console.log(`| ${fault} | ${done} | ${loss} | ${recovery} | ${failures.length} |`);
}
for (const { fault, failures } of results) {
  for (const failure of failures.slice(0, 20)) console.error(`${fault}: ${failure}`);
}
process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0;

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Numbers in [0, 1) that are the same for the same seed (xorshift32). */
function randomFrom(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
