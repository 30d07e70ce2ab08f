// Reads ISO/IEC 14496-12 boxes: out of a buffer, and one after the other out of a stream of bytes.

import { NightjarError } from '#base';

/** Everything but the payload is far smaller. */
const LARGEST_BOX_BYTES = 64 * 1024 * 1024;

export interface Box {
  readonly type: string;
  /** The whole box, header included; a view. */
  readonly bytes: Buffer;
  /** Without the header; a view. */
  readonly body: Buffer;
}

/** The boxes that lie in `bytes`, one after the other. Throws `data-loss` where they do not fit. */
export function boxesOf(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const sizeBytes = at + 8 <= bytes.length ? bytes.readUInt32BE(at) : 0;
    if (sizeBytes < 8 || at + sizeBytes > bytes.length) throw broken();
    const whole = bytes.subarray(at, at + sizeBytes);
    boxes.push({ type: whole.toString('latin1', 4, 8), bytes: whole, body: whole.subarray(8) });
    at += sizeBytes;
  }
  return boxes;
}

/** The first box below `bytes` at the end of the path; undefined when there is none. */
export function findBox(bytes: Buffer, ...path: readonly string[]): Box | undefined {
  let found: Box | undefined;
  for (const type of path) {
    found = boxesOf(found?.body ?? bytes).find((box) => box.type === type);
    if (found === undefined) return undefined;
  }
  return found;
}

/** A box of a stream: whole, or with its payload still to come. */
export type StreamedBox =
  | { readonly type: string; readonly bytes: Buffer }
  | { readonly type: 'mdat'; readonly header: Buffer; readonly payload: AsyncIterable<Buffer> };

export class BoxStream {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The payload of an `mdat` is to be read before the next call. Undefined at the end. */
  async next(): Promise<StreamedBox | undefined> {
    if (!(await this.#hold(8))) {
      if (this.#held.length > 0) throw broken();
      return undefined;
    }
    const sizeBytes = this.#held.readUInt32BE(0);
    const type = this.#held.toString('latin1', 4, 8);
    if (sizeBytes < 8) throw broken();
    if (type === 'mdat') {
      return { type, header: this.#take(8), payload: this.#payload(sizeBytes - 8) };
    }
    if (sizeBytes > LARGEST_BOX_BYTES || !(await this.#hold(sizeBytes))) throw broken();
    // Copied: what is patched in it must not touch what the source may still use.
    return { type, bytes: Buffer.from(this.#take(sizeBytes)) };
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async *#payload(sizeBytes: number): AsyncGenerator<Buffer> {
    let left = sizeBytes;
    while (left > 0) {
      if (!(await this.#hold(1))) throw broken();
      const chunk = this.#take(Math.min(left, this.#held.length));
      left -= chunk.length;
      yield chunk;
    }
  }

  async #hold(sizeBytes: number): Promise<boolean> {
    const more: Uint8Array[] = [];
    let length = this.#held.length;
    while (length < sizeBytes) {
      const { value, done } = await this.#source.next();
      if (done === true) break;
      more.push(value);
      length += value.byteLength;
    }
    if (more.length === 1 && this.#held.length === 0) {
      const [only = new Uint8Array()] = more;
      this.#held = Buffer.from(only.buffer, only.byteOffset, only.byteLength);
    } else if (more.length > 0) this.#held = Buffer.concat([this.#held, ...more]);
    return length >= sizeBytes;
  }

  #take(sizeBytes: number): Buffer {
    const taken = this.#held.subarray(0, sizeBytes);
    this.#held = this.#held.subarray(sizeBytes);
    return taken;
  }
}

function broken(): NightjarError {
  return new NightjarError('data-loss', 'expected whole MP4 boxes, found a piece of one');
}
