// What the tool says of itself: all commands, or one with everything that it takes.

import type { OptionName } from './options.js';

/** What a person must know of a command to use it. */
export interface Described {
  readonly what: string;
  readonly takes: readonly OptionName[];
}

/** As it is written, and what it is for. */
const OPTIONS: Readonly<Record<OptionName, readonly [written: string, what: string]>> = {
  'data-dir': ['--data-dir DIR', 'the data directory (NIGHTJAR_DATA_DIR, else ./data)'],
  store: ['--store DIR', 'a store directory, repeatable (NIGHTJAR_STORE_DIRS, else <data>/store)'],
  warm: ['--warm DIR', 'a directory of the warm tier, repeatable (NIGHTJAR_WARM_DIRS)'],
  recorder: ['--recorder ID', 'whose footage and index (NIGHTJAR_RECORDER_ID, else recorder-1)'],
  mend: ['--mend', 'write lost and damaged shards of the warm tier anew; no recorder may run'],
  dir: ['--dir DIR', 'the empty directory that takes the place of a lost one'],
  camera: ['--camera ID', 'of which camera; ids are the names of directories in a store'],
  from: ['--from TIME', 'ISO 8601 or Unix milliseconds'],
  to: ['--to TIME', 'ISO 8601 or Unix milliseconds'],
  out: ['--out FILE', 'what is written; a file that is there is never replaced'],
  in: ['--in FILE', 'the backup'],
  replace: ['--replace', 'put it in the place of what is declared already'],
  'passphrase-file': [
    '--passphrase-file FILE',
    'holds the passphrase, 12 characters or more (else NIGHTJAR_BACKUP_PASSPHRASE)',
  ],
  json: ['--json', 'one line of JSON instead of text, for faults and failures, too'],
};

const STATUSES =
  'It exits with 0 when all is well, 1 when it found faults, 2 when it could not run.\n';

export function usage(commands: Readonly<Record<string, Described>>): string {
  const rows = Object.entries(commands).map(([name, { what }]) => [name, what] as const);
  return [
    'nightjar <command> [options]\n\n',
    ...table(rows, 16),
    '\nnightjar <command> --help tells what a command takes. Every one takes:\n\n',
    ...table([OPTIONS['data-dir'], OPTIONS.json], 16),
    `\n${STATUSES}`,
  ].join('');
}

export function usageOf(name: string, { what, takes }: Described): string {
  const rows = [...takes, 'data-dir' as const, 'json' as const].map((option) => OPTIONS[option]);
  return [`nightjar ${name}: ${what}\n\n`, ...table(rows, 24), `\n${STATUSES}`].join('');
}

function table(rows: readonly (readonly [string, string])[], width: number): string[] {
  return rows.map(([left, right]) => `  ${left.padEnd(width)} ${right}\n`);
}
