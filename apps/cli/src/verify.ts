// `nightjar verify`: every checksum of every chunk, every seal, and the chain that seals make.

import { openStore } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Report } from './report.js';

export async function verify(
  options: CommandOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const store = await openStore(options);
  const faults: string[] = [];
  const tails: string[] = [];
  let chunks = 0;
  let unsealed = 0;
  let bytes = 0;
  /** By track, the value of the seal before, once there is one. */
  const chains = new Map<string, string>();
  try {
    for await (const { chunk } of store.scanAll()) {
      chunks += 1;
      const found = await store.verify(chunk);
      bytes += found.sizeBytes;
      progress(`${chunks} chunks, ${(bytes / 1e9).toFixed(2)} GB verified`);
      for (const range of found.damaged) {
        faults.push(`${chunk.path}: ${range.length} damaged bytes at ${range.offset}`);
      }
      if (found.seal === 'broken') faults.push(`${chunk.path}: changed after it was sealed`);
      if (found.seal === 'absent') unsealed += 1;
      const track = `${chunk.camera}/${chunk.track}`;
      const before = chains.get(track);
      if (before !== undefined && found.seal === 'valid' && found.previousSeal !== before) {
        tails.push(`${chunk.path}: the chunk that was sealed before it is not here`);
      }
      if (found.sealValue !== undefined) chains.set(track, found.sealValue);
    }
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
    ],
    facts: { chunks, bytes, unsealed, faults, missing: tails },
  };
}
