// What scrub and warm tier found, as sentences for whoever watches over the installation.

import type { ScrubReport } from './scrub.js';
import type { WarmReport } from './warm-mover.js';

export function storageWarnings(
  { damagedChunks, brokenSeals }: Pick<ScrubReport, 'damagedChunks' | 'brokenSeals'>,
  warm: Pick<WarmReport, 'stripes' | 'mending'> | undefined,
): string[] {
  const warnings: string[] = [];
  if (damagedChunks > 0) {
    warnings.push(`damaged footage: ${count(damagedChunks, 'chunk')} cannot be read in full`);
  }
  if (brokenSeals > 0) {
    warnings.push(
      `the chain of seals: ${count(brokenSeals, 'chunk')} changed, or gone without a deletion`,
    );
  }
  if (warm === undefined) return warnings;
  const { stripes, mending } = warm;
  if (stripes.lost > 0) {
    warnings.push(
      `the warm tier: ${count(stripes.lost, 'stripe')} lost more than four of 14 shards`,
    );
  }
  if (stripes.degraded > 0) {
    const progress =
      mending === undefined ? '' : `; ${mending.done} of ${mending.total} are mended`;
    warnings.push(
      `the warm tier: shards of ${count(stripes.degraded, 'stripe')} are missing, nothing is lost${progress}`,
    );
  }
  return warnings;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
