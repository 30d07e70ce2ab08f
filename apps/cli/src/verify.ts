// `nightjar verify`: every checksum of every chunk, every seal, and the chain that seals make.

import { messageOf } from '#base';
import { openStore, warmHint } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

export async function verify(options: CommandOptions, progress: Progress): Promise<Report> {
  const store = await openStore(options);
  const faults: string[] = [];
  const tails: string[] = [];
  let chunks = 0;
  let unsealed = 0;
  let bytes = 0;
  /** By track, in the order in which they are found: tiers come one behind the other. */
  const seals = new Map<string, Seal[]>();
  try {
    const total = await store.countChunks();
    for await (const chunk of store.listAll()) {
      chunks += 1;
      const found = await store.verify(chunk).catch((error: unknown) => messageOf(error));
      if (typeof found === 'string') {
        faults.push(`${chunk.path}: ${found}`);
        continue;
      }
      bytes += found.sizeBytes;
      progress({ done: chunks, total, unit: 'chunks', bytes });
      for (const range of found.damaged) {
        faults.push(`${chunk.path}: ${range.length} damaged bytes at ${range.offset}`);
      }
      if (found.seal === 'broken') faults.push(`${chunk.path}: changed after it was sealed`);
      if (found.seal === 'absent') unsealed += 1;
      const { sealValue, previousSeal } = found;
      const track = `${chunk.camera}/${chunk.track}`;
      const own = seals.get(track) ?? [];
      seals.set(track, own);
      const { id, path } = chunk;
      own.push({ id, path, isValid: found.seal === 'valid', sealValue, previousSeal });
    }
    for (const own of seals.values()) tails.push(...brokenChains(own));
  } finally {
    await store.close();
  }
  const broken = faults.length + tails.length;
  return {
    ok: broken === 0,
    lines: [
      ...faults,
      ...tails,
      `${chunks} chunks, ${(bytes / 1e9).toFixed(2)} GB, ${unsealed} not sealed yet: ${
        broken === 0 ? 'every checksum and the chain hold' : `${broken} faults`
      }`,
      ...warmHint(options),
    ],
    facts: {
      ...{ chunks, bytes, unsealed, faults, missing: tails },
      warmDirectories: options.warmDirs.length,
    },
  };
}

interface Seal {
  readonly id: number;
  readonly path: string;
  readonly isValid: boolean;
  readonly sealValue: string | undefined;
  readonly previousSeal: string | undefined;
}

/** Where a seal does not repeat the one before. */
function brokenChains(seals: readonly Seal[]): string[] {
  const broken: string[] = [];
  let before: string | undefined;
  for (const { path, isValid, sealValue, previousSeal } of seals.toSorted((a, b) => a.id - b.id)) {
    if (before !== undefined && isValid && previousSeal !== before) {
      broken.push(`${path}: the chunk that was sealed before it is not here`);
    }
    before = sealValue ?? before;
  }
  return broken;
}
