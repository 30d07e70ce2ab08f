// Cutting a byte stream into fMP4 pieces, however the bytes arrive.

import { makeFootage } from './footage.test-support.js';
import { readFmp4Stream, type Fmp4Piece } from './fmp4-stream.js';

async function* chunked(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function all(pieces: AsyncIterable<Fmp4Piece>): Promise<Fmp4Piece[]> {
  const list: Fmp4Piece[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}

test('pieces are the same however the bytes arrive', async () => {
  const footage = await makeFootage({ seconds: 2, fps: 5, width: 128, height: 96 });
  const file = Buffer.concat([footage.init, ...footage.fragments]);
  for (const chunkBytes of [1, 7, 1000, file.length]) {
    const pieces = await all(readFmp4Stream(chunked(file, chunkBytes)));
    expect(pieces.map(({ kind }) => kind)).toEqual(['init', 'fragment', 'fragment']);
    expect(pieces.map(({ startTicks }) => startTicks)).toEqual([undefined, 0, 90_000]);
    expect(pieces[0]!.bytes.equals(footage.init)).toBe(true);
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes)).equals(file)).toBe(true);
  }
});

test('a stream that ends inside a box, or is none, is data loss', async () => {
  const footage = await makeFootage({ seconds: 1, fps: 5, width: 128, height: 96 });
  const file = Buffer.concat([footage.init, ...footage.fragments]);
  await expect(all(readFmp4Stream(chunked(file.subarray(0, -3), 100)))).rejects.toMatchObject({
    code: 'data-loss',
  });
  await expect(
    all(readFmp4Stream(chunked(Buffer.from('no box at all'), 100))),
  ).rejects.toMatchObject({ code: 'data-loss' });
});
