// `npm test`: installs and builds what is missing, then runs the gates, the unit tests and the
// end-to-end tests, and ends with one plain line of what passed and failed.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, ROOT } from '../apps/launcher/prepare.mjs';

/** Programs that some tests drive, and Debian's packages that bring them. */
const PEERS = [
  { name: 'ffprobe', file: '/usr/bin/ffprobe', packages: ['ffmpeg'] },
  { name: 'redis-server', file: '/usr/bin/redis-server', packages: ['redis-server'] },
  { name: 'Chromium', file: '/usr/bin/chromium', packages: ['chromium'] },
  {
    name: 'the GStreamer RTSP server',
    file: '/usr/lib/x86_64-linux-gnu/girepository-1.0/GstRtspServer-1.0.typelib',
    packages: [
      'gir1.2-gst-rtsp-server-1.0',
      'python3-gi',
      'gstreamer1.0-plugins-base',
      'gstreamer1.0-plugins-good',
      'gstreamer1.0-plugins-bad',
      'gstreamer1.0-plugins-ugly',
    ],
  },
];

let passed = 0;
let failed = 0;
let skipped = 0;

const say = (line) => console.log(`\n== ${line}`);

function bringPeers() {
  const missing = PEERS.filter((peer) => !existsSync(peer.file));
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (canInstall) {
    say(`installing Debian packages for ${missing.map((peer) => peer.name).join(', ')}`);
    const packages = missing.flatMap((peer) => peer.packages);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env: environment });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: environment,
    });
  }
  for (const peer of missing.filter((candidate) => !existsSync(candidate.file))) {
    console.log(
      `skipped: tests against ${peer.name}, which is not on this machine (Debian: ${peer.packages[0]})`,
    );
  }
}

function runProgram(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function jest(name, args) {
  say(name);
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-results-'));
  const file = join(directory, 'results.json');
  const code = await runProgram([
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${file}`,
    ...args,
  ]);
  try {
    const results = JSON.parse(readFileSync(file, 'utf8'));
    passed += results.numPassedTests;
    failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
    skipped += results.numPendingTests;
    for (const suite of results.testResults) {
      for (const test of suite.assertionResults) {
        if (test.status === 'pending') console.log(`skipped: ${test.fullName}`);
      }
    }
    if (code !== 0 && results.success) failed += 1;
  } catch {
    failed += 1;
  }
  rmSync(directory, { recursive: true, force: true });
}

await prepare((line) => say(line));
bringPeers();
mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true });
const { check } = await import('./check.mjs');
say('gates');
const gates = await check();
failed += gates.length;
// Most of them wait for sockets, disks and clocks: one worker more than there are cores.
await jest('unit tests', [`--maxWorkers=${availableParallelism() + 1}`, ...process.argv.slice(2)]);
if (process.argv.length === 2) {
  await jest('end-to-end tests', ['--config', 'test/e2e/jest.config.mjs', '--runInBand']);
}
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
