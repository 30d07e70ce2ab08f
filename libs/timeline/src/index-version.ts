// The version of the index: written once, asked for ever after.

import { NightjarError } from '#base';
import { FENCES, makeKey } from './keys.js';
import type { Lsm } from './lsm.js';
import { encodeSafePoint, NOTHING_PROVEN, SAFE_POINT_KEY } from './safe-point.js';

const VERSION = 1;

/** Throws failed-precondition for another version. */
export async function checkVersion(lsm: Lsm, directory: string): Promise<void> {
  const key = makeKey('version');
  const value = await lsm.get(key);
  const version = value?.readUInt32BE(0);
  if (version === undefined) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(VERSION);
    const nothing = [SAFE_POINT_KEY, encodeSafePoint(NOTHING_PROVEN)] as const;
    const puts = [[key, bytes], nothing, ...FENCES.map((fence) => [fence, Buffer.of(0)])] as const;
    await lsm.batch(
      puts.map(([at, row]) => ({ type: 'put', key: at, value: row }) as const),
      true,
    );
  } else if (version !== VERSION) {
    throw new NightjarError(
      'failed-precondition',
      `expected index version ${VERSION} in ${directory}, found ${version}`,
      { version },
    );
  }
}
