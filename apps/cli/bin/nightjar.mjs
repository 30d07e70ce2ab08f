#!/usr/bin/env node
// `npx nightjar`: builds what is missing, then runs the command-line tool.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOL = new URL('../../../dist/apps/cli/src/main.js', import.meta.url);
const launcher = (name) => new URL(`../../launcher/${name}`, import.meta.url);

// Whoever reads this may have read enough: `nightjar verify | head`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

if (!existsSync(TOOL)) {
  spawnSync(process.execPath, [fileURLToPath(launcher('build.mjs'))], { stdio: ['ignore', 2, 2] });
  if (!existsSync(TOOL)) {
    process.stderr.write('nightjar: expected a build in dist, and it could not be made\n');
    process.exit(2);
  }
}

/** The PostgreSQL of a data directory: the one that runs, else one for as long as the command. */
async function startDatabase(dataDir) {
  const { readSecrets } = await import(launcher('settings.mjs').href);
  const { startPostgres } = await import(launcher('postgres.mjs').href);
  const { databasePassword, secretKey } = readSecrets(dataDir);
  const postgres = await startPostgres({
    dataDir: join(dataDir, 'postgres'),
    runDir: join(dataDir, 'run'),
    password: databasePassword,
  });
  const release = async () => {
    if (!postgres.adopted) await postgres.stop();
  };
  return { url: postgres.url, secretKey, release };
}

const { main } = await import(TOOL.href);
process.exitCode = await main(process.argv.slice(2), startDatabase);
