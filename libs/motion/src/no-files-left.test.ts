// A detector that cannot be forked for want of open files must not take the recorder with it.

import { spawn } from 'node:child_process';
import { compiledModule } from '#base';

const MOTION = compiledModule('./index.js', import.meta.url);
const BASE = compiledModule('../../base/src/index.js', import.meta.url);

const SCRIPT = `
  import { closeSync, openSync } from 'node:fs';
  const { MotionService } = await import(${JSON.stringify(MOTION)});
  const { silentLog, systemClock } = await import(${JSON.stringify(BASE)});
  const until = async (what, condition) => {
    const endMs = performance.now() + 60_000;
    while (!condition()) {
      if (performance.now() > endMs) throw new Error('not in time: ' + what);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const times = { restartFirstMs: 20, restartCapMs: 100 };
  const service = await MotionService.start({ processes: 1, clock: systemClock, log: silentLog(), times });
  const status = () => service.status()[0];
  service.open({ sensitivity: 0.5, onSample() {}, onState() {} });
  await until('the detector', () => status().pid !== undefined);
  const { pid } = status();
  process.kill(pid, 'SIGKILL');
  const held = [];
  const hold = () => { try { for (;;) held.push(openSync('/dev/null', 'r')); } catch {} };
  // Its own pipes are given back a moment later: those are taken, too.
  const holding = setInterval(hold, 1);
  hold();
  await until('three starts that fail', () => status().restarts >= 4);
  clearInterval(holding);
  for (const file of held) closeSync(file);
  await until('another detector', () => status().pid !== undefined && status().pid !== pid);
  await service.close();
  console.log('back');
`;

const onUnix = process.platform === 'win32' ? test.skip : test;

onUnix(
  'a detector that cannot be started is tried again, and nothing throws',
  async () => {
    const child = spawn('bash', [
      '-c',
      'ulimit -n 400; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      SCRIPT,
    ]);
    let said = '';
    child.stdout.on('data', (piece) => (said += String(piece)));
    child.stderr.on('data', (piece) => (said += String(piece)));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect([code, said.trim()]).toEqual([0, 'back']);
  },
  120_000,
);
