// What the index costs at size: a history laid down camera by camera, then a half day of all
// cameras at once as recorders write it, a restart, reads, and the expiry of a day.
//
// npm run bench -- index [--rows 10000000] [--directory <where; default: a temporary one>] [--keep]
//
// With --keep the index stays in the directory, and a second run measures it without building it.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { silentLog, systemClock } from '../../dist/libs/base/src/index.js';
import { Timeline } from '../../dist/libs/timeline/src/index.js';
import { Lsm } from '../../dist/libs/timeline/src/lsm.js';
import { makeKey } from '../../dist/libs/timeline/src/keys.js';
import { encodeGroup, groupKey } from '../../dist/libs/timeline/src/row-codec.js';
import {
  cameraId,
  CHUNKS_A_DAY,
  chunkRow,
  DAY_ROWS,
  eachGroup,
  GROUPS_A_CHUNK,
  GROUP_US,
  groupsOf,
  startOf,
  START_US,
} from './index-rows.mjs';

const MOST_CAMERAS = 100;
/** As recorders write them: the chunks of each camera behind the history. */
const LIVE_CHUNKS = 48;
const CHUNKS_A_COMMIT = 10;
const POINTS = 5000;
const RANGES = 1000;
const YEAR_ROWS = 100 * 365 * DAY_ROWS;

const open = (directory) => Timeline.open({ directory, clock: systemClock, log: silentLog() });
const sizeOf = (directory) =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

async function timed(action) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const value = await action();
  const { user, system } = process.cpuUsage(cpu);
  return { value, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
}

async function latencies(count, action) {
  const times = [];
  for (let index = 0; index < count; index++) times.push((await timed(() => action(index))).ms);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(count - 1, Math.floor(count * share))].toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${count})`;
}

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '10000000' },
      directory: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const wanted = Number(values.rows);
  if (!Number.isInteger(wanted) || wanted < 2 * DAY_ROWS || wanted > 2e9) {
    throw new Error(
      `--rows: expected a whole number from ${2 * DAY_ROWS} on, found ${values.rows}`,
    );
  }
  if (values.keep && values.directory === undefined) throw new Error('--keep needs --directory');
  const kept = join(values.directory ?? '', 'nightjar-bench-index');
  const root = values.keep ? kept : mkdtempSync(join(values.directory ?? tmpdir(), 'nightjar-'));
  try {
    const shapeFile = join(root, 'shape.json');
    const directory = join(root, 'index');
    if (!existsSync(shapeFile)) {
      mkdirSync(root, { recursive: true });
      writeFileSync(`${shapeFile}.part`, JSON.stringify(await build(directory, wanted)));
      writeFileSync(shapeFile, readFileSync(`${shapeFile}.part`));
    }
    await measure(directory, JSON.parse(readFileSync(shapeFile, 'utf8')));
  } finally {
    if (!values.keep) rmSync(root, { recursive: true, force: true });
  }
}

/** Gives what is in it. */
async function build(directory, wanted) {
  const cameras = Math.max(1, Math.min(MOST_CAMERAS, Math.floor(wanted / (2 * DAY_ROWS))));
  const chunks = Math.ceil(wanted / cameras / GROUPS_A_CHUNK);
  const live = Math.min(LIVE_CHUNKS, Math.floor(chunks / 4));
  const rows = cameras * chunks * GROUPS_A_CHUNK;
  console.log(
    `${rows} group rows of ${cameras} cameras, ${(chunks / CHUNKS_A_DAY).toFixed(1)} days`,
  );
  const rate = (count, { ms, cpuMs }) =>
    `${Math.round(count / (ms / 1000))} rows/s, ${((cpuMs * 1000) / count).toFixed(2)} us of CPU a row`;
  const history = await timed(() => putHistory(directory, cameras, chunks - live));
  const historyRows = rows - cameras * live * GROUPS_A_CHUNK;
  console.log(`put, history of ${historyRows} rows in big batches: ${rate(historyRows, history)}`);
  const timeline = await open(directory);
  const put = await timed(async () => {
    for (let chunk = chunks - live; chunk < chunks; chunk++) {
      for (let camera = 0; camera < cameras; camera++) {
        const groups = groupsOf(camera, chunk);
        await timeline.commit({ groups, chunks: [chunkRow(camera, chunk)] });
      }
    }
  });
  console.log(
    `put, the last ${rows - historyRows} rows as recorders write them, a chunk's rows of one camera ` +
      `after the other's: ${rate(rows - historyRows, put)}`,
  );
  await timeline.close();
  return { cameras, chunks, rows };
}

/** Group rows in the order of their keys, past the queue of the timeline; then the chunks' rows. */
async function putHistory(directory, cameras, chunks) {
  await (await open(directory)).close();
  const lsm = await Lsm.open(directory);
  for (let camera = 0; camera < cameras; camera++) {
    for (let chunk = 0; chunk < chunks; chunk += CHUNKS_A_COMMIT) {
      const operations = [];
      for (let at = chunk; at < Math.min(chunks, chunk + CHUNKS_A_COMMIT); at++) {
        for (const group of eachGroup(camera, at)) {
          operations.push({ type: 'put', key: groupKey(group), value: encodeGroup(group) });
        }
      }
      await lsm.batch(operations, false);
    }
    const end = Buffer.alloc(8);
    end.writeDoubleBE(startOf(camera, chunks));
    const from = { u64: startOf(camera, 0) };
    const key = makeKey('span', { uuid: cameraId(camera) }, { track: 'main' }, from);
    await lsm.batch([{ type: 'put', key, value: end }], false);
    if (process.stdout.isTTY) process.stdout.write(`\r${camera + 1} of ${cameras} cameras `);
  }
  await lsm.close();
  const timeline = await open(directory);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const rows = Array.from({ length: cameras }, (_, camera) => chunkRow(camera, chunk));
    await timeline.commit({ chunks: rows });
  }
  await timeline.close();
}

async function measure(directory, { cameras, chunks, rows }) {
  const sample = groupsOf(0, 700);
  const mean = (encode) =>
    (sample.reduce((sum, row) => sum + encode(row).length, 0) / sample.length).toFixed(1);
  console.log(
    `a row before compression: ${mean(encodeGroup)} bytes of value, ${mean(groupKey)} of key`,
  );
  const bytes = sizeOf(directory);
  console.log(`on disk: ${megabytes(bytes)}, ${(bytes / rows).toFixed(2)} bytes a row`);
  await printDebt(directory);

  const opened = await timed(() => open(directory));
  const timeline = opened.value;
  console.log(`open: ${opened.ms.toFixed(0)} ms`);
  const spanUs = chunks * GROUPS_A_CHUNK * GROUP_US;
  const moment = () => START_US + Math.floor(Math.random() * (spanUs - 4e9));
  const anyCamera = () => cameraId(Math.floor(Math.random() * cameras));
  const point = await latencies(POINTS, () => timeline.groupAt(anyCamera(), 'main', moment()));
  console.log(`the group at a moment: ${point}`);
  const hour = await latencies(RANGES, () => {
    const fromUnixUs = moment();
    return timeline.groups(anyCamera(), 'main', { fromUnixUs, toUnixUs: fromUnixUs + 3600e6 });
  });
  console.log(`the groups of an hour (1800): ${hour}`);
  await timeline.close();
  await expire(directory, cameras, chunks);
  console.log(
    `a year of 100 cameras (${YEAR_ROWS} rows), from this by proportion: ` +
      `${((bytes / rows) * (YEAR_ROWS / 1e9)).toFixed(0)} GB`,
  );
}

/** What LevelDB has not merged yet: its levels, and how far each is over what it may hold. */
async function printDebt(directory) {
  const level = new ClassicLevel(directory);
  await level.open();
  const levels = level
    .getProperty('leveldb.stats')
    .split('\n')
    .flatMap((line) => {
      const [, number, files, size] = /^\s*(\d)\s+(\d+)\s+(\d+)/.exec(line) ?? [];
      return number === undefined
        ? []
        : [{ number: Number(number), files: Number(files), size: Number(size) }];
    });
  await level.close();
  const debt = levels.reduce((sum, { number, size }) => {
    const allowed = number === 0 ? 0 : 10 ** number;
    return sum + Math.max(0, size - (number === 6 ? Infinity : allowed));
  }, 0);
  const text = levels.map(({ number, files, size }) => `L${number} ${files} files ${size} MB`);
  console.log(`levels: ${text.join(', ')}; compaction debt ${debt} MB`);
}

/** The oldest day, of cameras that have not lost it in a run before. */
async function expire(directory, cameras, chunks) {
  const day = Math.min(CHUNKS_A_DAY, chunks - 1);
  const first = await open(directory);
  const whole = [];
  for (let camera = 0; camera < cameras; camera++) {
    if ((await first.chunk(chunkRow(camera, 0).id)) !== undefined) whole.push(camera);
  }
  await first.close();
  const say = (what, { ms, cpuMs }, count) =>
    console.log(
      `${what}: ${(ms / 1000).toFixed(2)} s, ${(cpuMs / 1000).toFixed(2)} s of CPU, ` +
        `${(ms / day / count).toFixed(2)} ms a chunk`,
    );
  const one = whole.shift();
  if (one === undefined) return console.log('expiry: every camera has lost its first day already');
  const lsm = await Lsm.open(directory);
  const bound = (chunk) => groupKey({ ...groupsOf(one, chunk)[0], chunkId: 0 });
  const rowByRow = await timed(async () => {
    for (let chunk = 0; chunk < day; chunk++) {
      const entries = await lsm.entries({ gte: bound(chunk), lt: bound(chunk + 1) });
      const operations = entries.map(([key]) => ({ type: 'del', key }));
      await lsm.batch(operations, false);
    }
  });
  await lsm.close();
  say(
    `a camera's day of ${day * GROUPS_A_CHUNK} group rows, read and deleted row by row`,
    rowByRow,
    1,
  );
  const timeline = await open(directory);
  for (let chunk = 0; chunk < day; chunk++) await drop(timeline, one, chunk);
  const each = await timed(async () => {
    for (const camera of whole) {
      for (let chunk = 0; chunk < day; chunk++) await drop(timeline, camera, chunk);
    }
  });
  const count = whole.length;
  say(`expiry of the day of ${count} cameras, ${count * day} chunks with all rows`, each, count);
  await timeline.close();
}

function drop(timeline, camera, chunk) {
  const row = chunkRow(camera, chunk);
  return timeline.dropChunk(row.id, {
    ...{ atUnixUs: Date.now() * 1000, camera: row.camera, track: 'main', rule: 'age' },
    ...{ chunkPath: row.path, bytes: row.sizeBytes },
    ...{ fromUnixUs: row.firstUnixUs, toUnixUs: row.lastUnixUs },
  });
}
