// `npm run bench -- <name> [options]`: benchmarks, each a file beside this one.

import { prepare } from '../../apps/launcher/prepare.mjs';

const BENCHES = {
  erasure: 'cost of Reed-Solomon RS(10,4), per codec',
  index: 'rates, sizes and latencies of the index at size',
  ingest: 'cost of ingest per camera, against one ffmpeg per camera',
  motion: 'cost of looking for movement, per camera',
  store: 'safe writes of the store, against plain appends of the same sizes',
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !Object.hasOwn(BENCHES, name)) {
  console.log('npm run bench -- <name> [options]\n');
  for (const [known, what] of Object.entries(BENCHES)) console.log(`  ${known.padEnd(10)} ${what}`);
  process.exit(name === undefined ? 0 : 1);
}
await prepare(console.log);
const { run } = await import(`./${name}.mjs`);
await run(args);
