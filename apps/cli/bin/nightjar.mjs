#!/usr/bin/env node
// `npx nightjar`: builds what is missing, then runs the command-line tool.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TOOL = new URL('../../../dist/apps/cli/src/main.js', import.meta.url);

if (!existsSync(TOOL)) {
  const build = fileURLToPath(new URL('../../launcher/build.mjs', import.meta.url));
  spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] });
}
const { main } = await import(TOOL.href);
process.exitCode = await main(process.argv.slice(2));
