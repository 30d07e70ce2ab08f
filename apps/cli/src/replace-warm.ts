// `nightjar replace-warm`: gives an empty directory the place of one that the warm tier has lost.

import { existsSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NightjarError } from '#base';
import { nodeFiles, replaceWarmDirectory } from '#store';
import { knownDirectories } from '#timeline';
import { asFileError } from './file-error.js';
import { openTimeline } from './footage.js';
import type { CommandOptions } from './options.js';
import type { Report } from './report.js';

export async function replaceWarm({ dir, warmDirs, indexDir }: CommandOptions): Promise<Report> {
  if (dir === undefined || warmDirs.length === 0) {
    throw new NightjarError(
      'invalid-argument',
      'replace-warm needs --dir and the --warm directories',
    );
  }
  if (!existsSync(dirname(dir))) {
    throw new NightjarError('not-found', `expected a directory at ${dirname(dir)}`);
  }
  const expected = await expectedAt(indexDir);
  const isNew = !existsSync(dir);
  try {
    await mkdir(dir, { recursive: true, mode: 0o750 });
    const slot = await replaceWarmDirectory(nodeFiles, dir, { paths: warmDirs, expected });
    const isNamed = warmDirs.includes(dir);
    return {
      ok: true,
      lines: [
        `${dir} is now directory ${slot} of the warm tier`,
        isNamed
          ? 'the recorder fills it by itself, or nightjar scrub --mend while none runs'
          : `name ${dirname(dir)} in NIGHTJAR_WARM_DIRS instead of the one that is lost`,
      ],
      facts: { dir, slot },
    };
  } catch (error) {
    if (isNew) await rmdir(dir).catch(() => undefined);
    throw asFileError(error, dir);
  }
}

/** What was where by the index; of one that a recorder uses, or that is gone, nothing is known. */
async function expectedAt(indexDir: string): Promise<Map<string, string>> {
  if (!existsSync(indexDir)) return new Map();
  const timeline = await openTimeline(indexDir).catch(() => undefined);
  if (timeline === undefined) return new Map();
  try {
    return await knownDirectories(timeline, 'warm');
  } finally {
    await timeline.close();
  }
}
