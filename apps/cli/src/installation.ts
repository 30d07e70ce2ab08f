// The installation whose configuration is saved or put back: its database, wherever that runs, and
// the key of its camera credentials.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, NightjarError, SecretBox, silentLog, systemClock } from '#base';
import { Catalog } from '#catalog';
import type { CommandOptions, EmbeddedDatabase } from './options.js';

const PATIENCE_MS = 10_000;
const SHORTEST_PASSPHRASE = 12;

/** Runs `work` on the catalog of the installation; `mayCreate` makes one where there is none. */
export async function withCatalog<T>(
  options: CommandOptions & { readonly mayCreate: boolean },
  work: (catalog: Catalog) => Promise<T>,
): Promise<T> {
  const { dataDir, environment, startDatabase } = options;
  const isHere = existsSync(join(dataDir, 'secrets.json'));
  const { DATABASE_URL: url, NIGHTJAR_SECRET_KEY: key } = environment;
  if (!isHere && !options.mayCreate && (url === undefined || key === undefined)) {
    throw new NightjarError(
      'not-found',
      `expected the data directory of a Nightjar at ${dataDir}; name it with --data-dir`,
    );
  }
  let embedded: EmbeddedDatabase | undefined;
  try {
    if (url === undefined) embedded = await startDatabase(dataDir);
    const secretKey = key ?? embedded?.secretKey ?? (await secretKeyOf(dataDir));
    const catalog = await Catalog.open({
      databaseUrl: url ?? embedded?.url ?? '',
      secretBox: new SecretBox(secretKey),
      clock: systemClock,
      log: silentLog(),
      patienceMs: PATIENCE_MS,
    });
    try {
      return await work(catalog);
    } finally {
      await catalog.close();
    }
  } catch (error) {
    if (error instanceof NightjarError) throw error;
    throw new NightjarError('unavailable', `the database: ${messageOf(error)}`, {}, error);
  } finally {
    await embedded?.release();
  }
}

async function secretKeyOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secrets.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new NightjarError(
      'not-found',
      `expected the key of camera credentials in NIGHTJAR_SECRET_KEY or ${path}`,
      {},
      error,
    );
  });
  return String((JSON.parse(text) as { secretKey?: unknown }).secretKey);
}

/** Never an argument of the command: those show in the list of processes. */
export async function readPassphrase({
  passphraseFile,
  environment,
}: CommandOptions): Promise<string> {
  const given =
    passphraseFile === undefined
      ? environment.NIGHTJAR_BACKUP_PASSPHRASE
      : await readFile(passphraseFile, 'utf8').catch((error: unknown) => {
          throw new NightjarError(
            'not-found',
            `expected a passphrase in ${passphraseFile}: ${messageOf(error)}`,
          );
        });
  const passphrase = given?.replace(/\r?\n$/, '') ?? '';
  if (passphrase.length >= SHORTEST_PASSPHRASE) return passphrase;
  throw new NightjarError(
    'invalid-argument',
    `expected a passphrase of ${SHORTEST_PASSPHRASE} characters or more, in --passphrase-file or ` +
      'NIGHTJAR_BACKUP_PASSPHRASE',
  );
}
