// The file of a backup: one line of JSON in the clear, then compressed JSON lines under a passphrase
// (scrypt, AES-256-GCM), the tag of the cipher, and a SHA-256 of everything before it.
//
//   {"nightjar":"configuration backup","version":1,"createdAt":...,"kdf":{...},"nonce":...}\n
//   AES-256-GCM(gzip(JSON lines)); the line above is bound to it
//   tag16 sha256

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  type Hash,
} from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { NightjarError } from '#base';
import { asFileError } from './file-error.js';

const TAG_BYTES = 16;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
const LONGEST_HEADER = 4096;
/** 64 MB and about a fifth of a second for each guess at a passphrase. */
const COST = { N: 65_536, r: 8, p: 1 };
const MOST_SCRYPT_BYTES = 1 << 30;
export const BACKUP_VERSION = 1;

const headerSchema = z.object({
  nightjar: z.literal('configuration backup'),
  version: z.number().int(),
  createdAt: z.iso.datetime(),
  kdf: z.object({
    name: z.literal('scrypt'),
    N: z.number().int().min(2).max(1_048_576),
    r: z.number().int().min(1).max(16),
    p: z.number().int().min(1).max(4),
    salt: z.base64(),
  }),
  cipher: z.literal('aes-256-gcm'),
  nonce: z.base64(),
});
type Header = z.output<typeof headerSchema>;

export interface OpenedBackup {
  readonly createdAt: string;
  readonly sizeBytes: number;
  /** Its JSON lines, from the first on; may be read once. */
  lines(): AsyncGenerator<unknown>;
}

/** Writes lines as they come. The file is there when all of it is on disk, or not at all. */
export async function writeBackup(
  path: string,
  o: { passphrase: string; createdAt: string; lines: AsyncIterable<unknown> },
): Promise<{ sizeBytes: number }> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const kdf = { name: 'scrypt' as const, ...COST, salt: salt.toString('base64') };
  const header: Header = {
    ...{ nightjar: 'configuration backup', version: BACKUP_VERSION, createdAt: o.createdAt },
    ...{ kdf, cipher: 'aes-256-gcm', nonce: nonce.toString('base64') },
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const cipher = createCipheriv('aes-256-gcm', await keyOf(o.passphrase, header), nonce);
  cipher.setAAD(line);
  const text = async function* () {
    for await (const value of o.lines) yield `${JSON.stringify(value)}\n`;
  };
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const whole = async function* (parts: AsyncIterable<Buffer>) {
    const count = (part: Buffer) => {
      hash.update(part);
      sizeBytes += part.length;
      return part;
    };
    yield count(line);
    for await (const part of parts) yield count(part);
    yield count(cipher.getAuthTag());
    sizeBytes += HASH_BYTES;
    yield hash.digest();
  };
  const partial = `${path}.part`;
  // Others have no business with it, though it tells nothing without the passphrase.
  const file = createWriteStream(partial, { mode: 0o600, flags: 'wx', flush: true });
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  try {
    await pipeline(Readable.from(text()), createGzip(), cipher, whole, file);
    await rename(partial, path);
  } catch (error) {
    // The file may only just be made when the lines have failed already.
    await closed;
    if ((error as { code?: unknown }).code !== 'EEXIST') await rm(partial, { force: true });
    throw asFileError(error, path);
  }
  return { sizeBytes };
}

/**
 * Reads all of it once, so that what `lines` then gives is whole and of who knew the passphrase.
 * Throws data-loss for a file that was cut or changed, permission-denied for a wrong passphrase,
 * invalid-argument for what is no backup, unsupported for one of a newer Nightjar.
 */
export async function openBackup(path: string, passphrase: string): Promise<OpenedBackup> {
  const { header, line, sizeBytes } = await readHeader(path);
  const end = sizeBytes - HASH_BYTES;
  const hash = createHash('sha256');
  const trailer = await tail(path, sizeBytes, hash);
  const { tag, sha256 } = trailer;
  if (end - TAG_BYTES <= line.length || !hash.digest().equals(sha256)) {
    throw new NightjarError(
      'data-loss',
      `the backup ${path} was cut short or changed: its checksum is not that of its ${sizeBytes} bytes`,
      { path },
    );
  }
  const key = await keyOf(passphrase, header);
  const plain = () => {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(header.nonce, 'base64'));
    decipher.setAAD(line).setAuthTag(tag);
    const bytes = createReadStream(path, { start: line.length, end: end - TAG_BYTES - 1 });
    return { bytes, decipher };
  };
  try {
    const { bytes, decipher } = plain();
    await pipeline(bytes, decipher, async (parts: AsyncIterable<Buffer>) => {
      for await (const part of parts) void part;
    });
  } catch (error) {
    throw new NightjarError(
      'permission-denied',
      `the passphrase does not open the backup ${path}`,
      { path },
      error,
    );
  }
  return {
    createdAt: header.createdAt,
    sizeBytes,
    async *lines() {
      const { bytes, decipher } = plain();
      const text = new PassThrough();
      const done = pipeline(bytes, decipher, createGunzip(), text);
      done.catch((error: unknown) => text.destroy(error as Error));
      for await (const row of createInterface({ input: text, crlfDelay: Infinity })) {
        yield JSON.parse(row) as unknown;
      }
      await done;
    },
  };
}

async function readHeader(
  path: string,
): Promise<{ header: Header; line: Buffer; sizeBytes: number }> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw asFileError(error, path);
  });
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(LONGEST_HEADER),
      0,
      LONGEST_HEADER,
      0,
    );
    const found = buffer.subarray(0, bytesRead);
    const length = found.indexOf('\n') + 1;
    const line = found.subarray(0, length);
    return { header: parseHeader(line.toString(), path), line, sizeBytes: size };
  } finally {
    await file.close();
  }
}

function parseHeader(line: string, path: string): Header {
  let value: unknown;
  try {
    value = JSON.parse(line) as unknown;
  } catch {
    value = undefined;
  }
  const version = (value as { version?: unknown } | undefined)?.version;
  if (typeof version === 'number' && version > BACKUP_VERSION) {
    throw new NightjarError(
      'unsupported',
      `expected a backup of version ${BACKUP_VERSION}, found ${version}: it comes from a newer Nightjar`,
    );
  }
  const header = headerSchema.safeParse(value);
  if (header.success) return header.data;
  throw new NightjarError(
    'invalid-argument',
    `expected a backup of Nightjar, found something else in ${path}`,
    { path },
  );
}

/** Feeds all but the last hash to `hash`; gives what lies at the end. */
async function tail(
  path: string,
  sizeBytes: number,
  hash: Hash,
): Promise<{ tag: Buffer; sha256: Buffer }> {
  const end = sizeBytes - HASH_BYTES;
  if (end < TAG_BYTES) return { tag: Buffer.alloc(TAG_BYTES), sha256: Buffer.alloc(HASH_BYTES) };
  for await (const part of createReadStream(path, { end: end - 1 })) hash.update(part as Buffer);
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(TAG_BYTES + HASH_BYTES);
    await file.read(bytes, 0, bytes.length, end - TAG_BYTES);
    return { tag: bytes.subarray(0, TAG_BYTES), sha256: bytes.subarray(TAG_BYTES) };
  } finally {
    await file.close();
  }
}

function keyOf(passphrase: string, { kdf }: Header): Promise<Buffer> {
  const { N, r, p, salt } = kdf;
  const options = { N, r, p, maxmem: MOST_SCRYPT_BYTES };
  const text = passphrase.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'base64'), KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
