// Closes files of an index or of a store's lock that came with the birth of this process: LevelDB
// leaves them open to children, and a disk could not be unmounted, nor a deleted file's room freed.

import { closeSync, readdirSync, readlinkSync } from 'node:fs';

const OWN_FILES = '/proc/self/fd';
const OF_LEVELDB =
  /\/(LOCK|LOG(\.old)?|CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))( \(deleted\))?$/;

/** To be called before anything is opened; gives how many it closed. None where there is no `/proc`. */
export function closeInheritedFiles(): number {
  let closed = 0;
  for (const name of namesIn(OWN_FILES)) {
    try {
      if (!OF_LEVELDB.test(readlinkSync(`${OWN_FILES}/${name}`))) continue;
      closeSync(Number(name));
      closed += 1;
    } catch {
      // It was the listing's own.
    }
  }
  return closed;
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
