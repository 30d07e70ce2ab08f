// `kill -9` of launcher, server, PostgreSQL and recorder of a whole installation, by turns and at
// random moments. What does not record costs no frame; all comes back by itself.

import { join } from 'node:path';
import { sleep, startSimulator, stop } from '../bench/rig.mjs';
import { checkStore, decodeNewChunks, judgeKill, MOST_LOST_MS } from './footage-checks.mjs';
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

/** So many rounds, then everything is stopped, checked, decoded and started again. */
const ROUNDS_A_BATCH = 8;

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
  const decoded = new Set();
  let told = 0;
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
    for (let done = 0; done < rounds;) {
      const startMs = Date.now();
      const kills = [];
      for (const end = Math.min(rounds, done + ROUNDS_A_BATCH); done < end; done++) {
        const result = results[done % results.length];
        try {
          kills.push(...(await killOnce(installation, { cameras, result, random, say })));
          say(`${result.name}: well again after ${Math.round(result.recoveryMs.at(-1))} ms`);
        } catch (error) {
          say(`${result.name}: ${error.message}`);
          result.failures.push(error.message);
          await installation.close();
          await installation.launch();
        }
      }
      await judgeAll(installation, { cameras, kills, startMs });
      const last = results.at(-1);
      await installation.stop();
      for (const fault of await checkStore(dataDir)) last.failures.push(fault);
      const { faults } = await decodeNewChunks(join(dataDir, 'store'), decoded);
      last.failures.push(...faults);
      const failures = results.flatMap((result) => result.failures);
      say(`${done} rounds, ${decoded.size} chunks decoded, ${failures.length} faults`);
      for (const failure of failures.slice(told)) say(failure);
      told = failures.length;
      if (done < rounds) await installation.launch();
    }
  } finally {
    await installation.close();
    await stop(simulator.child);
  }
  return results.filter(({ rounds: done }) => done > 0);
}

/** A third of the rounds kill something else, too, while what was killed first comes back. */
async function killOnce(installation, { cameras, result, random, say }) {
  await installation.untilWell(cameras);
  const sinceMs = Date.now();
  await sleep(random() * 4000);
  const kills = [{ result, killMs: Date.now(), sinceMs }];
  const killedMs = performance.now();
  await kill(installation, result.name);
  let endsRecording = RECORDS.includes(result.name);
  if (random() < 1 / 3) {
    await sleep(random() * 2500);
    const others = Object.keys(VICTIMS).filter((name) => name !== 'launcher');
    const name = others[Math.floor(random() * others.length)];
    const killMs = Date.now();
    if (await kill(installation, name, { mayBeGone: true })) {
      say(`${result.name}: and the ${name}`);
      if (name === 'recorder') {
        endsRecording = true;
        kills.push({ result, killMs, sinceMs: undefined, isSecond: true });
      }
    }
  }
  // The server remembers states of before for a moment.
  await installation.untilWell(cameras, { sinceMs: endsRecording ? kills.at(-1).killMs : 0 });
  result.recoveryMs.push(performance.now() - killedMs);
  result.rounds += 1;
  return kills;
}

async function judgeAll(installation, { cameras, kills, startMs }) {
  // What was recorded last is to be in the timeline.
  await sleep(4000);
  const query = `cameras=${cameras.join(',')}&from=${startMs}&to=${Date.now()}`;
  const { cameras: timelines } = await installation.json('GET', `/api/timeline?${query}`);
  for (const [index, one] of kills.entries()) {
    // Both blows hit the recording: its gap is judged once.
    const next = kills[index + 1];
    if (next?.isSecond === true && !RECORDS.includes(one.result.name)) continue;
    const end = kills
      .slice(index + 1)
      .find(({ result, isSecond }) => isSecond === true || RECORDS.includes(result.name));
    for (const timeline of timelines) judge(timeline, { ...one, endMs: end?.killMs ?? Infinity });
  }
}

function judge(timeline, { result, killMs, sinceMs, isSecond, endMs }) {
  if (RECORDS.includes(result.name) || isSecond === true) {
    const { lossMs, faults } = judgeKill(timeline, { killMs, sinceMs });
    result.lossMs = Math.max(result.lossMs, lossMs);
    result.failures.push(...faults.map((fault) => `camera ${timeline.id} at ${killMs}: ${fault}`));
    if (faults.length > 0) result.failures.push(JSON.stringify(timeline));
    return;
  }
  // Recording does not lean on what was killed: the footage goes through, but for what the next
  // kill may cost.
  const throughMs = Math.max(killMs, Math.min(killMs + 1500, endMs - MOST_LOST_MS));
  const goesThrough = timeline.recordings.some(
    ({ track, from, to }) =>
      track === 'main' && Date.parse(from) <= killMs && Date.parse(to) >= throughMs,
  );
  if (!goesThrough) result.failures.push(`camera ${timeline.id} has a hole at ${killMs}`);
}

/** False when there was nothing to kill. */
async function kill(installation, name, { mayBeGone = false } = {}) {
  if (name === 'launcher') {
    process.kill(installation.launcherPid, 'SIGKILL');
    // Its children notice and end; PostgreSQL stays and is adopted.
    await until('the children have ended', 60_000, () => {
      return (
        installation.pids((command) => / (recorder|server|transcoder) $/.test(command)).length === 0
      );
    });
    await installation.launch();
    return true;
  }
  const [pid] = installation.pids(VICTIMS[name]);
  if (pid === undefined && mayBeGone) return false;
  if (pid === undefined) throw new Error(`there is no ${name}`);
  process.kill(pid, 'SIGKILL');
  await until(`the ${name} is gone`, 20_000, () => !installation.pids(VICTIMS[name]).includes(pid));
  return true;
}
