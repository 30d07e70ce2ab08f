// A disk for tests between the store and real files: it stops at a chosen step as a killed process
// or a power cut does, tears the write it stops in, and fails as a full or broken disk does.

import { rm, truncate } from 'node:fs/promises';
import { NightjarError } from '#base';
import type { ChunkFile, ChunkFiles } from './chunk-files.js';
import { nodeFiles } from './node-files.js';

export type Step = 'create' | 'write' | 'sync' | 'truncate' | 'sync-directory' | 'remove';

export interface FaultPlan {
  /** Counts steps from 0: this one and all behind it do not happen. */
  readonly stopAt?: number;
  /** Of the write that is stopped, or that fails, so many bytes reach the file. */
  readonly tornBytes?: number;
  /** Gives the error that a step fails with; called once for each step. */
  readonly fail?: (step: Step, index: number) => NightjarError | undefined;
}

export class FaultyDisk {
  readonly files: ChunkFiles;
  plan: FaultPlan;
  readonly steps: Step[] = [];
  /** Bytes of each file that survive a power cut. */
  readonly #safeBytes = new Map<string, number>();
  readonly #open = new Set<ChunkFile>();

  constructor(plan: FaultPlan = {}) {
    this.plan = plan;
    this.files = {
      ...nodeFiles,
      create: async (path) => {
        this.#step('create');
        this.#safeBytes.set(path, 0);
        return this.#wrap(path, await nodeFiles.create(path));
      },
      open: async (path, mode) => {
        const file = await nodeFiles.open(path, mode);
        if (mode === 'append' && !this.#safeBytes.has(path)) {
          this.#safeBytes.set(path, await file.sizeBytes());
        }
        return this.#wrap(path, file);
      },
      syncDirectory: (path) => {
        this.#step('sync-directory');
        return nodeFiles.syncDirectory(path);
      },
      remove: (path) => {
        this.#step('remove');
        return nodeFiles.remove(path);
      },
    };
  }

  get hasStopped(): boolean {
    return this.steps.length > (this.plan.stopAt ?? Infinity);
  }

  /** Ends the process that had the files open: their descriptors go. */
  async kill(): Promise<void> {
    for (const file of this.#open) await file.close();
    this.#open.clear();
  }

  /** After `kill`: what was not synced is gone; of new bytes a part may have reached the disk. */
  async cutPower(): Promise<void> {
    for (const [path, sizeBytes] of this.#safeBytes) {
      if (sizeBytes === 0) await rm(path, { force: true });
      else await truncate(path, sizeBytes);
    }
  }

  #step(step: Step): void {
    const error = this.#faultOf(step);
    if (error !== undefined) throw error;
  }

  #faultOf(step: Step): NightjarError | undefined {
    const index = this.steps.push(step) - 1;
    if (index >= (this.plan.stopAt ?? Infinity)) {
      return new NightjarError('cancelled', `stopped at step ${index}`);
    }
    return this.plan.fail?.(step, index);
  }

  #wrap(path: string, file: ChunkFile): ChunkFile {
    this.#open.add(file);
    return {
      write: async (buffers, position, written) => {
        const error = this.#faultOf('write');
        if (error === undefined) return file.write(buffers, position, written);
        const { stopAt = this.steps.length - 1, tornBytes = 0 } = this.plan;
        const isFirst = this.steps.length - 1 === stopAt;
        if (isFirst && tornBytes > 0) {
          await file.write([Buffer.concat(buffers).subarray(0, tornBytes)], position);
        }
        throw error;
      },
      read: (buffer, position) => file.read(buffer, position),
      sync: async () => {
        this.#step('sync');
        const sizeBytes = await file.sizeBytes();
        await file.sync();
        this.#safeBytes.set(path, sizeBytes);
      },
      truncate: async (sizeBytes) => {
        this.#step('truncate');
        await file.truncate(sizeBytes);
        this.#safeBytes.set(path, Math.min(sizeBytes, this.#safeBytes.get(path) ?? sizeBytes));
      },
      sizeBytes: () => file.sizeBytes(),
      close: async () => {
        if (!this.#open.delete(file)) return;
        await file.close();
      },
    };
  }
}

/** The error of a full disk. */
export function diskFull(): NightjarError {
  return new NightjarError('resource-exhausted', 'the disk is full', { errno: 'ENOSPC' });
}

/** The error of a broken disk. */
export function diskBroken(): NightjarError {
  return new NightjarError('unavailable', 'the disk did not do what it was told', { errno: 'EIO' });
}
