// `npm test`: installs and builds what is missing, then runs the gates, the unit tests and the
// end-to-end tests, and ends with one plain line of what passed and failed, also when something hangs.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { prepare, ROOT } from '../apps/launcher/prepare.mjs';
import { killTree } from './process-tree.mjs';
import { TestRun } from './test-run.mjs';

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

/** All of it; a file that hangs is ended sooner, by itself (file-watch.mjs). */
const LIMIT_MINUTES = Number(process.env.NIGHTJAR_TEST_MINUTES ?? 24);

const counts = { passed: 0, failed: 0, skipped: 0 };
/** The tests that run now. */
let running;

const say = (line) => {
  const elapsed = Math.round(performance.now() / 1000);
  const clock = `${Math.floor(elapsed / 60)}:${String(elapsed % 60).padStart(2, '0')}`;
  console.log(`\n== ${line} (${clock})`);
};

function bringPeers() {
  const missing = PEERS.filter((peer) => !existsSync(peer.file));
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (canInstall) {
    say(`installing Debian packages for ${missing.map((peer) => peer.name).join(', ')}`);
    const packages = missing.flatMap((peer) => peer.packages);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { env: environment, timeout: 3 * 60_000, killSignal: 'SIGKILL' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', ...options });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      ...options,
    });
  }
  for (const peer of missing.filter((candidate) => !existsSync(candidate.file))) {
    console.log(
      `skipped: tests against ${peer.name}, which is not on this machine (Debian: ${peer.packages[0]})`,
    );
  }
}

async function jest(name, args) {
  say(name);
  running = new TestRun();
  await running.run(args);
  add(running.sum());
  running = undefined;
}

function add(sum) {
  for (const line of sum.lines) console.log(line);
  for (const key of Object.keys(counts)) counts[key] += sum[key];
}

/** The last line, whatever happened. */
function finish() {
  if (running !== undefined) add(running.sum());
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exit(counts.failed === 0 ? 0 : 1);
}

function giveUp(why) {
  console.log(`\nFAIL ${why}`);
  counts.failed += 1;
  killTree(process.pid);
  finish();
}

setTimeout(
  () => giveUp(`it took longer than ${LIMIT_MINUTES} minutes (NIGHTJAR_TEST_MINUTES)`),
  Math.max(0, LIMIT_MINUTES * 60_000 - performance.now()),
).unref();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => giveUp(`it was ended with ${signal}`));
}

try {
  await prepare((line) => say(line));
  bringPeers();
  mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true });
  const { check } = await import('./check.mjs');
  say('gates');
  counts.failed += (await check()).length;
  // Most of them wait for sockets, disks and clocks: more workers than there are cores.
  await jest('unit tests', [
    `--maxWorkers=${availableParallelism() + 1}`,
    ...process.argv.slice(2),
  ]);
  if (process.argv.length === 2) {
    await jest('end-to-end tests', ['--config', 'test/e2e/jest.config.mjs']);
  }
} catch (error) {
  // What could not be installed or built.
  console.log(`\nFAIL ${error.message}`);
  counts.failed += 1;
}
say('through');
finish();
