// Encrypts small secrets at rest with AES-256-GCM under one key of the installation.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { NightjarError } from './errors.js';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class SecretBox {
  readonly #key: Buffer;

  /** `keyMaterial` is any string with at least 32 characters of entropy; it is hashed to a key. */
  constructor(keyMaterial: string) {
    if (keyMaterial.length < 32) {
      throw new NightjarError('invalid-argument', 'the secret key needs at least 32 characters');
    }
    this.#key = createHash('sha256').update('nightjar secret box\0').update(keyMaterial).digest();
  }

  /** `purpose` is bound to the text: a sealed text opens only under the same purpose. */
  seal(plainText: string, purpose: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(plainText, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]).toString(
      'base64',
    );
  }

  /** Throws `data-loss` when the text was changed, cut or sealed under another key. */
  open(sealedText: string, purpose: string): string {
    const bytes = Buffer.from(sealedText, 'base64');
    if (bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) {
      throw new NightjarError('data-loss', 'a sealed secret has an unknown form', { purpose });
    }
    const tagAt = 1 + NONCE_BYTES;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(1, tagAt))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(tagAt, tagAt + TAG_BYTES));
      const plain = decipher.update(bytes.subarray(tagAt + TAG_BYTES));
      return Buffer.concat([plain, decipher.final()]).toString('utf8');
    } catch (error) {
      throw new NightjarError('data-loss', 'a sealed secret does not open', { purpose }, error);
    }
  }
}
