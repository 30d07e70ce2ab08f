// The stripe of FORMAT.md, byte for byte, and trailers that are not what they seem.

import { crc32c } from '@node-rs/crc32';
import { readFile } from 'node:fs/promises';
import { ALL_SHARDS, codecOf } from './erasure.js';
import {
  blockCrcsOf,
  readTrailer,
  shapeOf,
  storedBytesOf,
  TRAILER_BYTES,
  writeTrailer,
} from './shard.js';

const HEX_COLUMNS = 48;

async function examples(): Promise<string[]> {
  const text = await readFile(new URL('../FORMAT.md', import.meta.url), 'utf8');
  return [...text.matchAll(/```hex\n([^`]*)```/g)].map(([, block = '']) =>
    block
      .split('\n')
      .map((line) => {
        const [, zeros] = /^\.{3} +(\d+) zeros$/.exec(line) ?? [];
        if (zeros !== undefined) return '00'.repeat(Number(zeros));
        return line.slice(0, HEX_COLUMNS).replaceAll(' ', '');
      })
      .join(''),
  );
}

async function example(): Promise<Buffer> {
  const chunk = Buffer.from((await examples())[0] ?? '', 'hex');
  const shape = shapeOf(chunk.length);
  const all = Buffer.alloc(ALL_SHARDS * shape.shardBytes);
  all.set(chunk);
  await (await codecOf(2)).fill(all, [10, 11, 12, 13], shape.blockBytes);
  const storedOf = (shard: number) => {
    const start = shard * shape.shardBytes;
    return all.subarray(start, start + storedBytesOf(shape, shard));
  };
  const shardCrcs = Array.from({ length: ALL_SHARDS }, (_, shard) => crc32c(storedOf(shard)));
  const set = '0a8a5d35-5f0c-44ea-97b9-3d6f4d6a2c00';
  const camera = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
  const facts = { codec: 2, set, camera, chunkId: 1_767_225_600_000_000 } as const;
  const blockCrcs = blockCrcsOf(storedOf(2), shape.blockBytes);
  const stripe = { ...shape, ...facts, shardCrcs };
  return Buffer.concat([storedOf(2), writeTrailer({ stripe, shard: 2, blockCrcs })]);
}

test('the shard of FORMAT.md is what is written, byte for byte, and reads back', async () => {
  const bytes = await example();
  expect(bytes.toString('hex')).toBe((await examples())[1]);
  const trailer = readTrailer(bytes.subarray(-TRAILER_BYTES));
  expect(trailer).toMatchObject({ shard: 2, stripe: { codec: 2, shardBytes: 64 } });
  expect(trailer.stripe.shardCrcs).toHaveLength(ALL_SHARDS);
});

test('a trailer with any byte changed is none', async () => {
  const trailer = (await example()).subarray(-TRAILER_BYTES);
  for (let at = 0; at < TRAILER_BYTES; at++) {
    const torn = Buffer.from(trailer);
    torn.writeUInt8((torn[at] ?? 0) ^ 0x20, at);
    expect(() => readTrailer(torn)).toThrow('expected the trailer of a shard');
  }
  expect(() => readTrailer(trailer.subarray(1))).toThrow('expected the trailer of a shard');
});

test('a newer version is said to be one, not damage', async () => {
  const trailer = Buffer.from((await example()).subarray(-TRAILER_BYTES));
  trailer[8] = 2;
  trailer.writeUInt32BE(crc32c(trailer.subarray(0, TRAILER_BYTES - 4)), TRAILER_BYTES - 4);
  expect(() => readTrailer(trailer)).toThrow('expected a shard of version 1');
});

test.each([1, 63, 64, 640, 641, 9_999_999, 10_000_000, 268_435_456])(
  'a chunk of %i bytes is cut into ten ranges that add up, in few enough blocks',
  (chunkBytes) => {
    const shape = shapeOf(chunkBytes);
    let sum = 0;
    for (let shard = 0; shard < 10; shard++) sum += storedBytesOf(shape, shard);
    expect(sum).toBe(chunkBytes);
    expect(shape.shardBytes % 64).toBe(0);
    expect(Math.ceil(shape.shardBytes / shape.blockBytes)).toBeLessThanOrEqual(128);
  },
);
