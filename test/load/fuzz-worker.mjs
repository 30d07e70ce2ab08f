// The thread in which the fuzzing runs; the thread beside it watches that it goes on.

import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz } from '../../dist/test/load/fuzz-engine.js';
import { fuzzTargets } from '../../dist/test/load/fuzz-targets.js';

const { inputs, seed, only, shared } = workerData;
const progress = new Int32Array(shared, 0, 4);
const input = Buffer.from(shared, 16);
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const targets = fuzzTargets().filter(({ name }) => only === undefined || name.includes(only));
const result = fuzz(targets, {
  inputs,
  seed,
  onInput: (target, bytes) => {
    progress[0] += 1;
    progress[1] = targets.indexOf(target);
    progress[2] = bytes.copy(input);
  },
  heapBytes: () => {
    gc();
    const { used_heap_size: used, external_memory: external } = getHeapStatistics();
    return used + external;
  },
});
parentPort.postMessage({
  ...result,
  findings: result.findings.map((finding) => ({
    ...finding,
    input: finding.input.toString('hex'),
  })),
});
