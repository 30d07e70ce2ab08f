// A whole server for one test file: real PostgreSQL, real sockets, and callers with every role.

import { createLog, Shutdown, silentLog, systemClock } from '#base';
import type { LoginAnswer, Role } from '#contract';
import { startTestPostgres, type TestPostgres } from '../../../test/fixtures/postgres.js';
import { readServerConfig } from './config.js';
import { startServer, type RunningServer } from './server.js';

export const ADMIN_PASSWORD = 'a long night watch';
export const INTERNAL_SECRET = 'the internal doors are not for guests';
const SECRET_KEY = 'thirty-two characters at the very least';

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export class TestServer {
  readonly #environment: Record<string, string>;
  readonly postgres: TestPostgres;
  #running: RunningServer;
  #shutdown: Shutdown;
  readonly #tokens = new Map<string, string>();

  private constructor(
    environment: Record<string, string>,
    postgres: TestPostgres,
    started: { running: RunningServer; shutdown: Shutdown },
  ) {
    this.#environment = environment;
    this.postgres = postgres;
    this.#running = started.running;
    this.#shutdown = started.shutdown;
  }

  static async start(extra: Record<string, string> = {}): Promise<TestServer> {
    const postgres = await startTestPostgres();
    const environment = {
      DATABASE_URL: await postgres.createDatabase(),
      NIGHTJAR_HOST: '127.0.0.1',
      NIGHTJAR_PORT: '0',
      NIGHTJAR_INTERNAL_PORT: '0',
      NIGHTJAR_ADMIN_PASSWORD: ADMIN_PASSWORD,
      NIGHTJAR_SECRET_KEY: SECRET_KEY,
      NIGHTJAR_INTERNAL_SECRET: INTERNAL_SECRET,
      ...extra,
    };
    return new TestServer(environment, postgres, await startWith(environment));
  }

  get url(): string {
    return this.#running.url;
  }

  get databaseUrl(): string {
    return this.#environment['DATABASE_URL'] ?? '';
  }

  get internalUrl(): string {
    return this.#running.internalUrl;
  }

  get running(): RunningServer {
    return this.#running;
  }

  /** Ends the process's parts and starts them again over the same database. */
  async restart(extra: Record<string, string> = {}): Promise<void> {
    await this.#shutdown.run('the test restarts it');
    ({ running: this.#running, shutdown: this.#shutdown } = await startWith({
      ...this.#environment,
      ...extra,
    }));
  }

  async stop(): Promise<void> {
    await this.#shutdown.run('the test is over');
    await this.postgres.stop();
  }

  async logIn(username = 'admin', password = ADMIN_PASSWORD): Promise<LoginAnswer> {
    const answer = await this.call<LoginAnswer>('POST', '/api/auth/login', {
      body: { username, password },
    });
    if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}`);
    return answer.body;
  }

  /** A token of somebody with this role; the user is made at the first call. */
  async tokenOf(role: Role): Promise<string> {
    const known = this.#tokens.get(role);
    if (known !== undefined) return known;
    if (role !== 'admin') {
      await this.call('POST', '/api/users', {
        token: await this.tokenOf('admin'),
        body: { username: role, password: ADMIN_PASSWORD, role },
      });
    }
    const { token } = await this.logIn(role);
    this.#tokens.set(role, token);
    return token;
  }

  /** A request as `admin` without more said. */
  async admin<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const token = await this.tokenOf('admin');
    return this.call<T>(method, path, body === undefined ? { token } : { token, body });
  }

  async call<T>(
    method: string,
    path: string,
    o: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }),
        ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...o.headers,
      },
      ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body = (isJson ? JSON.parse(text) : text) as T;
    return { status: response.status, headers: response.headers, body };
  }

  /** What the internal door answers to a transcoder, say. */
  async internalGet(path: string): Promise<Answer<string>> {
    const response = await fetch(this.internalUrl + path, {
      headers: { authorization: `Bearer ${INTERNAL_SECRET}` },
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** A request on the internal door, with its secret. */
  async internal<T>(path: string, body: unknown): Promise<Answer<T>> {
    const response = await fetch(this.internalUrl + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${INTERNAL_SECRET}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    };
  }
}

async function startWith(
  environment: Record<string, string>,
): Promise<{ running: RunningServer; shutdown: Shutdown }> {
  const level = process.env['TEST_LOG_LEVEL'];
  const log = level === undefined ? silentLog() : createLog('server', level);
  const shutdown = new Shutdown(log);
  const config = readServerConfig(environment);
  return { running: await startServer({ config, clock: systemClock, log, shutdown }), shutdown };
}
