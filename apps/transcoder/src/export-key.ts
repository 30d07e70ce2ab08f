// The installation's signing key: made on first use, kept with mode 0600, never leaves the machine.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { NightjarError } from '#base';

export class ExportKey {
  /** PEM, for whoever verifies. */
  readonly publicPem: string;
  /** SHA-256 of the public key's DER form, in hexadecimal: short enough to be read out. */
  readonly fingerprint: string;
  readonly #private: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#private = privateKey;
    const publicKey = createPublicKey(privateKey);
    this.publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.fingerprint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex');
  }

  /** Throws `failed-precondition` when the file is there and is no Ed25519 key. */
  static async open(path: string): Promise<ExportKey> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const pem = (await readIfThere(path)) ?? (await make(path));
    try {
      const key = createPrivateKey(pem);
      if (key.asymmetricKeyType === 'ed25519') return new ExportKey(key);
    } catch {
      // Falls through to the one refusal for everything that is no such key.
    }
    throw new NightjarError('failed-precondition', 'expected an Ed25519 key to sign exports with', {
      path,
    });
  }

  /** The 64 bytes of a pure Ed25519 signature (RFC 8032). */
  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#private);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Two processes that start together end up with the same key: `link` lets only one of them win. */
async function make(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  });
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(path, 'utf8');
}
