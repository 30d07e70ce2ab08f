#!/usr/bin/env node
// `npx nightjar`: builds what is missing, then runs the command-line tool.

import { prepare } from '../../launcher/prepare.mjs';

await prepare((line) => console.error(`nightjar: ${line}`));
const { main } = await import('../../../dist/apps/cli/src/main.js');
process.exitCode = await main(process.argv.slice(2));
