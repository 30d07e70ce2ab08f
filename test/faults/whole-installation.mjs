// A whole installation as its launcher starts it, for faults that need every process.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ROOT } from '../../apps/launcher/prepare.mjs';
import { sleep } from '../bench/rig.mjs';

const PASSWORD = 'faults all night long';

export class WholeInstallation {
  #launcher;
  #token = '';
  #output = '';

  constructor(dataDir, port) {
    this.dataDir = dataDir;
    this.url = `http://127.0.0.1:${port}`;
    this.port = port;
  }

  static async start(dataDir) {
    const installation = new WholeInstallation(dataDir, await freePort());
    await installation.launch();
    const { token } = await installation.json('POST', '/api/auth/login', {
      username: 'admin',
      password: PASSWORD,
    });
    installation.#token = token;
    return installation;
  }

  /** Starts the launcher; resolves when Nightjar is ready. */
  async launch(deadlineMs = 120_000) {
    this.#output = '';
    const launcher = spawn(process.execPath, ['apps/launcher/main.mjs'], {
      cwd: ROOT,
      env: {
        ...process.env,
        NIGHTJAR_DATA_DIR: this.dataDir,
        NIGHTJAR_HOST: '127.0.0.1',
        NIGHTJAR_PORT: String(this.port),
        NIGHTJAR_RECORDERS: '1',
        NIGHTJAR_ADMIN_PASSWORD: PASSWORD,
        NIGHTJAR_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#launcher = launcher;
    for (const stream of [launcher.stdout, launcher.stderr]) {
      stream.on('data', (chunk) => (this.#output = (this.#output + chunk).slice(-50_000)));
    }
    await until('Nightjar is ready', deadlineMs, () => {
      if (launcher.exitCode !== null) throw new Error(`the launcher ended:\n${this.#output}`);
      return this.#output.includes('Nightjar is ready');
    });
  }

  /** The parsed answer; throws for one that is not 2xx. */
  async json(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  }

  /** Server, PostgreSQL and recorder answer, and the cameras record what they began after `sinceMs`. */
  async untilWell(cameras, { sinceMs = 0, deadlineMs = 120_000 } = {}) {
    let seen;
    const isWell = async () => {
      // The list comes out of PostgreSQL, the states from the recorder.
      const listed = this.json('GET', '/api/cameras');
      const states = cameras.map((id) => this.json('GET', `/api/cameras/${id}/status`));
      const [list, ...statuses] = await Promise.all([listed, ...states]).catch((error) => {
        seen = String(error);
        return [];
      });
      if (list === undefined) return false;
      seen = statuses.map(({ state, reason, recording }) => ({ state, reason, recording }));
      return statuses.every(isRecordingSince(sinceMs));
    };
    await until('all is well', deadlineMs, isWell).catch((error) => {
      error.message += `: ${JSON.stringify(seen)}, since ${new Date(sinceMs).toISOString()}\n${this.#output}`;
      throw error;
    });
  }

  /** Pids of this installation whose command line `matches`. */
  pids(matches) {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        try {
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
          const ours =
            command.includes(this.dataDir) ||
            readFileSync(`/proc/${name}/environ`, 'utf8').includes(this.dataDir);
          return ours && matches(command);
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  get launcherPid() {
    return this.#launcher.pid;
  }

  async stop() {
    const launcher = this.#launcher;
    if (launcher.exitCode !== null || launcher.signalCode !== null) return;
    const ended = new Promise((resolve) => launcher.once('exit', resolve));
    launcher.kill('SIGINT');
    const timer = setTimeout(() => launcher.kill('SIGKILL'), 40_000);
    await ended;
    clearTimeout(timer);
  }

  /** Ends everything that it started, however it stands. */
  async close() {
    await this.stop();
    for (const pid of this.pids(() => true)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
  }
}

function isRecordingSince(sinceMs) {
  return ({ recording }) => recording.active && Date.parse(recording.since ?? 0) >= sinceMs;
}

export async function until(what, deadlineMs, condition) {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`in ${deadlineMs / 1000} s not: ${what}`);
    await sleep(200);
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
