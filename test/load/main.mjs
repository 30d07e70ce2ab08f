// `npm run load -- <name> [options]`: loads and hostilities, each a file beside this one.

import { prepare } from '../../apps/launcher/prepare.mjs';

const LOADS = {
  hostile:
    'cameras that stall, flood and lie beside good ones (--good 50, --hostile 10, --seconds 60)',
  herd: 'all cameras go and come back at once (--cameras 400, --away 30)',
  fuzz: 'broken inputs through every parser (--inputs 10000000, --target, --seed)',
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !Object.hasOwn(LOADS, name)) {
  console.log('npm run load -- <name> [options]\n');
  for (const [known, what] of Object.entries(LOADS)) console.log(`  ${known.padEnd(10)} ${what}`);
  process.exit(name === undefined ? 0 : 1);
}
await prepare(console.log);
const { run } = await import(`./${name}.mjs`);
await run(args);
