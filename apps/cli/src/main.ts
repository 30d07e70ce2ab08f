// The command-line tool: looks after footage, index and configuration with nothing else running.

import { messageOf, NightjarError } from '#base';
import { check } from './check.js';
import { exportClip } from './export-clip.js';
import { Interruption } from './interruption.js';
import { readOptions, type CommandOptions, type StartDatabase } from './options.js';
import { ProgressBar } from './progress-bar.js';
import { rebuildIndex } from './rebuild-index.js';
import { replaceWarm } from './replace-warm.js';
import type { Progress, Report } from './report.js';
import { scrub } from './scrub.js';
import { usage, usageOf, type Described } from './usage.js';
import { verify } from './verify.js';

interface Command extends Described {
  run(options: CommandOptions, progress: Progress): Promise<Report>;
}

const FOOTAGE = ['store', 'warm', 'recorder'] as const;
const AWAKE_MS = 3_600_000;
const HELP = new Set(['help', '--help', '-h']);

const COMMANDS: Readonly<Record<string, Command>> = {
  check: { what: 'compares the index with the chunks on disk', takes: FOOTAGE, run: check },
  'rebuild-index': {
    what: 'makes the index again from the chunks alone',
    takes: FOOTAGE,
    run: rebuildIndex,
  },
  scrub: {
    what: 'reads every chunk and says what is damaged, or mends it (--mend)',
    takes: [...FOOTAGE, 'mend'],
    run: scrub,
  },
  'replace-warm': {
    what: 'gives an empty directory the place of a lost one of the warm tier (--dir)',
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

/**
 * Gives the exit status: 0 well, 1 faults found, 2 could not run, 128 and its number more when a
 * signal ended it.
 */
export async function main(
  args: readonly string[],
  startDatabase: StartDatabase = noDatabase,
): Promise<number> {
  const [name = 'help', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (HELP.has(name)) return say(usage(COMMANDS));
  if (command !== undefined && rest.some((arg) => arg !== 'help' && HELP.has(arg))) {
    return say(usageOf(name, command));
  }
  const isJson = rest.includes('--json');
  const bar = new ProgressBar({
    write: (text) => process.stderr.write(text),
    now: () => performance.now(),
    columns: () => process.stderr.columns,
  });
  const showsProgress = process.stderr.isTTY && !isJson;
  const interruption = new Interruption(() => {
    if (!showsProgress) return;
    bar.clear();
    process.stderr.write('nightjar: stopping; once more ends it at once\n');
  });
  // Waiting for a database is timers alone, and those of the house keep no process.
  const awake = setInterval(() => undefined, AWAKE_MS);
  try {
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
      interruption.check();
      if (showsProgress) bar.show(step);
    });
    bar.clear();
    say(
      isJson
        ? `${JSON.stringify({ ok: report.ok, ...report.facts })}\n`
        : `${report.lines.join('\n')}\n`,
    );
    return report.ok ? 0 : 1;
  } catch (error) {
    bar.clear();
    const code = error instanceof NightjarError ? error.code : 'internal';
    const message = messageOf(error);
    if (isJson) say(`${JSON.stringify({ ok: false, error: { code, message } })}\n`);
    else process.stderr.write(`nightjar: ${message} (${code})\n`);
    return (code === 'cancelled' ? interruption.status : undefined) ?? 2;
  } finally {
    clearInterval(awake);
    interruption.close();
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function noDatabase(): never {
  throw new NightjarError('failed-precondition', 'expected a database in DATABASE_URL');
}
