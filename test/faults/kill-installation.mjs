// `kill -9` of launcher, server, PostgreSQL and recorder of a whole installation, by turns and at
// random moments. What does not record costs no frame; all comes back by itself.

import { join } from 'node:path';
import { sleep, startSimulator, stop } from '../bench/rig.mjs';
import { checkStore, decodeNewChunks, judgeKill } from './footage-checks.mjs';
import { until, WholeInstallation } from './whole-installation.mjs';

const CAMERAS = 3;
const VICTIMS = {
  server: (command) => command.endsWith(' server '),
  PostgreSQL: (command) => /postgres.* -D /.test(command),
  recorder: (command) => command.endsWith(' recorder '),
  launcher: undefined,
};

/** With these the recorder ends. */
const RECORDS = ['recorder', 'launcher'];

export async function run({ rounds, clip, directory, random, say }) {
  const results = Object.keys(VICTIMS).map((name) => ({
    fault: `kill -9 of the ${name} of an installation`.replace('the PostgreSQL', 'PostgreSQL'),
    name,
    rounds: 0,
    lossMs: 0,
    recoveryMs: [],
    failures: [],
  }));
  const dataDir = join(directory, 'data');
  const simulator = await startSimulator({ clip, copies: CAMERAS, directory });
  const installation = await WholeInstallation.start(dataDir);
  const startMs = Date.now();
  const kills = [];
  try {
    const cameras = [];
    for (let number = 1; number <= CAMERAS; number++) {
      const { id } = await installation.json('POST', '/api/cameras', {
        name: `Camera ${number}`,
        streams: { main: simulator.url(number) },
        recording: { mode: 'continuous' },
      });
      cameras.push(id);
    }
    for (let round = 0; round < rounds; round++) {
      const result = results[round % results.length];
      await installation.untilWell(cameras);
      const sinceMs = Date.now();
      await sleep(random() * 4000);
      const killMs = Date.now();
      const killedMs = performance.now();
      await kill(installation, result.name);
      // The server remembers states of before for a moment.
      await installation.untilWell(cameras, {
        sinceMs: RECORDS.includes(result.name) ? killMs : 0,
      });
      result.recoveryMs.push(performance.now() - killedMs);
      result.rounds += 1;
      kills.push({ result, killMs, sinceMs });
      say(`${result.name}: well again after ${Math.round(result.recoveryMs.at(-1))} ms`);
    }
    // What was recorded last is to be in the timeline.
    await sleep(4000);
    const query = `cameras=${cameras.join(',')}&from=${startMs}&to=${Date.now()}`;
    const { cameras: timelines } = await installation.json('GET', `/api/timeline?${query}`);
    for (const { result, killMs, sinceMs } of kills) {
      for (const timeline of timelines) judge(timeline, { result, killMs, sinceMs });
    }
  } finally {
    await installation.close();
    await stop(simulator.child);
  }
  const last = results.at(-1);
  for (const fault of await checkStore(dataDir)) last.failures.push(fault);
  const { faults, decoded } = await decodeNewChunks(join(dataDir, 'store'), new Set());
  last.failures.push(...faults);
  say(`${decoded} chunks decoded`);
  return results.filter(({ rounds: done }) => done > 0);
}

function judge(timeline, { result, killMs, sinceMs }) {
  if (RECORDS.includes(result.name)) {
    const { lossMs, faults } = judgeKill(timeline, { killMs, sinceMs });
    result.lossMs = Math.max(result.lossMs, lossMs);
    result.failures.push(...faults);
    return;
  }
  // Recording does not lean on what was killed: the footage goes through.
  const goesThrough = timeline.recordings.some(
    ({ track, from, to }) =>
      track === 'main' && Date.parse(from) <= killMs && Date.parse(to) >= killMs + 1500,
  );
  if (!goesThrough) result.failures.push(`camera ${timeline.id} has a hole at ${killMs}`);
}

async function kill(installation, name) {
  if (name === 'launcher') {
    process.kill(installation.launcherPid, 'SIGKILL');
    // Its children notice and end; PostgreSQL stays and is adopted.
    await until('the children have ended', 60_000, () => {
      return (
        installation.pids((command) => / (recorder|server|transcoder) $/.test(command)).length === 0
      );
    });
    await installation.launch();
    return;
  }
  const [pid] = installation.pids(VICTIMS[name]);
  if (pid === undefined) throw new Error(`there is no ${name}`);
  process.kill(pid, 'SIGKILL');
  await until(`the ${name} is gone`, 20_000, () => !installation.pids(VICTIMS[name]).includes(pid));
}
