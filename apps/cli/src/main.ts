// The command-line tool: looks after footage, index and configuration with nothing else running.

import { messageOf, NightjarError } from '#base';
import { check } from './check.js';
import { exportClip } from './export-clip.js';
import {
  readOptions,
  type CommandOptions,
  type OptionName,
  type StartDatabase,
} from './options.js';
import { ProgressBar } from './progress-bar.js';
import { rebuildIndex } from './rebuild-index.js';
import { replaceWarm } from './replace-warm.js';
import type { Progress, Report } from './report.js';
import { scrub } from './scrub.js';
import { verify } from './verify.js';

interface Command {
  readonly what: string;
  /** Besides those that every command takes. */
  readonly takes: readonly OptionName[];
  run(options: CommandOptions, progress: Progress): Promise<Report>;
}

const FOOTAGE = ['store', 'warm', 'recorder'] as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  check: { what: 'compares the index with the chunks on disk', takes: FOOTAGE, run: check },
  'rebuild-index': {
    what: 'makes the index again from the chunks alone',
    takes: FOOTAGE,
    run: rebuildIndex,
  },
  scrub: {
    what: 'reads every chunk and says what is damaged; --mend writes lost shards anew',
    takes: [...FOOTAGE, 'mend'],
    run: scrub,
  },
  'replace-warm': {
    what: 'gives the empty --dir the place of a lost warm directory',
    takes: [...FOOTAGE, 'dir'],
    run: replaceWarm,
  },
  verify: {
    what: 'checks every sealed chunk and the chain of seals',
    takes: FOOTAGE,
    run: verify,
  },
  export: {
    what: 'writes an MP4 from the chunks alone (--camera --from --to --out)',
    takes: [...FOOTAGE, 'camera', 'from', 'to', 'out'],
    run: exportClip,
  },
  backup: {
    what: 'saves cameras, users, holds, settings and the audit trail to the file --out',
    takes: ['out', 'passphrase-file'],
    // The database's library is not loaded for the sake of others.
    run: async (...given) => (await import('./backup.js')).backup(...given),
  },
  restore: {
    what: 'puts the backup --in back, on an empty installation or with --replace',
    takes: ['in', 'replace', 'passphrase-file'],
    run: async (...given) => (await import('./restore.js')).restore(...given),
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
  --passphrase-file FILE
                   of a backup (else NIGHTJAR_BACKUP_PASSPHRASE), 12 characters or more
  --json           one line of JSON instead of text, for faults and failures, too

It exits with 0 when all is well, 1 when it found faults, 2 when it could not run.
`;

/** Gives the exit status: 0 well, 1 faults found, 2 could not run. */
export async function main(
  args: readonly string[],
  startDatabase: StartDatabase = noDatabase,
): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (['help', '--help', '-h'].includes(name) || rest.some((arg) => arg === '--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const isJson = rest.includes('--json');
  const bar = new ProgressBar({
    write: (text) => process.stderr.write(text),
    now: () => performance.now(),
    columns: () => process.stderr.columns,
  });
  const showsProgress = process.stderr.isTTY && !isJson;
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      throw new NightjarError(
        'invalid-argument',
        `there is no command ${name}; nightjar help lists them`,
      );
    }
    const options = readOptions(rest, {
      ...{ command: name, takes: command.takes },
      ...{ environment: process.env, startDatabase },
    });
    const report = await command.run(options, (step) => {
      if (showsProgress) bar.show(step);
    });
    bar.clear();
    process.stdout.write(
      isJson
        ? `${JSON.stringify({ ok: report.ok, ...report.facts })}\n`
        : `${report.lines.join('\n')}\n`,
    );
    return report.ok ? 0 : 1;
  } catch (error) {
    bar.clear();
    const code = error instanceof NightjarError ? error.code : 'internal';
    const message = messageOf(error);
    if (isJson)
      process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message } })}\n`);
    else process.stderr.write(`nightjar: ${message} (${code})\n`);
    return 2;
  }
}

function noDatabase(): never {
  throw new NightjarError('failed-precondition', 'expected a database in DATABASE_URL');
}
