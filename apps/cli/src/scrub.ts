// `nightjar scrub`: reads every chunk now, at full speed, and says which recorded time is damaged.

import { messageOf } from '#base';
import type { ChunkVerification, StripeHealth } from '#store';
import { openStore, warmHint } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

interface Damage {
  readonly chunk: string;
  readonly what: string;
  readonly from?: string;
  readonly to?: string;
}

export async function scrub(options: CommandOptions, progress: Progress): Promise<Report> {
  const store = await openStore(options);
  const damage: Damage[] = [];
  let chunks = 0;
  let bytes = 0;
  let mended = 0;
  try {
    const total = await store.countChunks();
    for await (const chunk of store.listAll()) {
      try {
        if (chunk.store === store.warm?.id) {
          const health = await store.warm.mend(chunk.path, { write: options.mend });
          mended += health.mended.length;
          damage.push(...shardsOf(chunk.path, health));
        }
        const found = await store.verify(chunk);
        bytes += found.sizeBytes;
        damage.push(...damageOf(chunk.path, found));
      } catch (error) {
        damage.push({ chunk: chunk.path, what: messageOf(error) });
      }
      chunks += 1;
      progress({ done: chunks, total, unit: 'chunks', bytes });
    }
  } finally {
    await store.close();
  }
  const summary = `${chunks} chunks, ${(bytes / 1e9).toFixed(2)} GB: ${
    damage.length === 0 ? 'nothing is damaged' : `${damage.length} faults`
  }`;
  const lines = damage.map(({ chunk, what, from, to }) =>
    from === undefined && to === undefined
      ? `${chunk}: ${what}`
      : `${chunk}: ${what}; lost from ${from ?? 'its beginning'} to ${to ?? 'its end'}`,
  );
  return {
    ok: damage.length === 0,
    lines: [
      ...lines,
      ...(mended === 0 ? [] : [`${mended} shards were written anew`]),
      summary,
      ...warmHint(options),
    ],
    facts: { chunks, bytes, mended, damage, warmDirectories: options.warmDirs.length },
  };
}

function shardsOf(chunk: string, { bad, mended, away }: StripeHealth): Damage[] {
  return bad
    .filter((shard) => !mended.includes(shard))
    .map((shard) => ({
      chunk,
      what: `shard ${shard} is ${away.includes(shard) ? 'on a directory that is away' : 'lost or damaged'}`,
    }));
}

function damageOf(chunk: string, found: ChunkVerification): Damage[] {
  if (found.damaged.length === 0 && found.seal === 'broken') {
    return [{ chunk, what: 'it is not what was sealed, though every record has its checksum' }];
  }
  return found.damaged.map(({ offset, length, fromUnixUs, toUnixUs }) => ({
    chunk,
    what: `${length} damaged bytes at ${offset}`,
    ...(fromUnixUs === undefined ? {} : { from: instantOf(fromUnixUs) }),
    ...(toUnixUs === undefined ? {} : { to: instantOf(toUnixUs) }),
  }));
}

function instantOf(unixUs: number): string {
  return new Date(Math.round(unixUs / 1000)).toISOString();
}
