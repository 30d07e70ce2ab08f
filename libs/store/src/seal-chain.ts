// The hash chain over the chunks of one track, and the sealing of chunks that a crash left open.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { messageOf, type Log } from '#base';
import type { ChunkFile } from './chunk-files.js';
import type { ChunkInfo } from './chunk-info.js';
import { absoluteChunkPath } from './layout.js';
import type { TrackIdentity } from './record-header.js';
import { findSealAtEnd, MAX_SEAL_BYTES, sealOf, writeSeal, type SealFacts } from './seal.js';
import type { ChunkDirectory } from './store-directory.js';

const READ_BYTES = 1 << 20;

interface Leftover {
  readonly chunk: ChunkInfo;
  readonly directory: ChunkDirectory;
}

export class SealChain {
  readonly #identity: TrackIdentity;
  readonly #directories: readonly ChunkDirectory[];
  readonly #log: Log;
  #leftovers: Leftover[] = [];
  /** Looked up on the disks when it is first needed. */
  #last: { readonly seal: string | undefined } | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(
    identity: TrackIdentity,
    options: { readonly directories: readonly ChunkDirectory[]; readonly log: Log },
  ) {
    this.#identity = identity;
    this.#directories = options.directories;
    this.#log = options.log;
  }

  /** Notes a chunk that is to be sealed before the next one of its track. */
  leave(chunk: ChunkInfo, directory: ChunkDirectory): void {
    this.#leftovers.push({ chunk, directory });
    this.#leftovers.sort((a, b) => a.chunk.id - b.chunk.id);
  }

  /** Seals what was left open, oldest first; gives the rows to put. */
  sealLeftovers(): Promise<ChunkInfo[]> {
    return this.#inTurn(async () => {
      const sealed: ChunkInfo[] = [];
      for (const leftover of this.#leftovers.splice(0)) {
        try {
          const previous = await this.#previousOf(leftover.chunk.id);
          const chunk = await sealLeftover(leftover, previous);
          this.#last = { seal: sealOf(chunk) };
          sealed.push(chunk);
        } catch (error) {
          // It stays as it is, playable; the next start tries again.
          const { path } = leftover.chunk;
          this.#log.warn({ path, why: messageOf(error) }, 'could not seal a chunk');
        }
      }
      return sealed;
    });
  }

  /** Runs `seal` for chunk `id` with the seal that it must repeat. */
  extend(
    id: number,
    seal: (previousSeal: string | undefined) => Promise<SealFacts>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      this.#last = { seal: sealOf(await seal(await this.#previousOf(id))) };
    });
  }

  /** Takes back the newest seal, which did not become safe. */
  takeBack(chunk: SealFacts): void {
    if (this.#last?.seal === sealOf(chunk)) this.#last = { seal: chunk.previousSeal };
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(action);
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  async #previousOf(id: number): Promise<string | undefined> {
    this.#last ??= { seal: await this.#lookUp(id) };
    return this.#last.seal;
  }

  /** The seal of the newest sealed chunk below `id`, over all directories. */
  async #lookUp(id: number): Promise<string | undefined> {
    let newest: { id: number; seal: string } | undefined;
    for (const directory of this.#directories.filter(({ usable }) => usable)) {
      for await (const listed of directory.chunks(this.#identity, 'newest-first')) {
        if (listed.id >= id) continue;
        if (newest !== undefined && listed.id < newest.id) break;
        const path = join(directory.path, listed.path);
        const seal = await readSealValue(directory, path).catch(() => undefined);
        if (seal === undefined) continue;
        newest = { id: listed.id, seal };
        break;
      }
    }
    return newest?.seal;
  }
}

async function readSealValue(directory: ChunkDirectory, path: string): Promise<string | undefined> {
  const file = await directory.files.open(path, 'read');
  try {
    const sizeBytes = await file.sizeBytes();
    const tail = Buffer.alloc(Math.min(MAX_SEAL_BYTES, sizeBytes));
    await file.read(tail, sizeBytes - tail.length);
    const found = findSealAtEnd(tail);
    return found === undefined ? undefined : sealOf(found.seal);
  } finally {
    await file.close();
  }
}

/** Reads the chunk back, since its running hash went with the process, and appends its seal. */
async function sealLeftover(
  { chunk, directory }: Leftover,
  previousSeal: string | undefined,
): Promise<ChunkInfo> {
  const file = await directory.files.open(absoluteChunkPath(directory.path, chunk.path), 'append');
  try {
    const seal = {
      sha256: await hashOf(file, chunk.sizeBytes),
      ...(previousSeal === undefined ? {} : { previousSeal }),
    };
    const { camera, track, codec } = chunk;
    const bytes = writeSeal(codec, { camera, track, ...seal });
    // Cuts what a failed write may have left, which nobody was told of.
    await file.truncate(chunk.sizeBytes);
    await file.write([bytes], chunk.sizeBytes);
    await file.sync();
    return { ...chunk, ...seal, sizeBytes: chunk.sizeBytes + bytes.length, sealed: true };
  } finally {
    await file.close();
  }
}

/** SHA-256 of the first `sizeBytes` bytes, in hex. */
export async function hashOf(file: ChunkFile, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, sizeBytes));
  for (let at = 0; at < sizeBytes; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, sizeBytes - at));
    const read = await file.read(piece, at);
    hash.update(piece.subarray(0, read));
    if (read < piece.length) break;
  }
  return hash.digest('hex');
}
