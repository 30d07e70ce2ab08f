// A chunk file that is written past the page cache (O_DIRECT) and at once (O_DSYNC): whole blocks
// from aligned memory.

import { fdatasync, ftruncate, write as writeFd } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ChunkFile, WrittenBytes } from './chunk-files.js';
import { asDiskError } from './disk-error.js';
import { BLOCK_BYTES, putInSlot, SLOT_BYTES, staging } from './staging.js';

const EMPTY = Buffer.alloc(0);
const ZEROS = Buffer.alloc(BLOCK_BYTES);
const datasync = promisify(fdatasync);
const truncateFd = promisify(ftruncate);

/**
 * The last block of a write is filled up with zeros, which are trailing zero bytes in Annex B; the
 * next write begins with that block again, and `close` cuts them off. Only appends: a write begins
 * where the last one ended or where `truncate` cut.
 */
export class DirectChunkFile implements ChunkFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #fd: number;
  #endBytes = 0;
  /** The bytes behind the last whole block. */
  #tail: Buffer = EMPTY;
  /** The file is longer than its content. */
  #isPadded = false;
  /** A cut is not safe by itself. */
  #isCut = false;
  #isLeft = false;
  /** Its descriptor may be another file's now. */
  #isClosed = false;

  /** The file is new and was opened with O_DIRECT and O_DSYNC. */
  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
    this.#fd = handle.fd;
  }

  async write(
    buffers: readonly Uint8Array[],
    position: number,
    written?: WrittenBytes,
  ): Promise<void> {
    try {
      if (position !== this.#endBytes) {
        throw new Error(`expected an append at ${this.#endBytes}, found one at ${position}`);
      }
      const source = new Source(buffers);
      let blockStart = position - this.#tail.length;
      let tail = this.#tail;
      while (source.remaining > 0) {
        if (this.#isLeft || this.#isClosed) throw new Error('nobody waits for the rest of it');
        const taken = staging().take();
        let slot: Buffer | undefined = taken instanceof Buffer ? taken : await taken;
        try {
          // Its memory may hold something else by now.
          if (this.#isLeft) throw new Error('nobody waits for this write any more');
          const kept = tail.length;
          putInSlot(slot, tail, 0);
          const length = kept + source.fill(slot, kept);
          const padded = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
          putInSlot(slot, ZEROS.subarray(0, padded - length), length);
          this.#isPadded = true;
          await writeWhole(this.#fd, slot, { length: padded, position: blockStart });
          const whole = length - (length % BLOCK_BYTES);
          tail = whole === length ? EMPTY : Buffer.from(slot.subarray(whole, length));
          // Of pieces the later ones might fail.
          const isAll = source.remaining === 0 && blockStart + kept === position;
          blockStart += whole;
          if (isAll && written !== undefined) {
            written.takeSlot(slot, kept, length);
            slot = undefined;
          }
        } finally {
          if (slot !== undefined) staging().give(slot);
        }
      }
      this.#tail = tail;
      this.#endBytes = blockStart + tail.length;
    } catch (error) {
      throw asDiskError(error, this.#path);
    }
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    throw asDiskError(
      new Error(`a file being written is not read: ${buffer.length} at ${position}`),
      this.#path,
    );
  }

  /** What was written is safe already: one operation does the work of two. */
  async sync(): Promise<void> {
    if (!this.#isCut) return;
    this.#isCut = false;
    await datasync(this.#fd).catch((error: unknown) => {
      throw asDiskError(error, this.#path);
    });
  }

  /** Cuts off what a failed write left, or what is not safe. */
  async truncate(sizeBytes: number): Promise<void> {
    try {
      if (this.#isClosed) throw new Error('a file that was closed is not cut');
      const blockStart = sizeBytes - (sizeBytes % BLOCK_BYTES);
      if (sizeBytes !== this.#endBytes) {
        this.#tail =
          sizeBytes === blockStart ? EMPTY : await this.#readBlock(blockStart, sizeBytes);
      }
      await truncateFd(this.#fd, sizeBytes);
      this.#endBytes = sizeBytes;
      this.#isPadded = false;
      this.#isCut = true;
    } catch (error) {
      throw asDiskError(error, this.#path);
    }
  }

  async sizeBytes(): Promise<number> {
    return this.#endBytes;
  }

  leave(): void {
    this.#isLeft = true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (this.#isPadded) await truncateFd(this.#fd, this.#endBytes);
    } catch (error) {
      throw asDiskError(error, this.#path);
    } finally {
      this.#isClosed = true;
      await this.#handle.close();
    }
  }

  async #readBlock(blockStart: number, sizeBytes: number): Promise<Buffer> {
    const slot = await staging().take();
    try {
      const { bytesRead } = await this.#handle.read(slot, 0, BLOCK_BYTES, blockStart);
      if (blockStart + bytesRead < sizeBytes) throw new Error('the file is shorter than it was');
      return Buffer.from(slot.subarray(0, sizeBytes - blockStart));
    } finally {
      staging().give(slot);
    }
  }
}

interface Span {
  readonly length: number;
  readonly position: number;
}

async function writeWhole(fd: number, slot: Buffer, { length, position }: Span): Promise<void> {
  let done = 0;
  while (done < length) {
    const rest = { offset: done, length: length - done, position: position + done };
    const count = await writeOnce(fd, slot, rest);
    // What is no whole block could not be gone on with.
    const usable = count - (count % BLOCK_BYTES);
    if (usable === 0) throw new Error('the disk took no block');
    done += usable;
  }
}

function writeOnce(
  fd: number,
  slot: Buffer,
  { offset, length, position }: Span & { offset: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    writeFd(fd, slot, offset, length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

/** Several buffers, taken one behind the other. */
class Source {
  readonly #buffers: readonly Uint8Array[];
  #index = 0;
  #offset = 0;
  remaining: number;

  constructor(buffers: readonly Uint8Array[]) {
    this.#buffers = buffers;
    this.remaining = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  /** Fills `slot` from `start`; gives how many bytes. */
  fill(slot: Buffer, start: number): number {
    let at = start;
    while (at < SLOT_BYTES && this.remaining > 0) {
      const buffer = this.#buffers[this.#index] ?? EMPTY;
      const count = Math.min(buffer.length - this.#offset, SLOT_BYTES - at);
      putInSlot(slot, buffer.subarray(this.#offset, this.#offset + count), at);
      at += count;
      this.#offset += count;
      this.remaining -= count;
      if (this.#offset === buffer.length) {
        this.#index += 1;
        this.#offset = 0;
      }
    }
    return at - start;
  }
}
