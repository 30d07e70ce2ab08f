// Verifies one chunk file from its bytes alone: every CRC, the seal's hash, the seal's place.

import { resolve, sep } from 'node:path';
import { NightjarError } from '#base';
import type { ByteRange } from './chunk-info.js';
import { scanChunk } from './chunk-scan.js';
import { parseChunkPath } from './layout.js';
import { nodeFiles } from './node-files.js';
import { hashOf } from './seal-chain.js';
import { sealOf } from './seal.js';

export interface ChunkVerification {
  readonly records: number;
  readonly frames: number;
  readonly sizeBytes: number;
  /** `broken`: what the seal was made over has been changed. */
  readonly seal: 'valid' | 'broken' | 'absent';
  /** Hex; what the next chunk of the track repeats as its `previousSeal`. */
  readonly sealValue?: string;
  readonly previousSeal?: string;
  /** Bytes that belong to no valid record or seal, in front of the last one and behind it. */
  readonly damaged: readonly ByteRange[];
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
    const sizeBytes = await file.sizeBytes();
    const scan = await scanChunk(file, name, 0);
    const records = scan.units.filter((unit) => unit.kind === 'record');
    const last = scan.units.at(-1);
    const damaged = [...scan.damaged];
    if (scan.validEnd < sizeBytes) {
      damaged.push({ offset: scan.validEnd, length: sizeBytes - scan.validEnd });
    }
    const facts = {
      records: records.length,
      frames: records.reduce((sum, { header }) => sum + header.record.frameCount, 0),
      sizeBytes,
      damaged,
    };
    if (last?.kind !== 'seal') return { ...facts, seal: 'absent' };
    const isWhole =
      scan.validEnd === sizeBytes && (await hashOf(file, last.offset)) === last.seal.sha256;
    const sealValue = sealOf(last.seal);
    const { previousSeal } = last.seal;
    return {
      ...facts,
      seal: isWhole ? 'valid' : 'broken',
      ...(sealValue === undefined ? {} : { sealValue }),
      ...(previousSeal === undefined ? {} : { previousSeal }),
    };
  } finally {
    await file.close();
  }
}
