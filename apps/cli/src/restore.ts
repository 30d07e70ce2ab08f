// `nightjar restore`: puts a backup in the place of the configuration, all of it or nothing.

import { z } from 'zod';
import { NightjarError } from '#base';
import type { ConfigurationPage, RestoredConfiguration } from '#catalog';
import { sentenceOf } from './backup.js';
import { openBackup } from './backup-file.js';
import { readPassphrase, withCatalog } from './installation.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

const manifestSchema = z.object({ migrations: z.array(z.string()), createdAt: z.string() });
const pageSchema = z.object({
  table: z.string(),
  rows: z.array(z.record(z.string(), z.unknown())),
});

export async function restore(options: CommandOptions, progress: Progress): Promise<Report> {
  const { from, replace } = options;
  if (from === undefined) {
    throw new NightjarError('invalid-argument', 'restore needs --in, the file of a backup');
  }
  // Nothing of the installation is touched before the file is known to be whole.
  const { createdAt, lines } = await openBackup(from, await readPassphrase(options));
  const values = lines();
  const manifest = manifestSchema.parse((await values.next()).value);
  const restored = await withCatalog({ ...options, mayCreate: true }, async (catalog) => {
    const known = await catalog.configuration.migrations();
    const unknown = manifest.migrations.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new NightjarError(
        'unsupported',
        `the backup knows the migration ${unknown}: it comes from a newer Nightjar`,
      );
    }
    let rows = 0;
    // The last moment to stop before anything is touched.
    progress({ done: rows, unit: 'rows' });
    const pages = async function* (): AsyncGenerator<ConfigurationPage> {
      for await (const value of values) {
        const page = pageSchema.parse(value);
        yield page;
        rows += page.rows.length;
        progress({ done: rows, unit: 'rows' });
      }
    };
    return catalog.configuration
      .restore(pages(), { replace, detail: { backupOf: createdAt } })
      .catch((error: unknown) => {
        if (error instanceof NightjarError && error.code === 'failed-precondition') {
          throw new NightjarError(
            error.code,
            `${error.message}; --replace puts the backup in their place`,
          );
        }
        throw error;
      });
  });
  return {
    ok: true,
    lines: [...linesOf(restored), `the configuration is that of ${createdAt}`],
    facts: { in: from, createdAt, replaced: replace, ...restored },
  };
}

function linesOf({ rows, kept }: RestoredConfiguration): string[] {
  return [
    `back: ${sentenceOf(rows)}`,
    ...(kept.cameras + kept.holds === 0
      ? []
      : [
          `kept of before: ${kept.cameras} cameras, as removed ones whose footage has its rule still, ` +
            `and ${kept.holds} legal holds`,
        ]),
    'everybody signs in again; cameras keep their ids, so that they find their footage',
  ];
}
