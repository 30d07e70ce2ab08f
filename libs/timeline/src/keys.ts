// The keys of the LSM: a letter for the kind, then fixed-width big-endian parts, so that the order
// of keys is the order of time.
//
//   g camera16 track1 start8 chunk8   group            s camera16 track1 from8   recording span
//   c chunk8                          chunk            k camera16 track1 first8 chunk8   its chunks
//   w chunk8                          unsealed chunk   e day4 chunk8             expiry
//   p camera16 start8                 gap              o camera16                its open gap
//   m camera16 start8                 fresh motion     M day4 camera16           packed motion
//   x at8 counter4                    deletion         h hold16                  hold
//   u camera16 store16                usage            S text                    setting
//   r chunk8                          doomed groups    a                         alive
//   V                                 version
//
// Expiry and packing leave deleted rows, which a read that runs over the end of its range would
// pass one by one, up to the next row: fences of one letter stand between the kinds.

import { NightjarError, uuidFromBytes, uuidToBytes } from '#base';
import type { TrackName } from '#media';

export const DAY_US = 86_400_000_000;
const TRACKS: readonly TrackName[] = ['main', 'sub', 'audio'];

export type KeyKind =
  | 'group'
  | 'doomed'
  | 'span'
  | 'chunk'
  | 'chunk-of-camera'
  | 'unsealed'
  | 'expiry'
  | 'gap'
  | 'open-gap'
  | 'fresh-motion'
  | 'packed-motion'
  | 'deletion'
  | 'hold'
  | 'usage'
  | 'setting'
  | 'alive'
  | 'version';

const LETTERS: Readonly<Record<KeyKind, string>> = {
  group: 'g',
  doomed: 'r',
  span: 's',
  chunk: 'c',
  'chunk-of-camera': 'k',
  unsealed: 'w',
  expiry: 'e',
  gap: 'p',
  'open-gap': 'o',
  'fresh-motion': 'm',
  'packed-motion': 'M',
  deletion: 'x',
  hold: 'h',
  usage: 'u',
  setting: 'S',
  alive: 'a',
  version: 'V',
};

export const FENCES: readonly Buffer[] = [...'NTdfilnqtv'].map((letter) => Buffer.from(letter));

/** A part of a key: a UUID, a track, an integer of eight or four bytes, or bytes as they are. */
export type KeyPart =
  | { readonly uuid: string }
  | { readonly track: TrackName }
  | { readonly u64: number }
  | { readonly u32: number }
  | { readonly bytes: Uint8Array };

/** Throws invalid-argument for a part that does not fit. */
export function makeKey(kind: KeyKind, ...parts: readonly KeyPart[]): Buffer {
  let sizeBytes = 1;
  for (const part of parts) sizeBytes += sizeOf(part);
  const key = Buffer.allocUnsafe(sizeBytes);
  let at = key.write(LETTERS[kind], 0, 'latin1');
  for (const part of parts) {
    if ('uuid' in part) key.set(uuidBytes(part.uuid), at);
    else if ('track' in part) key[at] = trackNumber(part.track);
    else if ('u64' in part) writeU64(key, at, part.u64);
    else if ('u32' in part) key.writeUInt32BE(part.u32, at);
    else key.set(part.bytes, at);
    at += sizeOf(part);
  }
  return key;
}

/** Every key of a kind that begins with these parts. */
export function rangeOf(kind: KeyKind, ...parts: readonly KeyPart[]): { gte: Buffer; lt: Buffer } {
  const gte = makeKey(kind, ...parts);
  const lt = Buffer.from(gte);
  // No prefix of ours is all 0xff, so the carry ends.
  for (let at = lt.length - 1; at >= 0; at--) {
    lt[at] = ((lt[at] ?? 0) + 1) & 255;
    if (lt[at] !== 0) break;
  }
  return { gte, lt };
}

export function u64At(key: Buffer, at: number): number {
  return key.readUInt32BE(at) * 2 ** 32 + key.readUInt32BE(at + 4);
}

export function uuidAt(key: Buffer, at: number): string {
  return uuidFromBytes(key.subarray(at, at + 16));
}

export function trackAt(key: Buffer, at: number): TrackName {
  return TRACKS[key[at] ?? 0] ?? 'main';
}

/** A time fit for a key: an integer from 0 to 2^53 - 1. Throws invalid-argument for no number. */
export function boundedUs(unixUs: number): number {
  if (Number.isNaN(unixUs)) throw new NightjarError('invalid-argument', 'expected a time');
  return Math.min(Math.max(0, Math.floor(unixUs)), Number.MAX_SAFE_INTEGER);
}

/** Days since 1970-01-01, UTC. */
export function dayOf(unixUs: number): number {
  return Math.floor(unixUs / DAY_US);
}

const uuids = new Map<string, Buffer>();
const MAX_UUIDS = 10_000;

/** Camera ids come again and again: parsing them once is most of a key's cost. */
function uuidBytes(uuid: string): Buffer {
  let bytes = uuids.get(uuid);
  if (bytes === undefined) {
    bytes = uuidToBytes(uuid);
    if (uuids.size >= MAX_UUIDS) uuids.clear();
    uuids.set(uuid, bytes);
  }
  return bytes;
}

function trackNumber(track: TrackName): number {
  const number = TRACKS.indexOf(track);
  if (number < 0) throw new NightjarError('invalid-argument', 'expected a track', { track });
  return number;
}

function writeU64(key: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new NightjarError('invalid-argument', 'expected an integer from 0 to 2^53 - 1', {
      value,
    });
  }
  key.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  key.writeUInt32BE(value % 2 ** 32, at + 4);
}

function sizeOf(part: KeyPart): number {
  if ('uuid' in part) return 16;
  if ('track' in part) return 1;
  if ('u64' in part) return 8;
  return 'u32' in part ? 4 : part.bytes.length;
}
