// Millions of broken inputs through every parser that reads strangers' bytes: none may crash, hang
// or grow memory. What does is written to test/fixtures/fuzz, where a unit test repeats it for ever.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { ROOT } from '../../apps/launcher/prepare.mjs';

const HANG_MS = 20_000;
const FIXTURES = join(ROOT, 'test/fixtures/fuzz');

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      inputs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
      target: { type: 'string' },
    },
  });
  const inputs = Number(values.inputs);
  const seed = Number(values.seed);
  console.log(`${inputs} inputs, seed ${seed}`);
  const shared = new SharedArrayBuffer(16 + 16 * 1024);
  const progress = new Int32Array(shared, 0, 4);
  const worker = new Worker(new URL('./fuzz-worker.mjs', import.meta.url), {
    workerData: { inputs, seed, only: values.target, shared },
  });
  const startedMs = performance.now();
  let last = { count: -1, atMs: startedMs };
  let told = 0;
  const result = await new Promise((resolve, reject) => {
    const watchdog = setInterval(() => {
      const count = progress[0];
      const nowMs = performance.now();
      if (count !== last.count) last = { count, atMs: nowMs };
      if (nowMs - last.atMs > HANG_MS) {
        const input = Buffer.from(Buffer.from(shared, 16, progress[2])).toString('hex');
        void worker.terminate();
        resolve({
          reports: [],
          findings: [{ target: `number ${progress[1]}`, what: 'hangs', input, seed, index: count }],
        });
      }
      if (Math.floor(count / 1e6) > told) {
        told = Math.floor(count / 1e6);
        const rss = Math.round(process.memoryUsage.rss() / 1e6);
        const seconds = Math.round((nowMs - startedMs) / 1000);
        console.log(`${told} million inputs after ${seconds} s, ${rss} MB resident`);
      }
    }, 500);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watchdog));
  });
  report(result, (performance.now() - startedMs) / 1000);
  for (const finding of result.findings) {
    mkdirSync(FIXTURES, { recursive: true });
    const { target, what, index } = finding;
    const name = `${target.replace(/\W+/g, '-').toLowerCase()}-${seed}-${index}.json`;
    writeFileSync(join(FIXTURES, name), `${JSON.stringify(finding, undefined, 2)}\n`);
    console.log(`FOUND ${target}: ${what} (${name})`);
  }
  process.exitCode = result.findings.length === 0 ? 0 : 1;
}

function report({ reports, findings }, seconds) {
  const total = reports.reduce((sum, { inputs }) => sum + inputs, 0);
  console.log('\n| target | inputs | inputs per second | slowest input | heap growth | reached |');
  console.log('|---|---|---|---|---|---|');
  for (const { target, inputs, seconds: took, slowestMs, heapGrowthBytes, reached } of reports) {
    console.log(
      `| ${target} | ${inputs} | ${Math.round(inputs / took)} | ${slowestMs.toFixed(1)} ms | ${(heapGrowthBytes / 1e6).toFixed(1)} MB | ${reached} |`,
    );
  }
  console.log(
    `\n${total} inputs in ${seconds.toFixed(0)} s, ${Math.round(total / seconds)} a second, ${findings.length} findings`,
  );
}
