// Renditions that were made once, on disk: bounded, the least used go first, damage is noticed.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf, type Clock, type Log } from '#base';

/** `NJRC`, then the CRC-32 of what precedes it: a file that a power cut emptied or cut is no hit. */
const TRAILER = Buffer.from('NJRC', 'latin1');
const TRAILER_BYTES = 8;
const NAME = /^[0-9a-f]{64}\.m4s$/;

export interface RenditionCacheOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RenditionCacheStatus {
  readonly files: number;
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly hits: number;
  readonly misses: number;
}

export class RenditionCache {
  readonly #options: RenditionCacheOptions;
  /** Sizes by name, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  #sizeBytes = 0;
  #hits = 0;
  #misses = 0;

  private constructor(options: RenditionCacheOptions) {
    this.#options = options;
  }

  /** Finds what an earlier run left, and clears away what it left unfinished. */
  static async open(options: RenditionCacheOptions): Promise<RenditionCache> {
    const cache = new RenditionCache(options);
    await mkdir(options.directory, { recursive: true });
    const found: { name: string; sizeBytes: number; usedAtMs: number }[] = [];
    for (const name of await readdir(options.directory)) {
      const path = join(options.directory, name);
      if (!NAME.test(name)) {
        await rm(path, { recursive: true, force: true });
        continue;
      }
      const { size, mtimeMs } = await stat(path);
      found.push({ name, sizeBytes: size, usedAtMs: mtimeMs });
    }
    found.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { name, sizeBytes } of found) cache.#note(name, sizeBytes);
    await cache.#makeRoom(0);
    return cache;
  }

  get status(): RenditionCacheStatus {
    return {
      files: this.#sizes.size,
      sizeBytes: this.#sizeBytes,
      maxBytes: this.#options.maxBytes,
      hits: this.#hits,
      misses: this.#misses,
    };
  }

  /** `key` is 64 hexadecimal digits. Absence, damage and an unreadable disk are all undefined. */
  async find(key: string): Promise<Buffer | undefined> {
    const name = `${key}.m4s`;
    if (!this.#sizes.has(name)) {
      this.#misses += 1;
      return undefined;
    }
    const path = join(this.#options.directory, name);
    const file = await readFile(path).catch(() => undefined);
    const content = file === undefined ? undefined : contentOf(file);
    if (file === undefined || content === undefined) {
      this.#misses += 1;
      await this.#drop(name);
      return undefined;
    }
    this.#hits += 1;
    this.#note(name, file.length);
    const now = new Date(this.#options.clock.nowUnixMs());
    // The order of use after a restart; to lose it costs little.
    await utimes(path, now, now).catch(() => undefined);
    return content;
  }

  /** Whole or not at all. Never throws: a cache that cannot be written costs time, not footage. */
  async put(key: string, content: Buffer): Promise<void> {
    const { directory, maxBytes, log } = this.#options;
    const sizeBytes = content.length + TRAILER_BYTES;
    if (sizeBytes > maxBytes) return;
    const temporary = join(directory, `${randomUUID()}.tmp`);
    try {
      await this.#makeRoom(sizeBytes);
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(content));
      const file = await open(temporary, 'wx');
      try {
        await file.writev([content, TRAILER, checksum]);
      } finally {
        await file.close();
      }
      await rename(temporary, join(directory, `${key}.m4s`));
      this.#note(`${key}.m4s`, sizeBytes);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'a rendition could not be kept');
      await rm(temporary, { force: true }).catch(() => undefined);
      // A full disk is relieved of what can be made again.
      await this.#makeRoom(Math.floor(maxBytes / 10)).catch(() => undefined);
    }
  }

  #note(name: string, sizeBytes: number): void {
    this.#forget(name);
    this.#sizes.set(name, sizeBytes);
    this.#sizeBytes += sizeBytes;
  }

  #forget(name: string): void {
    this.#sizeBytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  async #drop(name: string): Promise<void> {
    this.#forget(name);
    await rm(join(this.#options.directory, name), { force: true }).catch(() => undefined);
  }

  async #makeRoom(forBytes: number): Promise<void> {
    while (this.#sizeBytes + forBytes > this.#options.maxBytes) {
      const [oldest] = this.#sizes.keys();
      if (oldest === undefined) return;
      await this.#drop(oldest);
    }
  }
}

function contentOf(file: Buffer): Buffer | undefined {
  const end = file.length - TRAILER_BYTES;
  if (end < 0 || !file.subarray(end, end + 4).equals(TRAILER)) return undefined;
  const content = file.subarray(0, end);
  return crc32(content) === file.readUInt32BE(end + 4) ? content : undefined;
}
