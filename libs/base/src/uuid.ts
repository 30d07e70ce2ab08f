// UUIDs as text and as the sixteen bytes that keys and chunk headers hold.

import { NightjarError } from './errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Throws `invalid-argument` unless `text` is a lower-case UUID. */
export function uuidToBytes(text: string): Buffer {
  if (!isUuid(text)) throw new NightjarError('invalid-argument', 'expected a UUID', { text });
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
