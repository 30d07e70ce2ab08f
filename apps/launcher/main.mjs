// `npm start`: installs, builds, starts and watches every process of one machine. It runs before
// anything is installed, so it leans on Node alone until `prepare` is through.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.mjs';
import {
  given,
  NODE_ARGS,
  RECORDER_ENVIRONMENT,
  TRANSCODER_ENVIRONMENT,
} from './child-environment.mjs';
import { DatabaseWatch } from './database-watch.mjs';
import { demoCameras } from './demo.mjs';
import { prepare, ROOT } from './prepare.mjs';
import { recordersOf } from './recorders.mjs';
import { serverAnswers } from './server-answers.mjs';
import { readSecrets, readSettings, SETTINGS } from './settings.mjs';

const log = (line) => console.log(`nightjar: ${line}`);

async function main() {
  const args = process.argv.slice(2);
  const unknown = args.filter((arg) => !['--demo', '--help', '-h'].includes(arg));
  if (unknown.length > 0) throw new Error(`unknown option ${unknown[0]}; try --help`);
  if (args.includes('--help') || args.includes('-h')) return printHelp();
  requireNode();
  const settings = readSettings(process.env);
  await prepare(log);
  claim(settings.dataDir);
  await requireFreePort(settings.host, settings.port);
  await run(settings, args.includes('--demo'));
}

async function run(settings, demo) {
  const secrets = readSecrets(settings.dataDir);
  const children = [];
  let database;
  let stopping;

  const stop = (why) => {
    stopping ??= (async () => {
      log(`${why}: stopping`);
      database?.letGo();
      // The recorder first: it flushes what it holds, while everything it might need still runs.
      await Promise.all(
        children.filter((child) => child.role === 'recorder').map((child) => child.stop()),
      );
      await Promise.all(children.map((child) => child.stop()));
      await database?.stop();
      release(settings.dataDir);
      log('stopped');
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => void stop(signal).then(() => process.exit(0)));
  }

  try {
    if (settings.databaseUrl === undefined) {
      const start = async () => {
        const { startPostgres } = await import('./postgres.mjs');
        return startPostgres({
          dataDir: join(settings.dataDir, 'postgres'),
          runDir: join(settings.dataDir, 'run'),
          password: secrets.databasePassword,
          log,
        });
      };
      database = new DatabaseWatch({ start, log });
      await database.open();
    }

    const environment = {
      ...settings.environment,
      DATABASE_URL: settings.databaseUrl ?? database.url,
      NIGHTJAR_SECRET_KEY: settings.environment.NIGHTJAR_SECRET_KEY ?? secrets.secretKey,
      NIGHTJAR_INTERNAL_SECRET:
        settings.environment.NIGHTJAR_INTERNAL_SECRET ?? secrets.internalSecret,
      NIGHTJAR_SERVER_URL: `http://127.0.0.1:${await freePort()}`,
    };
    const child = (role, extra = {}, name = role) => {
      const made = new Child({
        role,
        name,
        args: [...NODE_ARGS, join('dist', 'apps', role, 'src', 'main.js'), role],
        environment: { ...environment, ...extra },
        cwd: ROOT,
        log,
      });
      children.push(made);
      if (stopping === undefined) made.start();
    };
    const seeds = {};
    if (demo) {
      const rtspPort = await freePort(8554);
      const onvifPort = await freePort(8555);
      seeds.NIGHTJAR_SEED_CAMERAS = JSON.stringify(demoCameras(rtspPort, onvifPort));
      child('simulator', {
        NIGHTJAR_SIMULATOR_PORT: String(rtspPort),
        NIGHTJAR_SIMULATOR_ONVIF_PORT: String(onvifPort),
        NIGHTJAR_SIMULATOR_CLIP_DIR: join(settings.dataDir, 'cache', 'clips'),
      });
    }
    for (const recorder of recordersOf(settings)) {
      child(
        'recorder',
        { ...RECORDER_ENVIRONMENT, ...given(RECORDER_ENVIRONMENT), ...recorder.environment },
        recorder.id,
      );
    }
    child('server', seeds);
    // Nobody asks for a rendition before the server answers: until then the processors are its own.
    const url = localUrl(settings).replace('localhost', '127.0.0.1');
    const answers = serverAnswers({ url, log, isStopping: () => stopping !== undefined });
    await Promise.race([answers, new Promise((resolve) => setTimeout(resolve, 5000))]);
    child('transcoder', { ...TRANSCODER_ENVIRONMENT, ...given(TRANSCODER_ENVIRONMENT) });
    if (await answers) printBanner(settings, demo);
  } catch (error) {
    await stop(error.message);
    throw error;
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node 20.19 or newer is needed; this is ${process.version}`);
  }
}

/** Refuses a second launcher over the same data. */
function claim(dataDir) {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'launcher.pid');
  const pid = Number(readIfThere(path));
  const running = Number.isInteger(pid) && pid > 1 && pid !== process.pid && isLauncher(pid);
  if (running) throw new Error(`Nightjar already runs over ${dataDir} (pid ${pid})`);
  writeFileSync(path, `${process.pid}\n`);
}

function release(dataDir) {
  rmSync(join(dataDir, 'launcher.pid'), { force: true });
}

function isLauncher(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = readIfThere(`/proc/${pid}/cmdline`);
  return commandLine === '' || commandLine.includes('launcher');
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Says now, in words, what the server would say in a stack trace later. */
async function requireFreePort(host, port) {
  // A killed launcher's children need a moment to notice that it is gone.
  const endMs = performance.now() + 10_000;
  for (;;) {
    const error = await tryListen(host, port);
    if (error === undefined) return;
    if (performance.now() > endMs || error.code !== 'EADDRINUSE') {
      throw new Error(
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken; choose another with NIGHTJAR_PORT`
          : `cannot listen on ${host}:${port}: ${error.message}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function tryListen(host, port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

/** `preferred` when it is free, else any free port of the loopback address. */
async function freePort(preferred) {
  if (preferred !== undefined && (await tryListen('127.0.0.1', preferred)) === undefined) {
    return preferred;
  }
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function localUrl({ host, port }) {
  const address = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function printBanner(settings, demo) {
  const lines = [`Nightjar is ready: open ${localUrl(settings)}`];
  if (['0.0.0.0', '::'].includes(settings.host)) {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry !== undefined && entry.family === 'IPv4' && !entry.internal)?.address;
    if (address !== undefined) lines.push(`On your network: http://${address}:${settings.port}`);
  }
  if (demo) lines.push('Four simulated cameras are running.');
  lines.push(`Everything is kept in ${settings.dataDir}. Ctrl-C stops all of it.`);
  const bar = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  console.log([bar, ...lines, bar].join('\n'));
}

function printHelp() {
  console.log(
    'npm start [-- --demo]\n\n  --demo  adds four simulated cameras\n\nSettings, by environment:\n',
  );
  for (const [name, what, byDefault] of SETTINGS) {
    console.log(`  ${name.padEnd(26)} ${what}${byDefault === '' ? '' : ` (default ${byDefault})`}`);
  }
}

main().catch((error) => {
  console.error(`nightjar: ${error.message}`);
  process.exit(1);
});
