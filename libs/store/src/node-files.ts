// The store's files on a real file system: every error is a NightjarError that says which kind.

import { constants, type Stats } from 'node:fs';
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChunkFile, ChunkFiles, DirectoryEntry } from './chunk-files.js';
import { DirectChunkFile } from './direct-file.js';
import { asDiskError } from './disk-error.js';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asDiskError(error, path);
  }
}

/** As `attempt`, but a path that is not there gives undefined. */
async function attemptPresent<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asDiskError(error, path);
  }
}

class NodeChunkFile implements ChunkFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return attempt(this.#path, async () => {
      let rest = buffers.filter((buffer) => buffer.length > 0);
      let at = position;
      while (rest.length > 0) {
        const first = rest[0] as Uint8Array;
        const { bytesWritten } =
          rest.length === 1
            ? await this.#handle.write(first, 0, first.length, at)
            : await this.#handle.writev(rest, at);
        if (bytesWritten === 0) throw new Error('the disk took no byte');
        at += bytesWritten;
        rest = without(rest, bytesWritten);
      }
    });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return attempt(this.#path, async () => {
      let done = 0;
      while (done < buffer.length) {
        const { bytesRead } = await this.#handle.read(
          buffer,
          done,
          buffer.length - done,
          position + done,
        );
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    });
  }

  sync(): Promise<void> {
    return attempt(this.#path, () => this.#handle.datasync());
  }

  truncate(sizeBytes: number): Promise<void> {
    return attempt(this.#path, () => this.#handle.truncate(sizeBytes));
  }

  sizeBytes(): Promise<number> {
    return attempt(this.#path, async () => (await this.#handle.stat()).size);
  }

  close(): Promise<void> {
    return attempt(this.#path, () => this.#handle.close());
  }
}

/** What is left of `buffers` behind their first `count` bytes. */
function without(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = count;
  for (const buffer of buffers) {
    if (skip < buffer.length) left.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return left;
}

/**
 * Past the page cache where the file system can do that: nobody reads again what is written. Each
 * write is safe when it resolves in any case: of several that are not, a power cut could keep a
 * later one without an earlier one, which S2 forbids.
 */
async function createChunk(path: string): Promise<ChunkFile> {
  const { O_CREAT, O_EXCL, O_RDWR, O_DIRECT } = constants;
  const flags = O_CREAT | O_EXCL | O_RDWR | ((constants.O_DSYNC as number | undefined) ?? 0);
  if ((O_DIRECT as number | undefined) === undefined) {
    return new NodeChunkFile(path, await open(path, flags, 0o640));
  }
  try {
    return new DirectChunkFile(path, await open(path, flags | O_DIRECT, 0o640));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    // Some file systems make the file before they refuse the flag.
    await unlink(path).catch(() => undefined);
    return new NodeChunkFile(path, await open(path, flags, 0o640));
  }
}

export const nodeFiles: ChunkFiles = {
  create: (path) => attempt(path, () => createChunk(path)),

  // Not O_APPEND: Linux would then ignore the position of a pwrite, and a torn write could not be
  // written over. One process opens a store, and each chunk has one writer.
  open: (path, mode) =>
    attempt(
      path,
      async () => new NodeChunkFile(path, await open(path, mode === 'read' ? 'r' : 'r+')),
    ),

  list: (path) =>
    attemptPresent<DirectoryEntry[]>(path, async () => {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
    }),

  makeDirectory: (path) => attempt(path, () => mkdir(path, { recursive: true, mode: 0o750 })),

  syncDirectory: (path) =>
    attempt(path, async () => {
      const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }),

  readText: (path) => attemptPresent(path, () => readFile(path, 'utf8')),

  writeNewText: (path, text) =>
    attempt(path, async () => {
      const temporary = `${path}.${process.pid}.new`;
      const handle = await open(temporary, 'w', 0o640);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    }),

  remove: (path) =>
    attemptPresent(path, async () => {
      const { size } = await stat(path);
      await unlink(path);
      return size;
    }),

  removeEmptyDirectory: async (path) => {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false;
      throw asDiskError(error, path);
    }
  },

  space: (path) =>
    attempt(path, async () => {
      const [{ bsize, blocks, bavail }, { dev }] = await Promise.all([statfs(path), stat(path)]);
      const device = `${await machineId()}:${dev}`;
      return { sizeBytes: bsize * blocks, freeBytes: bsize * bavail, device };
    }),

  assertWritable: (path) =>
    attempt(path, async () => {
      await access(path, constants.W_OK | constants.X_OK);
      // A file system that went read-only by an error of its own may still grant access.
      const probe = join(path, `.nightjar-probe.${process.pid}.new`);
      try {
        await (await open(probe, 'w', 0o640)).close();
        await unlink(probe);
      } catch (error) {
        // A full one is no refused one.
        if (!FULL.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }),

  async missingMounts() {
    const table = await readFile('/etc/fstab', 'utf8').catch(() => '');
    const missing: string[] = [];
    for (const line of table.split('\n')) {
      const [, path = '', type = '', mountOptions = ''] = line.trim().split(/\s+/);
      if (line.trim().startsWith('#') || !path.startsWith('/') || path === '/') continue;
      if (type === 'swap' || mountOptions.split(',').some((word) => word.endsWith('bind')))
        continue;
      const mountPoint = path.replace(/\\040/g, ' ');
      if (!(await isMounted(mountPoint))) missing.push(mountPoint);
    }
    return missing;
  },
};

let machine: Promise<string> | undefined;

/** The same in all containers of a machine; it changes with each boot, and is kept nowhere. */
function machineId(): Promise<string> {
  machine ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => hostname(),
  );
  return machine;
}

/** A mount point is on another device than its parent. */
async function isMounted(path: string): Promise<boolean> {
  const parent = dirname(await realpath(path).catch(() => path));
  const [own, above] = await Promise.all([path, parent].map(statOrUndefined));
  return own !== undefined && above !== undefined && own.dev !== above.dev;
}

function statOrUndefined(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
