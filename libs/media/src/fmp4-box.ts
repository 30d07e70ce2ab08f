// The smallest pieces of ISO/IEC 14496-12: boxes and full boxes as bytes.

/** A box: its size, its four-character type, its content. */
export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  let sizeBytes = 8;
  for (const part of content) sizeBytes += part.byteLength;
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUInt32BE(sizeBytes, 0);
  bytes.write(type, 4, 'latin1');
  let at = 8;
  for (const part of content) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** A box that begins with a version and 24 bits of flags. */
export function fullBox(
  type: string,
  versionAndFlags: { readonly version?: number; readonly flags?: number },
  ...content: readonly Uint8Array[]
): Buffer {
  const { version = 0, flags = 0 } = versionAndFlags;
  return box(type, u32(((version << 24) | flags) >>> 0), ...content);
}

export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
}

export function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}
