// A ZIP that is written as its entries come: stored, not deflated, for video does not shrink.

import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import { ZipFile } from 'yazl';
import { NightjarError, toNightjarError } from '#base';

export interface WrittenEntry {
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class ExportArchive {
  readonly #zip = new ZipFile();
  readonly #written: Promise<unknown>;
  readonly #madeAt: Date;
  readonly #hash = createHash('sha256');
  readonly #failed = new AbortController();
  #sizeBytes = 0;

  constructor(file: FileHandle, madeAtUnixMs: number) {
    this.#madeAt = new Date(madeAtUnixMs);
    this.#written = pipeline(this.#zip.outputStream, (bytes: AsyncIterable<unknown>) =>
      this.#write(file, bytes as AsyncIterable<Buffer>),
    );
    // An entry's failure is told by `add`; without a listener the archive's own word of it would kill.
    this.#zip.on('error', () => undefined);
    // Seen at the next entry or at the end; nobody may be waiting when it happens.
    this.#written.catch((error: unknown) => this.#failed.abort(diskError(error)));
  }

  /** What lies in the file so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Writes an entry as its bytes come. Throws what `bytes` throws, or `resource-exhausted`. */
  async add(name: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenEntry> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const entry = Readable.from(
      (async function* () {
        for await (const chunk of bytes) {
          hash.update(chunk);
          sizeBytes += chunk.byteLength;
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    const ended = once(entry, 'end', { signal: this.#failed.signal });
    this.#zip.addReadStream(entry, name, { compress: false, mtime: this.#madeAt });
    try {
      await ended;
    } catch (error) {
      entry.destroy();
      throw this.#failed.signal.aborted ? this.#failed.signal.reason : error;
    }
    return { sizeBytes, sha256: hash.digest('hex') };
  }

  addWhole(name: string, bytes: Buffer): void {
    this.#zip.addBuffer(bytes, name, { compress: false, mtime: this.#madeAt });
  }

  /** Everything is in the file when this returns. Gives what the whole file is. */
  async end(): Promise<WrittenEntry> {
    this.#zip.end();
    try {
      await this.#written;
    } catch (error) {
      throw diskError(error);
    }
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }

  /** Nothing is written to the file any more when this returns. Idempotent; never throws. */
  async close(): Promise<void> {
    (this.#zip.outputStream as Readable).destroy();
    await this.#written.catch(() => undefined);
  }

  async #write(file: FileHandle, bytes: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length;) {
        const { bytesWritten } = await file.write(chunk, at, chunk.length - at);
        at += bytesWritten;
      }
      this.#hash.update(chunk);
      this.#sizeBytes += chunk.length;
    }
  }
}

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** A full disk by its name; everything else as it is. */
export function diskError(error: unknown): NightjarError {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && FULL.includes(code)
    ? new NightjarError('resource-exhausted', 'the disk for exports is full', { code }, error)
    : toNightjarError(error);
}
