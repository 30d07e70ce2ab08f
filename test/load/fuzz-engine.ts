// Mutation fuzzing: takes good inputs apart, breaks them, and watches what the target does.

/** What a parser must keep whatever it is given; thrown when it does not. */
export class Violation extends Error {}

export interface FuzzTarget {
  readonly name: string;
  /** Good inputs, as structured as they come. */
  readonly seeds: readonly Buffer[];
  /** Its part of all inputs. */
  readonly weight: number;
  /** Throws what breaks an invariant; errors of the house are none. The bytes change afterwards. */
  run(input: Buffer): void;
  /** How deep the inputs went, so that nobody is pleased with a target that refuses everything. */
  reached(): string;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Before each input: what a watchdog beside this thread must know. */
  onInput?(target: FuzzTarget, input: Buffer): void;
  /** Frees what can be freed, and tells the bytes of heap in use. */
  heapBytes?(): number;
  onProgress?(done: number): void;
}

export interface FuzzFinding {
  readonly target: string;
  readonly what: string;
  readonly input: Buffer;
  /** The seed, and how many inputs came before: some targets remember. */
  readonly seed: number;
  readonly index: number;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  /** Of the slowest input, at its fastest repetition. */
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
  readonly reached: string;
}

const MAX_INPUT_BYTES = 16 * 1024;
/** A busy machine makes any input slow once; a slow parser is slow again and again. */
const SUSPECT_MS = 2;
const TOO_SLOW_MS = 20;
const REPETITIONS = 5;
/** What caches, compiled code and the corpus itself may add. */
const MAX_HEAP_GROWTH_BYTES = 48 * 1024 * 1024;
const MAX_FINDINGS = 20;
const ODD_BYTES = [0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x24, 0x0d, 0x0a, 0x22, 0x3b];
const ODD_WORDS = [0, 1, 0x7fff, 0x8000, 0xffff, 0xfffe, 12, 11];
const ODD_NUMBERS = [
  '0',
  '-1',
  '1',
  '255',
  '256',
  '65535',
  '65536',
  '4294967296',
  '1e9',
  '99999999999999999999',
];

/** Runs all targets one after the other; the same seed gives the same inputs. */
export function fuzz(
  targets: readonly FuzzTarget[],
  options: FuzzOptions,
): { reports: FuzzReport[]; findings: FuzzFinding[] } {
  const findings: FuzzFinding[] = [];
  const reports: FuzzReport[] = [];
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let done = 0;
  for (const target of targets) {
    const inputs = Math.ceil((options.inputs * target.weight) / total);
    const before = done;
    const progress = (count: number) => options.onProgress?.(before + count);
    reports.push(fuzzOne(target, inputs, { ...options, onProgress: progress }, findings));
    done += inputs;
  }
  return { reports, findings };
}

function fuzzOne(
  target: FuzzTarget,
  inputs: number,
  options: FuzzOptions,
  findings: FuzzFinding[],
): FuzzReport {
  const mutator = new Mutator(target.seeds, options.seed);
  const heapBefore = options.heapBytes?.() ?? 0;
  const startedMs = performance.now();
  let slowestMs = 0;
  let found = 0;
  for (let count = 0; count < inputs && found < MAX_FINDINGS; count++) {
    if (count % 10_000 === 0) options.onProgress?.(count);
    const input = mutator.next();
    options.onInput?.(target, input);
    const what = violationOf(target, input);
    if (what !== undefined) {
      found += 1;
      const { seed } = options;
      findings.push({ target: target.name, what, input: Buffer.from(input), seed, index: count });
      continue;
    }
    const ms = mutator.lastMs;
    if (ms > slowestMs) slowestMs = ms;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const heapGrowthBytes = (options.heapBytes?.() ?? 0) - heapBefore;
  if (heapGrowthBytes > MAX_HEAP_GROWTH_BYTES) {
    const what = `the heap grew by ${Math.round(heapGrowthBytes / 1e6)} MB`;
    const { seed } = options;
    findings.push({ target: target.name, what, input: Buffer.alloc(0), seed, index: inputs });
  }
  const reached = target.reached();
  return { target: target.name, inputs, seconds, slowestMs, heapGrowthBytes, reached };

  function violationOf({ run }: FuzzTarget, input: Buffer): string | undefined {
    try {
      let ms = timed(run, input);
      for (let again = 0; ms > SUSPECT_MS && again < REPETITIONS; again++) {
        ms = Math.min(ms, timed(run, input));
      }
      mutator.lastMs = ms;
      return ms > TOO_SLOW_MS ? `one input took ${ms.toFixed(0)} ms` : undefined;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
}

function timed(run: (input: Buffer) => void, input: Buffer): number {
  const startedMs = performance.now();
  run(input);
  return performance.now() - startedMs;
}

/** Deterministic, and quick: it is a part of the cost of every input. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % bound;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Makes broken inputs of good ones, in a buffer of its own that the next input overwrites. */
export class Mutator {
  lastMs = 0;
  readonly #seeds: readonly Buffer[];
  readonly #random: Random;
  readonly #bytes = Buffer.alloc(MAX_INPUT_BYTES);
  #size = 0;

  constructor(seeds: readonly Buffer[], seed: number) {
    this.#seeds = seeds;
    this.#random = new Random(seed);
  }

  next(): Buffer {
    const seed = this.#random.pick(this.#seeds);
    this.#size = seed.copy(this.#bytes, 0, 0, MAX_INPUT_BYTES);
    // One in sixteen stays whole, so that what comes behind good input is reached too.
    for (
      let count = this.#random.below(16) === 0 ? 0 : 1 + this.#random.below(6);
      count > 0;
      count--
    ) {
      this.#mutate();
    }
    return this.#bytes.subarray(0, this.#size);
  }

  #mutate(): void {
    const random = this.#random;
    if (this.#size === 0) {
      this.#bytes[0] = random.below(256);
      this.#size = 1;
      return;
    }
    const at = random.below(this.#size);
    switch (random.below(10)) {
      case 0:
      case 1:
        this.#bytes[at] = (this.#bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        this.#bytes[at] = random.below(256);
        break;
      case 3:
        this.#bytes[at] = random.pick(ODD_BYTES);
        break;
      case 4:
        if (at + 2 <= this.#size) this.#bytes.writeUInt16BE(random.pick(ODD_WORDS), at);
        break;
      case 5:
        this.#size = at;
        break;
      case 6:
        this.#replace(at, Math.min(random.below(64), this.#size - at), Buffer.alloc(0));
        break;
      case 7: {
        const copy = Buffer.from(
          this.#bytes.subarray(at, Math.min(this.#size, at + random.below(256))),
        );
        this.#replace(random.below(this.#size), 0, copy);
        break;
      }
      case 8: {
        const other = random.pick(this.#seeds);
        const from = random.below(Math.max(1, other.length));
        const part = other.subarray(from, Math.min(other.length, from + 1 + random.below(1500)));
        this.#replace(at, random.below(2) === 0 ? this.#size - at : 0, part);
        break;
      }
      default:
        this.#number(at);
    }
  }

  /** Texts carry their lengths and counts in digits. */
  #number(at: number): void {
    let start = at;
    while (start < this.#size && start < at + 200 && !isDigit(this.#bytes[start])) start += 1;
    let end = start;
    while (end < this.#size && isDigit(this.#bytes[end])) end += 1;
    if (end > start) this.#replace(start, end - start, Buffer.from(this.#random.pick(ODD_NUMBERS)));
  }

  #replace(at: number, length: number, by: Buffer): void {
    const tail = this.#size - at - length;
    const room = Math.max(0, Math.min(by.length, MAX_INPUT_BYTES - at));
    const kept = Math.max(0, Math.min(tail, MAX_INPUT_BYTES - at - room));
    this.#bytes.copyWithin(at + room, at + length, at + length + kept);
    by.copy(this.#bytes, at, 0, room);
    this.#size = at + room + kept;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
