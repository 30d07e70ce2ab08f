// What the thread hashes is what was handed to it, in order, and memory comes back from it.

import { createHash } from 'node:crypto';
import { ChunkHash } from './chunk-hash.js';
import { putInSlot, SLOT_BYTES, staging } from './staging.js';

function bytes(count: number, seed: number): Buffer {
  const result = Buffer.allocUnsafe(count);
  for (let index = 0; index < count; index++) result[index] = (index * 31 + seed * 7) % 253;
  return result;
}

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

async function handOver(hash: ChunkHash, part: Uint8Array, start: number): Promise<void> {
  const slot = await staging().take();
  putInSlot(slot, part, start);
  hash.takeSlot(slot, start, start + part.length);
}

test('hashes of many chunks, handed over in turn, do not mix', async () => {
  const chunks = Array.from({ length: 60 }, (_, at) => ({
    hash: new ChunkHash(),
    parts: [bytes(100_000 + at, at), bytes(1, at + 1), bytes(33_333, at + 2), bytes(0, 0)],
  }));
  // Far more pieces than there are slots: who takes one waits for the thread.
  for (let piece = 0; piece < 4; piece++) {
    await Promise.all(
      chunks.map(({ hash, parts }) =>
        handOver(hash, parts[piece] ?? Buffer.alloc(0), (piece * 13) % 64),
      ),
    );
  }
  for (const { hash, parts } of chunks) {
    expect(hash.sizeBytes).toBe(parts.reduce((sum, part) => sum + part.length, 0));
    expect(await hash.digest()).toBe(sha256(parts));
  }
});

test('a hash of nothing, and one of more than a slot holds', async () => {
  expect(await new ChunkHash().digest()).toBe(sha256([]));
  const large = bytes(2 * SLOT_BYTES + 12_345, 3);
  const hash = new ChunkHash();
  await hash.takeCopy(large.subarray(0, 5));
  await hash.takeCopy(large.subarray(5));
  expect(hash.sizeBytes).toBe(large.length);
  expect(await hash.digest()).toBe(sha256([large]));
});

test('a hash that nobody wants any more gives its memory back', async () => {
  for (let round = 0; round < 200; round++) {
    const hash = new ChunkHash();
    await hash.takeCopy(bytes(1000, round));
    hash.end();
    hash.end();
    await hash.takeCopy(bytes(1000, round));
  }
  const hash = new ChunkHash();
  await hash.takeCopy(bytes(1000, 1));
  expect(await hash.digest()).toBe(sha256([bytes(1000, 1)]));
});

test('where the thread fails, its hashes do and later ones do not', async () => {
  const lost = new ChunkHash();
  await lost.takeCopy(bytes(1000, 1));
  const asked = new ChunkHash();
  const answer = asked.digest();
  await staging().thread.end();
  await expect(Promise.all([answer, lost.digest()])).rejects.toThrow(/ended/);
  await lost.takeCopy(bytes(1000, 2));
  for (let round = 0; round < 100; round++) {
    const hash = new ChunkHash();
    await hash.takeCopy(bytes(SLOT_BYTES, round));
    if (round % 30 === 0) expect(await hash.digest()).toBe(sha256([bytes(SLOT_BYTES, round)]));
    else hash.end();
  }
});
