// The command-line tool: looks after footage and index with nothing else running.

import { messageOf, NightjarError } from '#base';
import { check } from './check.js';
import { exportClip } from './export-clip.js';
import { readOptions, type CommandOptions } from './options.js';
import { rebuildIndex } from './rebuild-index.js';
import type { Report } from './report.js';
import { replaceWarm } from './replace-warm.js';
import { scrub } from './scrub.js';
import { verify } from './verify.js';

interface Command {
  readonly what: string;
  run(options: CommandOptions, progress: (line: string) => void): Promise<Report>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  check: { what: 'compares the index with the chunks on disk', run: check },
  'rebuild-index': { what: 'makes the index again from the chunks alone', run: rebuildIndex },
  scrub: {
    what: 'reads every chunk and says what is damaged; --mend writes lost shards anew',
    run: scrub,
  },
  'replace-warm': {
    what: 'gives the empty --dir the place of a lost warm directory',
    run: replaceWarm,
  },
  verify: { what: 'checks every sealed chunk and the chain of seals', run: verify },
  export: {
    what: 'writes an MP4 from the chunks alone (--camera --from --to --out)',
    run: exportClip,
  },
};

const USAGE = `nightjar <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { what }]) => `  ${name.padEnd(14)} ${what}`)
  .join('\n')}

  --data-dir DIR   the data directory (NIGHTJAR_DATA_DIR, else ./data)
  --store DIR      a store directory, repeatable (NIGHTJAR_STORE_DIRS, else <data>/store)
  --warm DIR       a directory of the warm tier, repeatable (NIGHTJAR_WARM_DIRS)
  --recorder ID    whose index (recorder-1)
  --json           the report as JSON
`;

/** Gives the exit status: 0 well, 1 faults found, 2 could not run. */
export async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(USAGE);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`nightjar: there is no command ${name}\n\n${USAGE}`);
    return 2;
  }
  try {
    const options = readOptions(rest, process.env);
    const showsProgress = process.stderr.isTTY && !options.json;
    const report = await command.run(options, (line) => {
      if (showsProgress) process.stderr.write(`\r\u001B[K${line}`);
    });
    if (showsProgress) process.stderr.write('\r\u001B[K');
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ok: report.ok, ...report.facts })}\n`
        : `${report.lines.join('\n')}\n`,
    );
    return report.ok ? 0 : 1;
  } catch (error) {
    const code = error instanceof NightjarError ? ` (${error.code})` : '';
    process.stderr.write(`nightjar: ${messageOf(error)}${code}\n`);
    return 2;
  }
}
