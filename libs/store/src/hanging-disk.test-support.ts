// A disk for tests that stops answering: what is asked of it below a path waits until it answers.
// And the records that its tests write, and what is to be found of them.

import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually, type FakeClock } from '#base/testing';
import type { ChunkFile, ChunkFiles } from './chunk-files.js';
import type { ScannedChunk, WrittenRecord } from './chunk-info.js';
import { ChunkStore } from './chunk-store.js';
import { realRecord } from './footage.test-support.js';
import { nodeFiles } from './node-files.js';
import { staging } from './staging.js';
import type { TrackWriter } from './track-writer.js';
import { verifyChunk } from './verify-chunk.js';

export type HangingStep =
  'create' | 'write' | 'sync-directory' | 'sync' | 'read' | 'truncate' | 'close' | 'remove';

interface Hang {
  readonly steps: readonly HangingStep[];
  readonly until: Promise<void>;
  readonly answer: () => void;
  /** What is asked for happens, and nobody hears of it. */
  readonly isDone: boolean;
}

const SPACE = { sizeBytes: 200e9, freeBytes: 100e9 };
const STEPS: readonly HangingStep[] = ['create', 'write', 'sync-directory', 'sync'];

export class HangingDisk {
  /** What waits now. */
  readonly waiting: HangingStep[] = [];
  readonly #hangs = new Map<string, Hang>();
  #hung: Hang[] = [];
  #underWay = 0;

  hang(path: string, steps = STEPS, { isDone = false } = {}): void {
    let answer = () => {};
    const until = new Promise<void>((resolve) => (answer = resolve));
    const hang = { steps, until, answer, isDone };
    this.#hangs.set(path, hang);
    this.#hung.push(hang);
  }

  /** What waits below `path` happens now; what is asked of it next, too. */
  answerAt(path: string): void {
    this.#hangs.get(path)?.answer();
    this.#hangs.delete(path);
  }

  answer(): void {
    this.#hangs.clear();
    this.waiting.length = 0;
    for (const { answer } of this.#hung.splice(0)) answer();
  }

  /** Resolves when nothing is done that will be. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 4; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#underWay > 0) turns = 0;
      // A seal waits for the thread that hashes.
      if (turns === 0) await staging().thread.digest(staging().thread.newId());
    }
  }

  async #do<T>(path: string, step: HangingStep | undefined, action: () => Promise<T>): Promise<T> {
    const hang = [...this.#hangs].find(([below]) => path.startsWith(`${below}/`))?.[1];
    const hangs = hang !== undefined && step !== undefined && hang.steps.includes(step);
    if (hangs && !hang.isDone) {
      this.waiting.push(step);
      await hang.until;
    }
    this.#underWay += 1;
    const result = await action().finally(() => (this.#underWay -= 1));
    if (hangs && hang.isDone) {
      this.waiting.push(step);
      await hang.until;
    }
    return result;
  }

  get files(): ChunkFiles {
    const wrap = (path: string, file: ChunkFile): ChunkFile => ({
      write: (buffers, position, written) =>
        this.#do(path, 'write', () => file.write(buffers, position, written)),
      read: (buffer, position) => this.#do(path, 'read', () => file.read(buffer, position)),
      sync: () => this.#do(path, 'sync', () => file.sync()),
      truncate: (sizeBytes) => this.#do(path, 'truncate', () => file.truncate(sizeBytes)),
      sizeBytes: () => file.sizeBytes(),
      close: () => this.#do(path, 'close', () => file.close()),
      leave: () => file.leave?.(),
    });
    return {
      ...nodeFiles,
      create: async (path) =>
        wrap(path, await this.#do(path, 'create', () => nodeFiles.create(path))),
      open: async (path, mode) =>
        wrap(path, await this.#do(path, undefined, () => nodeFiles.open(path, mode))),
      syncDirectory: (path) =>
        this.#do(path, 'sync-directory', () => nodeFiles.syncDirectory(path)),
      makeDirectory: (path) => this.#do(path, undefined, () => nodeFiles.makeDirectory(path)),
      readText: (path) => this.#do(path, undefined, () => nodeFiles.readText(path)),
      list: (path) => this.#do(path, undefined, () => nodeFiles.list(path)),
      remove: (path) => this.#do(path, 'remove', () => nodeFiles.remove(path)),
      // What others do with the disk of the tests does not decide where a chunk goes.
      space: async (path) => ({ ...(await nodeFiles.space(path)), ...SPACE }),
    };
  }
}

/** A store on a hanging disk, with its directories below `parent`. */
export function openHangingStore(o: {
  readonly parent: string;
  readonly names: readonly string[];
  readonly clock: FakeClock;
  readonly files: ChunkFiles;
  readonly chunkBytes: number | undefined;
}): Promise<ChunkStore> {
  const { parent, names, clock, files, chunkBytes = 10_000_000 } = o;
  return ChunkStore.open({
    directories: names.map((name) => join(parent, name)),
    ...{ clock, log: silentLog(), files, threads: 16, chunkBytes },
  });
}

/** Where the directory of this id lies. */
export const pathIn = (store: ChunkStore, id: string | undefined) =>
  store.directories.find((directory) => directory.id === id)?.path ?? '';

/** A group of five frames is two records: of three frames and of two. */
export const record = (index: number, run = 1) =>
  realRecord({
    firstFrame: Math.floor(index / 2) * 5 + (index % 2) * 3,
    frameCount: 3 - (index % 2),
    run,
  });

export const sequenceOf = (index: number) => record(index).sequence;

export const sequences = (records: readonly WrittenRecord[]) =>
  records.map((written) => written.record.sequence);

export const allOf = (to: number, from = 0) =>
  Array.from({ length: to - from }, (_, index) => sequenceOf(from + index));

export async function writeAll(writer: TrackWriter, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) await writer.write(record(index));
}

/** For work that meets a disk that hangs, perhaps more than once. */
export async function whileTimePasses<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = () => (isDone = true);
  work.then(done, done);
  await eventually('the work is done', () => {
    if (!isDone) clock.advance(500);
    return isDone;
  });
  return work;
}

/** Every chunk, by id. */
export async function scanned(store: ChunkStore): Promise<ScannedChunk[]> {
  const found: ScannedChunk[] = [];
  for await (const chunk of store.scanAll()) found.push(chunk);
  return found.sort((a, b) => a.chunk.id - b.chunk.id);
}

/** Every record of the store lies in one chunk, in order; `found` is sealed, and in a chain. */
export async function isInOrder(
  store: ChunkStore,
  to: number,
  sealed = (found: readonly ScannedChunk[]) => found,
): Promise<void> {
  const found = await scanned(store);
  expect(found.flatMap(({ records }) => sequences(records))).toEqual(allOf(to));
  expect(found.map(({ state }) => state)).toEqual(found.map(() => 'intact'));
  let before: string | undefined;
  for (const { chunk } of sealed(found)) {
    expect([chunk.sealed, chunk.previousSeal]).toEqual([true, before]);
    const verified = await verifyChunk(join(pathIn(store, chunk.store), chunk.path));
    expect(verified).toMatchObject({ seal: 'valid', damaged: [] });
    before = verified.sealValue;
  }
}
