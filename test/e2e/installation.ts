// A whole installation for one test file: started by its launcher over a data directory of its own,
// asked through its public door, and ended with everything it started.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '#base/testing';
import type { Camera, CameraStatus, LoginAnswer, TimelineAnswer } from '#contract';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ADMIN_PASSWORD = 'a long night watch';

export interface InstallationOptions {
  readonly demo?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Keeps the password unset, so that the first run's set-up link is printed. */
  readonly withoutPassword?: boolean;
}

export class Installation {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'nightjar-e2e-'));
  readonly url: string;
  readonly port: number;
  readonly #options: InstallationOptions;
  #launcher: ChildProcess | undefined;
  #token = '';
  /** What the processes have printed, for set-up links and for a failed test's reader. */
  output = '';

  private constructor(port: number, options: InstallationOptions) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#options = options;
  }

  static async start(options: InstallationOptions = {}): Promise<Installation> {
    const installation = new Installation(await freePort(), options);
    try {
      await installation.launch();
      if (options.withoutPassword !== true) await installation.signIn();
    } catch (error) {
      // Nobody else knows of it who could end it.
      await installation.close();
      throw new Error(`it did not start:\n${installation.output}`, { cause: error });
    }
    return installation;
  }

  get launcherPid(): number {
    return this.#launcher?.pid ?? -1;
  }

  /** Starts the launcher and resolves when it says that Nightjar is ready. */
  async launch(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const args = ['apps/launcher/main.mjs', ...(this.#options.demo === true ? ['--demo'] : [])];
    const launcher = spawn(process.execPath, args, {
      cwd: ROOT,
      env: {
        ...process.env,
        NIGHTJAR_DATA_DIR: this.dataDir,
        NIGHTJAR_HOST: '127.0.0.1',
        NIGHTJAR_PORT: String(this.port),
        // So that a test that kills the recorder knows whose cameras it has; spread tests say more.
        NIGHTJAR_RECORDERS: '1',
        ...(this.#options.withoutPassword === true
          ? {}
          : { NIGHTJAR_ADMIN_PASSWORD: ADMIN_PASSWORD }),
        ...this.#options.environment,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#launcher = launcher;
    let fresh = '';
    const note = (chunk: Buffer) => {
      fresh += chunk.toString();
      this.output = (this.output + chunk.toString()).slice(-200_000);
    };
    launcher.stdout.on('data', note);
    launcher.stderr.on('data', note);
    await eventually(
      'Nightjar is ready',
      () => {
        if (launcher.exitCode !== null) throw new Error(`the launcher ended:\n${this.output}`);
        return fresh.includes('Nightjar is ready');
      },
      90_000,
    );
  }

  async signIn(): Promise<LoginAnswer> {
    const answer = await this.json<LoginAnswer>('POST', '/api/auth/login', {
      username: 'admin',
      password: ADMIN_PASSWORD,
    });
    this.#token = answer.token;
    return answer;
  }

  get token(): string {
    return this.#token;
  }

  fetch(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** The parsed answer; an answer that is not 2xx fails with its text. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.fetch(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  addCamera(name: string, main: string, rest: Record<string, unknown> = {}): Promise<Camera> {
    return this.json<Camera>('POST', '/api/cameras', { name, streams: { main }, ...rest });
  }

  status(camera: string): Promise<CameraStatus> {
    return this.json<CameraStatus>('GET', `/api/cameras/${camera}/status`);
  }

  async timeline(camera: string, fromUnixMs: number, toUnixMs: number) {
    const answer = await this.json<TimelineAnswer>(
      'GET',
      `/api/timeline?cameras=${camera}&from=${fromUnixMs}&to=${toUnixMs}`,
    );
    const found = answer.cameras[0];
    if (found === undefined) throw new Error('the timeline lacks the camera');
    return found;
  }

  /** The recorder process with this id. */
  findRecorder(id: string): number | undefined {
    return this.findProcess('recorder', `NIGHTJAR_RECORDER_ID=${id}\0`);
  }

  /** The process of this installation whose command line names `role`. */
  findProcess(role: string, variable = ''): number | undefined {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        if (
          environment.includes(`NIGHTJAR_DATA_DIR=${this.dataDir}\0`) &&
          environment.includes(variable) &&
          commandLine.includes(role)
        ) {
          return Number(name);
        }
      } catch {
        // It ended meanwhile.
      }
    }
    return undefined;
  }

  /** Pids of every process that this installation started, PostgreSQL included. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        try {
          return (
            readFileSync(`/proc/${name}/environ`, 'utf8').includes(this.dataDir) ||
            readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(this.dataDir)
          );
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** SIGINT to the launcher, as Ctrl-C sends it; resolves with its exit code. */
  async interrupt(): Promise<number | null> {
    const launcher = this.#launcher;
    if (launcher === undefined || launcher.exitCode !== null || launcher.signalCode !== null) {
      return launcher?.exitCode ?? null;
    }
    const ended = new Promise<number | null>((resolve) => launcher.once('exit', resolve));
    launcher.kill('SIGINT');
    return ended;
  }

  /** kill -9 of the launcher alone. */
  async killLauncher(): Promise<void> {
    const launcher = this.#launcher;
    if (launcher === undefined) return;
    const ended = new Promise((resolve) => launcher.once('exit', resolve));
    launcher.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    await this.interrupt();
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/**
 * A port that nobody has, below those that the system gives out by itself: none of its choosing is in
 * the way when the port is opened, a while later or again after a restart.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
