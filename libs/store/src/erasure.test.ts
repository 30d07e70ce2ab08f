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
  await (await codecOf(id)).fill(shards, [10, 11, 12, 13], SIZE);
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
      await codec.fill(torn, missing, SIZE);
      if (!torn.equals(shards)) throw new Error(`lost ${missing.join(' ')}`);
      patterns += 1;
    }
  }
  expect(patterns).toBe(14 + 91 + 364 + 1001);
});

test('the codecs differ, so that a stripe must name its own', async () => {
  const native = await encoded(1);
  const other = Buffer.from(native);
  await (await codecOf(2)).fill(other, [10, 11, 12, 13], SIZE);
  expect(other.subarray(0, DATA_SHARDS * SIZE)).toEqual(native.subarray(0, DATA_SHARDS * SIZE));
  expect(other.equals(native)).toBe(false);
});

test.each([1, 2] as const)('codec %i gives back a block without the rest', async (id) => {
  const codec = await codecOf(id);
  const size = 4 * SIZE;
  const blockBytes = 3 * SIZE;
  const shards = Buffer.alloc(ALL_SHARDS * size);
  shards.set(randomBytes(DATA_SHARDS * size));
  await codec.fill(shards, [10, 11, 12, 13], blockBytes);
  for (const [from, to] of [
    [0, blockBytes],
    [blockBytes, size],
    [0, size],
  ] as const) {
    const parts = Array.from({ length: ALL_SHARDS }, (_, shard) =>
      shards.subarray(shard * size + from, shard * size + to),
    );
    const whole = Buffer.concat(parts);
    const torn = Buffer.from(whole);
    for (const shard of [1, 4, 7, 13])
      torn.fill(0xee, shard * (to - from), (shard + 1) * (to - from));
    await codec.fill(torn, [1, 4, 7, 13], blockBytes);
    expect(torn.equals(whole)).toBe(true);
  }
});
