// What every command is told: where the data lies, and how to report.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NightjarError } from '#base';
import { STORE_IDENTITY_FILE } from '#store';

/** The PostgreSQL below a data directory: adopted when it runs, else started for this command. */
export interface EmbeddedDatabase {
  readonly url: string;
  readonly secretKey: string;
  /** Ends it when this command has started it. */
  release(): Promise<void>;
}

export type StartDatabase = (dataDir: string) => Promise<EmbeddedDatabase>;

export interface CommandOptions {
  readonly dataDir: string;
  readonly indexDir: string;
  readonly storeDirs: readonly string[];
  /** Of the warm tier, this recorder's own; empty when there is none. */
  readonly warmDirs: readonly string[];
  /** Write lost and damaged shards of the warm tier anew. */
  readonly mend: boolean;
  /** Put a backup in the place of what is declared already. */
  readonly replace: boolean;
  /** A directory that takes the place of a lost one. */
  readonly dir?: string;
  readonly camera?: string;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly out?: string;
  /** The file of a backup. */
  readonly from?: string;
  readonly passphraseFile?: string;
  readonly environment: Environment;
  readonly startDatabase: StartDatabase;
}

type Environment = Readonly<Record<string, string | undefined>>;

const KNOWN = {
  'data-dir': { type: 'string' },
  json: { type: 'boolean', default: false },
  store: { type: 'string', multiple: true },
  warm: { type: 'string', multiple: true },
  recorder: { type: 'string' },
  mend: { type: 'boolean', default: false },
  dir: { type: 'string' },
  camera: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  out: { type: 'string' },
  in: { type: 'string' },
  replace: { type: 'boolean', default: false },
  'passphrase-file': { type: 'string' },
} as const;
export type OptionName = keyof typeof KNOWN;
const OF_ALL: readonly OptionName[] = ['data-dir', 'json'];

/** Throws invalid-argument with a sentence for the person at the terminal. */
export function readOptions(
  args: readonly string[],
  o: {
    readonly command: string;
    readonly takes: readonly OptionName[];
    readonly environment: Environment;
    readonly startDatabase: StartDatabase;
  },
): CommandOptions {
  const { environment, startDatabase } = o;
  const values = parse(args, o.command, [...OF_ALL, ...o.takes]);
  const dataDir = resolve(values['data-dir'] ?? (environment.NIGHTJAR_DATA_DIR || './data'));
  const recorder = values.recorder ?? (environment.NIGHTJAR_RECORDER_ID || 'recorder-1');
  if (!/^[\w.-]+$/.test(recorder) || /^\.+$/.test(recorder)) {
    throw new NightjarError('invalid-argument', `expected the id of a recorder, found ${recorder}`);
  }
  const from = readInstant('from', values.from);
  const to = readInstant('to', values.to);
  return {
    ...{ dataDir, environment, startDatabase },
    indexDir: join(dataDir, recorder, 'index'),
    storeDirs: o.takes.includes('store')
      ? storeDirsOf(values.store, {
          ...{ dataDir, recorder, environment },
          // Who wants footage of a camera need not know which recorder of the machine has it.
          ofAll: o.command === 'export' && values.recorder === undefined,
        })
      : [],
    warmDirs: (values.warm ?? listOf(environment.NIGHTJAR_WARM_DIRS)).map((path) =>
      join(resolve(path), recorder),
    ),
    mend: values.mend,
    replace: values.replace,
    ...(values.dir === undefined ? {} : { dir: join(resolve(values.dir), recorder) }),
    ...(values.camera === undefined ? {} : { camera: values.camera }),
    ...(from === undefined ? {} : { fromUnixMs: from }),
    ...(to === undefined ? {} : { toUnixMs: to }),
    ...(values.out === undefined ? {} : { out: resolve(values.out) }),
    ...(values.in === undefined ? {} : { from: resolve(values.in) }),
    ...(values['passphrase-file'] === undefined
      ? {}
      : { passphraseFile: resolve(values['passphrase-file']) }),
  };
}

function parse(args: readonly string[], command: string, takes: readonly OptionName[]) {
  const refused = (what: string) =>
    new NightjarError('invalid-argument', `${what}; see nightjar ${command} --help`);
  // Strictness of its own: Node's sentences advise what this tool does not take.
  const { tokens } = parseArgs({ args: [...args], strict: false, options: KNOWN, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') throw refused(`${command} takes no ${token.value}`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const known = takes.find((option) => option === name);
    if (known === undefined) throw refused(`${command} takes no ${rawName}`);
    const isSwitch = KNOWN[known].type === 'boolean';
    if (isSwitch && value !== undefined) throw refused(`${rawName} takes no value`);
    // Of the next option its name is no value of this one.
    const isMissing = value === undefined || value.trim() === '' || /^--?[a-z]/.test(value);
    if (!isSwitch && isMissing) throw refused(`${rawName} needs a value`);
  }
  return parseArgs({ args: [...args], strict: true, options: KNOWN }).values;
}

/** Of a setting that lists several. */
function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function storeDirsOf(
  given: readonly string[] | undefined,
  o: { dataDir: string; recorder: string; environment: Environment; ofAll: boolean },
): string[] {
  const set = listOf(o.environment.NIGHTJAR_STORE_DIRS).map((path) => resolve(path));
  const shared = set.length > 0 ? set : [join(o.dataDir, 'store')];
  // Further recorders of a machine have a directory of their own on each disk.
  const own = shared.map((path) => join(path, o.recorder)).filter((path) => existsSync(path));
  // A disk that is away is said, not passed over.
  const named = shared.filter((path) => isStore(path) || !isDirectory(path));
  const every = [...named, ...shared.flatMap(storesIn)];
  const usual = own.length > 0 ? own : shared;
  const found = o.ofAll && every.length > 0 ? every : usual;
  const storeDirs = given?.map((path) => resolve(path)) ?? found;
  for (const path of storeDirs) {
    // Opening a store makes a directory that is not there; a tool that only looks must not.
    if (!isDirectory(path)) {
      throw new NightjarError(
        'not-found',
        `expected a store directory at ${path}; name it with --store`,
      );
    }
    if (!isStore(path)) {
      throw new NightjarError(
        'not-found',
        `expected a store of Nightjar at ${path}, found no ${STORE_IDENTITY_FILE} in it`,
      );
    }
  }
  return storeDirs;
}

/** The directories of further recorders on a disk. */
function storesIn(path: string): string[] {
  if (!isDirectory(path)) return [];
  return readdirSync(path)
    .map((name) => join(path, name))
    .filter(isStore);
}

function isStore(path: string): boolean {
  return existsSync(join(path, STORE_IDENTITY_FILE));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readInstant(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const unixMs = /^\d{9,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(unixMs)) {
    throw new NightjarError(
      'invalid-argument',
      `expected an ISO 8601 time or Unix milliseconds for --${name}, found ${text}`,
    );
  }
  return unixMs;
}
