// `nightjar backup`: the whole configuration in one file, under a passphrase.

import { existsSync } from 'node:fs';
import { NightjarError, systemClock } from '#base';
import { openBackup, writeBackup } from './backup-file.js';
import { readPassphrase, withCatalog } from './installation.js';
import type { CommandOptions } from './options.js';
import type { Progress, Report } from './report.js';

export async function backup(options: CommandOptions, progress: Progress): Promise<Report> {
  const { out } = options;
  if (out === undefined) throw new NightjarError('invalid-argument', 'backup needs --out');
  if (existsSync(out)) {
    throw new NightjarError('conflict', `expected no file at ${out}: a backup replaces none`);
  }
  const passphrase = await readPassphrase(options);
  const createdAt = new Date(systemClock.nowUnixMs()).toISOString();
  const counts: Record<string, number> = {};
  const sizeBytes = await withCatalog({ ...options, mayCreate: false }, async (catalog) => {
    const { configuration, audit } = catalog;
    const lines = async function* () {
      yield { migrations: await configuration.migrations(), createdAt };
      let rows = 0;
      for await (const page of configuration.pages()) {
        counts[page.table] = (counts[page.table] ?? 0) + page.rows.length;
        rows += page.rows.length;
        progress({ done: rows, unit: 'rows' });
        if (page.rows.length > 0) yield page;
      }
    };
    const written = await writeBackup(out, { passphrase, createdAt, lines: lines() });
    // A backup that does not open again is none.
    await openBackup(out, passphrase);
    const detail = { sizeBytes: written.sizeBytes, ...counts };
    await audit.add({ actor: 'system', action: 'configuration.backup', detail });
    return written.sizeBytes;
  });
  return {
    ok: true,
    lines: [
      `${out}: ${sentenceOf(counts)}, ${sizeBytes} bytes`,
      'without the passphrase nobody can read it: keep it elsewhere',
    ],
    facts: { out, createdAt, sizeBytes, rows: counts },
  };
}

export function sentenceOf(counts: Readonly<Record<string, number>>): string {
  const names = {
    cameras: 'cameras',
    users: 'users',
    holds: 'legal holds',
    audit: 'audit entries',
  };
  return Object.entries(names)
    .map(([table, name]) => `${counts[table] ?? 0} ${name}`)
    .join(', ');
}
