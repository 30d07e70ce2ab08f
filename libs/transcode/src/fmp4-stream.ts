// Cuts a stream of fMP4 bytes into its initialisation and its fragments, holding one of them at a time.

import { NightjarError } from '#base';

/** No moov, and no moof with its mdat, of ours comes near this. */
const LARGEST_PIECE_BYTES = 256 * 1024 * 1024;

export interface Fmp4Piece {
  readonly kind: 'init' | 'fragment';
  /** `ftyp` and `moov`, or one `moof` and `mdat` (with what stands in front of them). */
  readonly bytes: Buffer;
  /** A fragment's first decoding time, in ticks of its track. */
  readonly startTicks?: number;
}

/** Yields the initialisation first. Throws `data-loss` when the stream ends inside a piece. */
export async function* readFmp4Stream(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Fmp4Piece> {
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let piece: Buffer[] = [];
  let startTicks: number | undefined;
  const source = chunks[Symbol.asyncIterator]();
  const take = async (count: number): Promise<Buffer | undefined> => {
    while (heldBytes < count) {
      const next = await source.next();
      if (next.done === true) return undefined;
      held.push(next.value);
      heldBytes += next.value.byteLength;
    }
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    held.length = 0;
    heldBytes -= count;
    if (heldBytes > 0) held.push(all.subarray(count));
    return Buffer.from(all.buffer, all.byteOffset, count);
  };
  try {
    for (;;) {
      const head = await take(8);
      if (head === undefined) break;
      const type = head.toString('latin1', 4, 8);
      const long = head.readUInt32BE(0) === 1 ? await take(8) : undefined;
      const headerBytes = long === undefined ? 8 : 16;
      const sizeBytes = long === undefined ? head.readUInt32BE(0) : Number(long.readBigUInt64BE(0));
      if (sizeBytes < headerBytes || sizeBytes > LARGEST_PIECE_BYTES) {
        throw new NightjarError('data-loss', 'a box of an fMP4 stream has no fit size', {
          type,
          sizeBytes,
        });
      }
      const body = await take(sizeBytes - headerBytes);
      if (body === undefined) {
        throw new NightjarError('data-loss', 'an fMP4 stream ended inside a box', { type });
      }
      piece.push(head, ...(long === undefined ? [] : [long]), body);
      if (type === 'moof') startTicks = startOf(body);
      if (type !== 'moov' && type !== 'mdat') continue;
      const bytes = Buffer.concat(piece);
      yield type === 'moov'
        ? { kind: 'init', bytes }
        : { kind: 'fragment', bytes, ...(startTicks === undefined ? {} : { startTicks }) };
      piece = [];
      startTicks = undefined;
    }
    if (heldBytes > 0 || startTicks !== undefined)
      throw new NightjarError('data-loss', 'an fMP4 stream ended inside a box');
  } finally {
    await source.return?.();
  }
}

/** The decoding time in the `tfdt` of a moof's body; 0 without one. */
function startOf(moof: Buffer): number {
  const at = moof.indexOf('tfdt', 0, 'latin1');
  if (at < 0 || at + 16 > moof.length) return 0;
  return moof[at + 4] === 1 ? Number(moof.readBigUInt64BE(at + 8)) : moof.readUInt32BE(at + 8);
}
