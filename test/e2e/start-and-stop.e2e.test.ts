// The launcher: first start, set-up link, a quick second start, Ctrl-C, kill -9, a child that dies.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '#base/testing';
import type { LoginAnswer } from '#contract';
import { ADMIN_PASSWORD, freePort, Installation } from './installation.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function launchOnce(environment: Record<string, string>, args: string[] = []) {
  return spawnSync(process.execPath, ['apps/launcher/main.mjs', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
}

test('faulty settings are listed together, before anything is touched', () => {
  const result = launchOnce({
    NIGHTJAR_PORT: 'eighty',
    NIGHTJAR_ADMIN_PASSWORD: 'short',
    DATABASE_URL: 'mysql://x',
    NIGHTJAR_DATA_DIR: '/nonexistent/nightjar',
  });
  expect(result.status).toBe(1);
  expect(result.stderr).toMatch(
    /NIGHTJAR_PORT: expected[^]*NIGHTJAR_ADMIN_PASSWORD: expected[^]*DATABASE_URL: expected/,
  );
  expect(result.stderr).not.toContain('short');
});

test('the help lists every setting', () => {
  const result = launchOnce({}, ['--help']);
  expect(result.status).toBe(0);
  for (const name of ['NIGHTJAR_DATA_DIR', 'NIGHTJAR_PORT', 'DATABASE_URL', 'REDIS_URL']) {
    expect(result.stdout).toContain(name);
  }
});

describe('an installation without a password', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.start({ withoutPassword: true });
  });
  afterAll(() => installation?.close());

  test('prints a one-time link, which sets the password once', async () => {
    const link = await eventually('the set-up link', () =>
      /\/setup#token=([\w-]+)/.exec(installation.output),
    );
    expect(await installation.json('GET', '/api/setup')).toEqual({ needed: true });
    const setUp = { token: link[1], password: ADMIN_PASSWORD };
    const answer = await installation.json<LoginAnswer>('POST', '/api/setup', setUp);
    expect(answer.user).toMatchObject({ username: 'admin', role: 'admin' });
    const again = await installation.fetch('POST', '/api/setup', setUp);
    expect(again.ok).toBe(false);
    expect(await installation.json('GET', '/api/setup')).toEqual({ needed: false });
  });

  test('refuses a second launcher over the same data, and a taken port', async () => {
    const second = launchOnce({
      NIGHTJAR_DATA_DIR: installation.dataDir,
      NIGHTJAR_HOST: '127.0.0.1',
      NIGHTJAR_PORT: String(await freePort()),
    });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain('already runs');
  });

  test('starts a child that dies again', async () => {
    for (const role of ['server', 'transcoder', 'recorder']) {
      const pid = await eventually(`a ${role}`, () => installation.findProcess(role));
      process.kill(pid, 'SIGKILL');
      await eventually(`a new ${role}`, () => {
        const now = installation.findProcess(role);
        return now !== undefined && now !== pid;
      });
    }
    await eventually('the new server answers', () => installation.signIn().catch(() => undefined));
  }, 60_000);

  test('starts PostgreSQL again when it is killed, and answers', async () => {
    const pid = installation
      .processes()
      .find((candidate) => commandLineOf(candidate).includes('postgres'));
    expect(pid).toBeDefined();
    process.kill(pid!, 'SIGKILL');
    await eventually(
      'the server answers from a new PostgreSQL',
      async () => (await installation.fetch('GET', '/api/cameras').catch(() => undefined))?.ok,
      40_000,
    );
  }, 60_000);

  test('ends all processes on Ctrl-C, starts again without building, and keeps everything', async () => {
    expect(await installation.interrupt()).toBe(0);
    expect(installation.processes().map(commandLineOf)).toEqual([]);
    const startedMs = performance.now();
    await installation.launch();
    console.log(`started again in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await installation.signIn();
  }, 60_000);

  test('leaves no orphan after kill -9 of the launcher but PostgreSQL, which the next start adopts', async () => {
    await installation.killLauncher();
    const left = await eventually('the children have noticed', () => {
      const pids = installation.processes();
      return pids.every((pid) => commandLineOf(pid).includes('postgres')) ? pids : undefined;
    });
    expect(left.length).toBeGreaterThan(0);
    installation.output = '';
    await installation.launch();
    expect(installation.output).toContain('adopted the PostgreSQL');
    await installation.signIn();
    expect(await installation.interrupt()).toBe(0);
    expect(installation.processes()).toEqual([]);
  }, 60_000);
});

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
