// A child of the launcher that cannot even be started is tried again, and never hinders the end; what
// it leaves behind ends with it.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/testing';

interface Child {
  start(): void;
  stop(): Promise<void>;
}

const launcher = '../apps/launcher/child.mjs';
const { Child } = (await import(launcher)) as { Child: new (options: object) => Child };

const directory = mkdtempSync(join(tmpdir(), 'nightjar-child-'));
const lines: string[] = [];
let child: Child | undefined;

afterAll(async () => {
  await child?.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('a start that the system refuses is repeated until it succeeds', async () => {
  const cwd = join(directory, 'later');
  const script = "require('fs').writeFileSync('up', ''); setInterval(() => {}, 1e6)";
  const environment = { PATH: process.env['PATH'] ?? '' };
  child = new Child({
    role: 'recorder',
    name: 'recorder-1',
    args: ['-e', script],
    environment,
    cwd,
    log: (line: string) => lines.push(line),
  });
  child.start();
  await eventually('a second refusal', () => lines.filter((l) => l.includes('again')).length >= 2);
  mkdirSync(cwd);
  await eventually('the child', () => existsSync(join(cwd, 'up')), 30_000);
  await child.stop();
}, 60_000);

test('a child that was never there is ended at once', async () => {
  const cwd = join(directory, 'never');
  const gone = new Child({
    role: 'server',
    name: 'server',
    args: [],
    environment: {},
    cwd,
    log: () => undefined,
  });
  gone.start();
  await new Promise((resolve) => setImmediate(resolve));
  await gone.stop();
});

test('what a child had begun when it went ends with it', async () => {
  const pidFile = join(directory, 'left');
  // It goes at once and waits for nobody, as one that is ended while it starts.
  const script = `
    const { spawn } = require('child_process');
    const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(left.pid), { flush: true });
    process.on('SIGTERM', () => process.exit(0));
    setInterval(() => {}, 1e6)`;
  const parent = new Child({
    role: 'transcoder',
    name: 'transcoder',
    args: ['-e', script],
    environment: { PATH: process.env['PATH'] ?? '' },
    cwd: directory,
    log: () => undefined,
  });
  parent.start();
  const pidOf = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0);
  const pid = await eventually('what it begins', pidOf, 30_000);
  expect(commandLineOf(pid)).toContain('setInterval');
  await parent.stop();
  expect(commandLineOf(pid)).toBe('');
}, 60_000);

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
