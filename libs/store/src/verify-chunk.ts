// Verifies one chunk from its bytes alone: every CRC, the seal's hash, the seal's place.

import { createHash } from 'node:crypto';
import { resolve, sep } from 'node:path';
import { NightjarError } from '#base';
import type { ByteRange, ChunkInfo } from './chunk-info.js';
import type { ChunkFile } from './chunk-files.js';
import { scanChunk, type ScannedUnit } from './chunk-scan.js';
import { parseChunkPath } from './layout.js';
import { nodeFiles } from './node-files.js';
import { pacedFile } from './paced-file.js';
import { endUnixUsOf, type TrackIdentity } from './record-header.js';
import { findSealAtEnd, MAX_SEAL_BYTES, sealOf } from './seal.js';

/** Bytes that belong to no valid record or seal. */
export interface DamagedRange extends ByteRange {
  /** What cannot be played because of them: up to the next group. Absent where no record tells. */
  readonly fromUnixUs?: number;
  readonly toUnixUs?: number;
}

export interface ChunkVerification {
  readonly records: number;
  readonly frames: number;
  readonly sizeBytes: number;
  /** `broken`: what the seal was made over has been changed. */
  readonly seal: 'valid' | 'broken' | 'absent';
  /** Hex; of what lies in front of the seal, as the seal says. */
  readonly sha256?: string;
  /** Hex; what the next chunk of the track repeats as its `previousSeal`. */
  readonly sealValue?: string;
  readonly previousSeal?: string;
  /** In front of the last valid record or seal and behind it. */
  readonly damaged: readonly DamagedRange[];
}

/**
 * Reads the chunk at `path`, whose last four parts are <camera>/<track>/<date>/<name>. Throws
 * invalid-argument for another path, and the errors of the disk.
 */
export async function verifyChunk(path: string): Promise<ChunkVerification> {
  const name = parseChunkPath(resolve(path).split(sep).slice(-4).join('/'));
  if (name === undefined) {
    throw new NightjarError('invalid-argument', 'expected <camera>/<track>/<date>/<chunk>', {
      path,
    });
  }
  const file = await nodeFiles.open(path, 'read');
  try {
    return await verifyFile(file, name);
  } finally {
    await file.close();
  }
}

/** Reads the file once; `file` stays open. Throws the errors of the disk. */
export async function verifyFile(
  file: ChunkFile,
  identity: TrackIdentity,
): Promise<ChunkVerification> {
  const sizeBytes = await file.sizeBytes();
  const tail = Buffer.alloc(Math.min(MAX_SEAL_BYTES, sizeBytes));
  await file.read(tail, sizeBytes - tail.length);
  const found = findSealAtEnd(tail);
  const hashed = new HashedReads(found === undefined ? 0 : sizeBytes - tail.length + found.offset);
  const { units, damaged, validEnd, tornBytes } = await scanChunk(hashed.of(file), identity, 0);
  const ranges = [...damaged];
  if (tornBytes > 0) ranges.push({ offset: validEnd, length: tornBytes });
  const records = units.filter((unit) => unit.kind === 'record');
  const facts = {
    records: records.length,
    frames: records.reduce((sum, { header }) => sum + header.record.frameCount, 0),
    sizeBytes,
    damaged: ranges.map((range) => ({ ...range, ...timesOf(range, records) })),
  };
  const last = units.at(-1);
  if (last?.kind !== 'seal') return { ...facts, seal: 'absent' };
  const isWhole = validEnd === sizeBytes && hashed.digest() === last.seal.sha256;
  const { sha256, previousSeal } = last.seal;
  const sealValue = sealOf(last.seal);
  return {
    ...facts,
    seal: isWhole ? 'valid' : 'broken',
    sha256,
    ...(sealValue === undefined ? {} : { sealValue }),
    ...(previousSeal === undefined ? {} : { previousSeal }),
  };
}

/** All bytes of a chunk. Throws data-loss when they are not what was sealed. */
export async function readSealed(file: ChunkFile, chunk: ChunkInfo): Promise<Buffer> {
  const { seal, sha256, damaged } = await verifyFile(file, chunk);
  if (seal !== 'valid' || sha256 !== chunk.sha256 || damaged.length > 0) {
    throw new NightjarError('data-loss', 'expected the chunk that was sealed', {
      path: chunk.path,
    });
  }
  const bytes = Buffer.allocUnsafeSlow(await file.sizeBytes());
  return bytes.subarray(0, await file.read(bytes, 0));
}

/** From the end of the record in front of the damage to the next one that starts a group. */
function timesOf(
  { offset }: ByteRange,
  records: readonly (ScannedUnit & { kind: 'record' })[],
): { fromUnixUs?: number; toUnixUs?: number } {
  const before = records.findLast((unit) => unit.offset < offset)?.header.record;
  const behind = records.find((unit) => unit.offset > offset && unit.header.record.startsGroup);
  const fromUnixUs = before === undefined ? undefined : endUnixUsOf(before);
  const toUnixUs = behind?.header.record.startUnixUs;
  return {
    ...(fromUnixUs === undefined ? {} : { fromUnixUs }),
    ...(toUnixUs === undefined ? {} : { toUnixUs }),
  };
}

/** A scan reads front to back: what it reads for the first time is hashed on the way. */
class HashedReads {
  readonly #endBytes: number;
  readonly #hash = createHash('sha256');
  #doneBytes = 0;

  constructor(endBytes: number) {
    this.#endBytes = endBytes;
  }

  of(file: ChunkFile): ChunkFile {
    return {
      ...pacedFile(file, () => Promise.resolve()),
      read: async (buffer, position) => {
        const read = await file.read(buffer, position);
        const end = Math.min(position + read, this.#endBytes);
        if (position <= this.#doneBytes && end > this.#doneBytes) {
          this.#hash.update(buffer.subarray(this.#doneBytes - position, end - position));
          this.#doneBytes = end;
        }
        return read;
      },
    };
  }

  /** Hex; undefined when a part was not read. */
  digest(): string | undefined {
    return this.#doneBytes === this.#endBytes ? this.#hash.digest('hex') : undefined;
  }
}
