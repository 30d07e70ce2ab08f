import { randomBytes } from 'node:crypto';
import { ALL_SHARDS, codecOf, DATA_SHARDS, type CodecId } from './erasure.js';

const SIZE = 64;

/** Every choice of `count` shards. */
function* choices(count: number, from = 0): Generator<number[]> {
  if (count === 0) yield [];
  else {
    for (let shard = from; shard < ALL_SHARDS; shard++) {
      for (const rest of choices(count - 1, shard + 1)) yield [shard, ...rest];
    }
  }
}

async function encoded(id: CodecId): Promise<Buffer> {
  const shards = Buffer.alloc(ALL_SHARDS * SIZE);
  shards.set(randomBytes(DATA_SHARDS * SIZE));
  await (await codecOf(id)).fill(shards, [10, 11, 12, 13]);
  return shards;
}

test.each([1, 2] as const)('codec %i gives back any one to four shards of fourteen', async (id) => {
  const codec = await codecOf(id);
  const shards = await encoded(id);
  let patterns = 0;
  for (const count of [1, 2, 3, 4]) {
    for (const missing of choices(count)) {
      const torn = Buffer.from(shards);
      for (const shard of missing) torn.fill(0xee, shard * SIZE, (shard + 1) * SIZE);
      await codec.fill(torn, missing);
      if (!torn.equals(shards)) throw new Error(`lost ${missing.join(' ')}`);
      patterns += 1;
    }
  }
  expect(patterns).toBe(14 + 91 + 364 + 1001);
});

test('the codecs differ, so that a stripe must name its own', async () => {
  const native = await encoded(1);
  const other = Buffer.from(native);
  await (await codecOf(2)).fill(other, [10, 11, 12, 13]);
  expect(other.subarray(0, DATA_SHARDS * SIZE)).toEqual(native.subarray(0, DATA_SHARDS * SIZE));
  expect(other.equals(native)).toBe(false);
});
