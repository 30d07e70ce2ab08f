// Consistent hashing by Maglev's table (Eisenbud et al., NSDI 2016), with weights as Katran has them.

import { createHash } from 'node:crypto';
import { NightjarError } from './errors.js';

/** A prime, at least a hundred times what any installation has; another size shuffles everything. */
const TABLE_SIZE = 65_537;
const MOST_BACKENDS = Math.floor(TABLE_SIZE / 100);

export interface MaglevBackend {
  readonly id: string;
  /** Its share against the others; 1 if absent. */
  readonly weight?: number;
}

/**
 * Says which backend a key belongs to: the same on every machine, whatever the order of the backends.
 * When one comes or goes, little more than its own share moves.
 */
export class MaglevTable {
  readonly #ids: readonly string[];
  readonly #slots: Uint16Array;

  /** Throws `invalid-argument` for an id that is there twice, a weight that is not above zero, or too many. */
  constructor(backends: readonly MaglevBackend[]) {
    const sorted = [...backends].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#ids = sorted.map(({ id }) => id);
    const weights = sorted.map(({ weight = 1 }) => weight);
    if (new Set(this.#ids).size !== sorted.length || sorted.length > MOST_BACKENDS) {
      throw new NightjarError('invalid-argument', `expected up to ${MOST_BACKENDS} different ids`);
    }
    if (!weights.every((weight) => weight > 0 && Number.isFinite(weight))) {
      throw new NightjarError('invalid-argument', 'expected weights above zero');
    }
    this.#slots = fill(this.#ids, weights);
  }

  /** The backend of `key`; undefined without any backend. */
  find(key: string): string | undefined {
    return this.#ids[this.#slots[hashOf(key).readUInt32BE(0) % TABLE_SIZE] ?? 0];
  }
}

/** Each backend takes the next free place of its own permutation in turn, as often as it weighs. */
function fill(ids: readonly string[], weights: readonly number[]): Uint16Array {
  const slots = new Uint16Array(TABLE_SIZE);
  if (ids.length < 2) return slots;
  const taken = new Uint8Array(TABLE_SIZE);
  const heaviest = Math.max(...weights);
  const turns = ids.map((id) => {
    const hash = hashOf(id);
    return {
      place: hash.readUInt32BE(0) % TABLE_SIZE,
      skip: (hash.readUInt32BE(4) % (TABLE_SIZE - 1)) + 1,
      credit: 0,
    };
  });
  for (let filled = 0; ;) {
    for (const [index, turn] of turns.entries()) {
      turn.credit += (weights[index] ?? 1) / heaviest;
      if (turn.credit < 1) continue;
      turn.credit -= 1;
      while (taken[turn.place] === 1) turn.place = (turn.place + turn.skip) % TABLE_SIZE;
      taken[turn.place] = 1;
      slots[turn.place] = index;
      filled += 1;
      if (filled === TABLE_SIZE) return slots;
    }
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
