// Every parser of strangers' bytes, with the inputs that once broke one and some fresh broken ones;
// `npm run load -- fuzz` does the same for millions.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fuzz, Mutator, Violation } from './load/fuzz-engine.js';
import { fuzzTargets } from './load/fuzz-targets.js';

const FIXTURES = fileURLToPath(new URL('fixtures/fuzz', import.meta.url));

interface Crasher {
  readonly target: string;
  readonly input: string;
}

const crashers = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    name,
    ...(JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Crasher),
  }));

test.each(crashers)('what once broke a parser breaks it no more: $name', ({ target, input }) => {
  const found = fuzzTargets().find(({ name }) => name === target);
  if (found === undefined) throw new Error(`no target is called ${target}`);
  found.run(Buffer.from(input, 'hex'));
});

test('20000 broken inputs are refused or read, quickly, by every parser', () => {
  const { reports, findings } = fuzz(fuzzTargets(), { inputs: 20_000, seed: 20_261_121 });
  expect(
    findings.map(({ target, what, input }) => ({ target, what, hex: input.toString('hex') })),
  ).toEqual([]);
  expect(reports.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(20_000);
  // A target whose inputs are all refused at its door fuzzes nothing.
  for (const { reached } of reports) expect(reached).toMatch(/^[1-9]/);
});

test('the fuzzer finds a parser that throws, one that is slow, and repeats itself by its seed', () => {
  const target = (run: (input: Buffer) => void) => ({
    name: 'bad',
    weight: 1,
    seeds: [Buffer.from('hello 12')],
    reached: () => '',
    run,
  });
  const throws = target((input) => {
    if (input[0] !== 0x68) throw new Violation('not an h');
  });
  const first = fuzz([throws], { inputs: 1000, seed: 3 }).findings;
  expect(first.length).toBeGreaterThan(5);
  expect(fuzz([throws], { inputs: 1000, seed: 3 }).findings).toEqual(first);
  const slow = target((input) => {
    const endMs = performance.now() + 40;
    while (input.length === 0 && performance.now() < endMs);
  });
  expect(fuzz([slow], { inputs: 1000, seed: 3 }).findings[0]?.what).toMatch(/one input took/);
  const mutator = new Mutator([Buffer.alloc(16_000, 0x31)], 1);
  for (let count = 0; count < 5000; count++)
    expect(mutator.next().length).toBeLessThanOrEqual(16_384);
});
