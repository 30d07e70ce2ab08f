// What checksums, the hash chain and records cost the way to disk: the store's safe writes, against
// plain appends of the same sizes in the same process, alternating.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './process-meter.mjs';

const WORKER = fileURLToPath(new URL('store-rounds.mjs', import.meta.url));
const NAMES = {
  store: 'the store (CRC-32C, SHA-256, O_DIRECT and O_DSYNC)',
  direct: 'plain appends, O_DIRECT and O_DSYNC',
  hashed: 'the same, with CRC-32C and SHA-256 of what is written',
  buffered: 'plain appends and fdatasync',
};

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      tracks: { type: 'string', default: '200' },
      /** Of each track in a round: as many seconds. */
      records: { type: 'string', default: '4' },
      kbit: { type: 'string', default: '4000' },
      rounds: { type: 'string', default: '5' },
    },
  });
  const directory = mkdtempSync(
    join(process.env.NIGHTJAR_BENCH_DIR ?? tmpdir(), 'nightjar-bench-'),
  );
  const rounds = [];
  try {
    const child = spawn(process.execPath, [WORKER, JSON.stringify({ ...values, directory })], {
      // As the launcher starts a recorder.
      env: { ...process.env, UV_THREADPOOL_SIZE: '64' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`the rounds ended with ${code}`);
    rounds.push(
      ...text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const of = (kind, field) =>
    median(rounds.filter((round) => round.kind === kind).map((round) => round[field]));
  console.log(
    `\n${values.tracks} tracks at ${Number(values.kbit) / 1000} Mbit/s, a record a second each, a tenth of the tracks at a time; medians of ${values.rounds}` +
      '\n\n| | records/s | MB/s | CPU ms per MB |\n|---|---|---|---|',
  );
  for (const [kind, name] of Object.entries(NAMES)) {
    const megabytes = of(kind, 'megabytesPerSecond');
    console.log(
      `| ${name} | ${Math.round(of(kind, 'recordsPerSecond'))} | ${megabytes.toFixed(0)} | ${of(kind, 'cpuMsPerMegabyte').toFixed(2)} |`,
    );
  }
  const share = (kind) =>
    ((100 * of('store', 'megabytesPerSecond')) / of(kind, 'megabytesPerSecond')).toFixed(0);
  console.log(
    `\nthe store writes ${share('direct')} % of plain direct appends, ${share('hashed')} % of those with the same checksums, ${share('buffered')} % of buffered ones`,
  );
}
