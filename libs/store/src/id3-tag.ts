// ID3v2.4 tags that carry Nightjar's own data in chunks of sound, as a PRIV frame (ID3v2.4, 4.27).
// Players skip such tags between ADTS frames, as in the packed audio of HLS (RFC 8216, 3.4).

const OWNER = Buffer.from('nightjar\0', 'latin1');
/** A tag with unsynchronisation, so that no ADTS sync word can appear in it. */
export const TAG_PREFIX = Buffer.from('494433040080', 'hex');
const PRIV = Buffer.from('PRIV', 'latin1');
/** The frame is unsynchronised: in ID3v2.4 each frame says so too. */
const FRAME_FLAGS = 2;
const TAG_HEADER_BYTES = 10;
const FRAME_HEADER_BYTES = 10;
const MAX_TAG_BODY_BYTES = 1 << 20;

/** The most bytes that a body of this size takes as a tag. */
export function maxTagBytes(bodyBytes: number): number {
  return TAG_HEADER_BYTES + FRAME_HEADER_BYTES + OWNER.length + 2 * bodyBytes;
}

/** Writes a whole tag into `target` at `at` and gives its end. */
export function writeTag(target: Buffer, at: number, body: Uint8Array): number {
  const dataAt = at + TAG_HEADER_BYTES + FRAME_HEADER_BYTES;
  let end = dataAt;
  target.set(OWNER, end);
  end += OWNER.length;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index] ?? 0;
    target[end++] = byte;
    if (byte !== 0xff) continue;
    const next = body[index + 1] ?? 0;
    if (next >= 0xe0 || next === 0) target[end++] = 0;
  }
  target.set(TAG_PREFIX, at);
  writeSize(target, at + 6, end - at - TAG_HEADER_BYTES);
  target.set(PRIV, at + TAG_HEADER_BYTES);
  writeSize(target, at + TAG_HEADER_BYTES + 4, end - dataAt);
  target.writeUInt16BE(FRAME_FLAGS, at + TAG_HEADER_BYTES + 8);
  return end;
}

export interface TagUnit {
  /** Without unsynchronisation. */
  readonly body: Buffer;
  /** Behind the tag. */
  readonly end: number;
}

/** As `readSei`: `undefined` when no tag of ours stands at `at`, `incomplete` when bytes are missing. */
export function readTag(bytes: Uint8Array, at: number): TagUnit | 'incomplete' | undefined {
  const fixed = TAG_HEADER_BYTES + FRAME_HEADER_BYTES + OWNER.length;
  for (let index = 0; index < fixed; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return 'incomplete';
    const expected = expectedByte(index);
    if (expected !== undefined && byte !== expected) return undefined;
  }
  const tagBytes = readSize(bytes, at + 6);
  const frameBytes = readSize(bytes, at + TAG_HEADER_BYTES + 4);
  if (tagBytes === undefined || frameBytes !== tagBytes - FRAME_HEADER_BYTES) return undefined;
  if (frameBytes < OWNER.length || tagBytes > MAX_TAG_BODY_BYTES * 2) return undefined;
  const end = at + TAG_HEADER_BYTES + tagBytes;
  if (end > bytes.length) return 'incomplete';
  const body = Buffer.allocUnsafe(frameBytes - OWNER.length);
  let length = 0;
  for (let from = at + fixed; from < end; from++) {
    const byte = bytes[from] ?? 0;
    body[length++] = byte;
    if (byte === 0xff && from + 1 < end && bytes[from + 1] === 0) from += 1;
  }
  return { body: body.subarray(0, length), end };
}

/** What must stand at a place of the fixed part; undefined for sizes. */
function expectedByte(index: number): number | undefined {
  if (index < 6) return TAG_PREFIX[index];
  if (index < TAG_HEADER_BYTES) return undefined;
  const inFrame = index - TAG_HEADER_BYTES;
  if (inFrame < 4) return PRIV[inFrame];
  if (inFrame < 8) return undefined;
  if (inFrame < FRAME_HEADER_BYTES) return inFrame === 9 ? FRAME_FLAGS : 0;
  return OWNER[inFrame - FRAME_HEADER_BYTES];
}

/** Four bytes of seven bits. */
function writeSize(target: Buffer, at: number, size: number): void {
  for (let index = 0; index < 4; index++) target[at + index] = (size >> (21 - 7 * index)) & 127;
}

function readSize(bytes: Uint8Array, at: number): number | undefined {
  let size = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + index] ?? 0;
    if (byte > 127) return undefined;
    size = size * 128 + byte;
  }
  return size;
}
