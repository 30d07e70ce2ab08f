// `nightjar replace-warm`: gives an empty directory the place of one that the warm tier has lost.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NightjarError } from '#base';
import { nodeFiles, replaceWarmDirectory } from '#store';
import type { CommandOptions } from './options.js';
import type { Report } from './report.js';

export async function replaceWarm({ dir, warmDirs }: CommandOptions): Promise<Report> {
  if (dir === undefined || warmDirs.length === 0) {
    throw new NightjarError(
      'invalid-argument',
      'replace-warm needs --dir and the --warm directories',
    );
  }
  if (!existsSync(dirname(dir))) {
    throw new NightjarError('not-found', `expected a directory at ${dirname(dir)}`);
  }
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const slot = await replaceWarmDirectory(nodeFiles, dir, warmDirs);
  return {
    ok: true,
    lines: [`${dir} is now directory ${slot} of the warm tier; the recorder fills it by itself`],
    facts: { dir, slot },
  };
}
