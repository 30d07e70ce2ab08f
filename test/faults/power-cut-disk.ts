// A disk that remembers every step, and gives for any moment what a power cut could leave of it:
// what was safe, and of all else any part.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { ChunkFile, ChunkFiles } from '#store';
import { nodeFiles } from '../../libs/store/src/node-files.js';

const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** A write past the page cache goes to disk in pieces of so many bytes. */
const PIECE_BYTES = 1 << 20;

/**
 * How chunk files reach the disk; in both, a write is safe when it resolves. `direct`: past the page
 * cache in whole blocks, sector by sector. `buffered`: through it, its pages in any order.
 */
export type WriteMode = 'direct' | 'buffered';

interface Step {
  readonly kind: 'write' | 'truncate' | 'sync' | 'sync-directory' | 'create' | 'remove' | 'make';
  readonly path: string;
  readonly at: number;
  readonly bytes: Buffer;
  readonly startedAt: number;
  /** Infinity while it is under way. */
  endedAt: number;
}

export class PowerCutDisk {
  readonly files: ChunkFiles;
  readonly #root: string;
  readonly #mode: WriteMode;
  readonly #steps: Step[] = [];
  #now = 0;

  constructor(root: string, mode: WriteMode) {
    this.#root = root;
    this.#mode = mode;
    this.files = {
      ...nodeFiles,
      create: (path) =>
        this.#note('create', path, async () => this.#wrap(path, await nodeFiles.create(path))),
      open: async (path, how) => {
        if (how === 'append') throw new Error('only what is new is written to');
        return nodeFiles.open(path, how);
      },
      makeDirectory: (path) => this.#note('make', path, () => nodeFiles.makeDirectory(path)),
      syncDirectory: (path) =>
        this.#note('sync-directory', path, () => nodeFiles.syncDirectory(path)),
      remove: (path) => this.#note('remove', path, () => nodeFiles.remove(path)),
      writeNewText: (path, text) =>
        this.#note('create', path, async () => {
          await nodeFiles.writeNewText(path, text);
          const bytes = Buffer.from(text);
          this.#begin('write', path, { bytes }).endedAt = ++this.#now;
          this.#begin('sync', path).endedAt = ++this.#now;
        }),
    };
  }

  /** The last moment; each step begins and ends at moments of its own. */
  get now(): number {
    return this.#now;
  }

  /** Writes below `target` what a power cut at `moment` could have left; `random` decides. */
  async rebuild(target: string, moment: number, random: () => number): Promise<void> {
    const began = this.#steps.filter(({ startedAt }) => startedAt <= moment);
    const isEntrySafe = (path: string, after: number) =>
      began.some(
        (step) =>
          step.kind === 'sync-directory' &&
          step.path === dirname(path) &&
          step.startedAt > after &&
          step.endedAt <= moment,
      );
    const isThere = (path: string): boolean => {
      if (path === this.#root || !path.startsWith(this.#root)) return true;
      // A directory is made once; later calls found it.
      const made = began.find(
        (step) =>
          (step.kind === 'create' && step.path === path) ||
          (step.kind === 'make' && (step.path === path || step.path.startsWith(`${path}/`))),
      );
      if (made === undefined) return false;
      const removed = began.findLast(({ kind, path: gone }) => kind === 'remove' && gone === path);
      if (removed !== undefined && removed.startedAt > made.startedAt) return random() < 0.5;
      if (made.endedAt <= moment && isEntrySafe(path, made.endedAt)) return true;
      return random() < 0.5;
    };
    const kept = new Map<string, boolean>();
    const keep = (path: string): boolean => {
      const known = kept.get(path);
      if (known !== undefined) return known;
      const answer = path.length <= this.#root.length || (keep(dirname(path)) && isThere(path));
      kept.set(path, answer);
      return answer;
    };
    await mkdir(target, { recursive: true });
    const written = new Map<string, Step[]>();
    for (const step of began) {
      if (step.kind === 'make') {
        for (let at = step.path; at.length > this.#root.length; at = dirname(at)) {
          if (keep(at)) await mkdir(join(target, relative(this.#root, at)), { recursive: true });
        }
      }
      if (['create', 'write', 'truncate', 'sync'].includes(step.kind)) {
        written.set(step.path, [...(written.get(step.path) ?? []), step]);
      }
    }
    for (const [path, steps] of written) {
      if (!keep(path)) continue;
      const to = join(target, relative(this.#root, path));
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, this.#contentAt(steps, moment, random));
    }
  }

  /** Throws where a chunk is not on disk as this remembers it: then its cuts would say nothing. */
  async assertAsOnDisk(): Promise<void> {
    for (const { kind, path } of this.#steps) {
      if (kind !== 'create' || !path.endsWith('.h264')) continue;
      const steps = this.#steps.filter((step) => step.path === path);
      const expected = this.#contentAt(steps, Infinity, () => 0);
      const found = await readFile(path);
      if (!found.equals(expected)) throw new Error(`${path} is not as it was written`);
    }
  }

  #contentAt(steps: readonly Step[], moment: number, random: () => number): Buffer {
    const isSafe = (step: Step) =>
      (step.kind === 'write' && step.endedAt <= moment) ||
      steps.some(
        ({ kind, startedAt, endedAt }) =>
          kind === 'sync' && startedAt > step.endedAt && endedAt <= moment,
      );
    let content: Buffer = Buffer.alloc(0);
    for (const step of steps) {
      if (step.kind === 'truncate' && (isSafe(step) || random() < 0.5)) {
        content = resized(content, step.at);
      }
      if (step.kind !== 'write') continue;
      if (isSafe(step)) content = overwritten(content, step.at, step.bytes);
      else if (this.#mode === 'direct') content = tornDirect(content, step, random);
      else content = tornBuffered(content, step, random);
    }
    return content;
  }

  #begin(
    kind: Step['kind'],
    path: string,
    { at = 0, bytes = Buffer.alloc(0) }: { at?: number; bytes?: Buffer } = {},
  ): Step {
    const step = { kind, path, at, bytes, startedAt: ++this.#now, endedAt: Infinity };
    this.#steps.push(step);
    return step;
  }

  async #note<T>(kind: Step['kind'], path: string, action: () => Promise<T>, at = 0): Promise<T> {
    const step = this.#begin(kind, path, { at });
    const result = await action();
    step.endedAt = ++this.#now;
    return result;
  }

  #wrap(path: string, file: ChunkFile): ChunkFile {
    /** The content behind the last whole block, which the next direct write repeats. */
    let tail: Buffer = Buffer.alloc(0);
    let end = 0;
    return {
      write: async (buffers, position) => {
        const fresh = Buffer.concat(buffers);
        if (this.#mode === 'buffered') {
          const step = this.#begin('write', path, { at: position, bytes: fresh });
          await file.write(buffers, position);
          step.endedAt = ++this.#now;
          return;
        }
        const whole = Buffer.concat([tail, fresh]);
        const padded = resized(whole, Math.ceil(whole.length / BLOCK_BYTES) * BLOCK_BYTES);
        const step = this.#begin('write', path, { at: position - tail.length, bytes: padded });
        await file.write(buffers, position);
        step.endedAt = ++this.#now;
        tail = whole.subarray(whole.length - (whole.length % BLOCK_BYTES));
        end = position + fresh.length;
      },
      read: (buffer, position) => file.read(buffer, position),
      sync: () => this.#note('sync', path, () => file.sync()),
      truncate: (sizeBytes) => {
        if (sizeBytes !== end && this.#mode === 'direct') throw new Error('cuts only its padding');
        return this.#note('truncate', path, () => file.truncate(sizeBytes), sizeBytes);
      },
      sizeBytes: () => file.sizeBytes(),
      close: async () => {
        // Closing cuts the padding off, where there is any.
        const step =
          this.#mode === 'direct' ? this.#begin('truncate', path, { at: end }) : undefined;
        await file.close();
        if (step !== undefined) step.endedAt = ++this.#now;
      },
    };
  }
}

/** Whole pieces, then a prefix of sectors; of the last ones any, since a disk keeps no order. */
function tornDirect(content: Buffer, step: Step, random: () => number): Buffer {
  const sectors = step.bytes.length / SECTOR_BYTES;
  const through = Math.floor(random() * (sectors + 1));
  let torn = overwritten(content, step.at, step.bytes.subarray(0, through * SECTOR_BYTES));
  const pieceEnd = Math.min(
    sectors,
    Math.ceil((through * SECTOR_BYTES + 1) / PIECE_BYTES) * (PIECE_BYTES / SECTOR_BYTES),
  );
  for (let sector = through; sector < Math.min(pieceEnd, through + 16); sector++) {
    if (random() < 0.5) continue;
    const at = sector * SECTOR_BYTES;
    torn = overwritten(torn, step.at + at, step.bytes.subarray(at, at + SECTOR_BYTES));
  }
  return torn;
}

/** Any of its pages, whole; one that was not written is as it was, or zeros. */
function tornBuffered(content: Buffer, step: Step, random: () => number): Buffer {
  let torn = content;
  for (let from = 0; from < step.bytes.length;) {
    const at = step.at + from;
    const length = Math.min(BLOCK_BYTES - (at % BLOCK_BYTES), step.bytes.length - from);
    const chance = random();
    if (chance < 0.4) torn = overwritten(torn, at, step.bytes.subarray(from, from + length));
    // The file has grown, but the page was not written.
    else if (chance < 0.6) torn = resized(torn, Math.max(torn.length, at + length));
    from += length;
  }
  return torn;
}

function resized(content: Buffer, length: number): Buffer {
  if (length <= content.length) return content.subarray(0, length);
  return Buffer.concat([content, Buffer.alloc(length - content.length)]);
}

function overwritten(content: Buffer, at: number, bytes: Buffer): Buffer {
  if (bytes.length === 0) return content;
  const result = Buffer.from(resized(content, Math.max(content.length, at + bytes.length)));
  bytes.copy(result, at);
  return result;
}
