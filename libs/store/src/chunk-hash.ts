// The running SHA-256 of one chunk, computed by the thread that hashes.

import type { HashThread } from './hash-thread.js';
import { putInSlot, SLOT_BYTES, staging } from './staging.js';

export class ChunkHash {
  readonly #thread: HashThread = staging().thread;
  readonly #id = this.#thread.newId();
  #sizeBytes = 0;
  #isOver = false;

  /** How many bytes it has taken. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes the bytes of `slot` from `start` to `end`, and the slot itself, which it gives back. */
  takeSlot(slot: Buffer, start: number, end: number): void {
    this.#sizeBytes += end - start;
    if (this.#thread.failed || this.#isOver) return staging().give(slot);
    const piece = this.#thread.submit(this.#id, slot.byteOffset + start, end - start);
    staging().giveWhenHashed(slot, this.#thread, piece);
  }

  /** Takes a copy of bytes that lie elsewhere. */
  async takeCopy(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
      const part = bytes.subarray(at, at + SLOT_BYTES);
      const slot = await staging().take();
      putInSlot(slot, part, 0);
      this.takeSlot(slot, 0, part.length);
    }
  }

  /** In hex; nothing is taken after it. Throws when the thread failed: the file must be read. */
  digest(): Promise<string> {
    this.#isOver = true;
    return this.#thread.digest(this.#id);
  }

  /** Nobody wants the digest. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#thread.forget(this.#id);
  }
}
