// What the index costs at size: group rows as recorders write them, then a restart, reads, and the
// expiry of one camera's day, chunk by chunk as retention does it and by bare range.
//
// npm run bench -- index [--rows 10000000] [--directory <where; default: a temporary one>]

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { silentLog, systemClock } from '../../dist/libs/base/src/index.js';
import { Timeline } from '../../dist/libs/timeline/src/index.js';
import { encodeGroup, groupKey } from '../../dist/libs/timeline/src/row-codec.js';

const GROUP_US = 2_000_000;
const GROUPS_A_CHUNK = 450;
const CHUNKS_A_DAY = 96;
const DAY_ROWS = GROUPS_A_CHUNK * CHUNKS_A_DAY;
const MOST_CAMERAS = 100;
const START_US = 1_767_225_600_000_000;
const POINTS = 2000;
const RANGES = 300;
const YEAR_ROWS = 100 * 365 * DAY_ROWS;

const cameraId = (index) => `7d1f6c1e-93a1-4c5e-8a39-${String(index).padStart(12, '0')}`;
const chunkIdOf = (camera, chunk) => START_US + chunk * GROUPS_A_CHUNK * GROUP_US + camera;

/** Sizes as of a camera at 4 Mbit/s; every group differs. */
function chunkOf(cameraIndex, chunk) {
  const camera = cameraId(cameraIndex);
  const id = chunkIdOf(cameraIndex, chunk);
  const firstUnixUs = START_US + chunk * GROUPS_A_CHUNK * GROUP_US + cameraIndex * 7919;
  const groups = [];
  let offset = 0;
  for (let index = 0; index < GROUPS_A_CHUNK; index++) {
    const length = 900_000 + ((index * 7919 + cameraIndex * 104_729 + chunk * 31) % 200_000);
    groups.push({
      ...{ camera, track: 'main', chunkId: id, run: 1 + Math.floor(chunk / 300), offset, length },
      startUnixUs: firstUnixUs + index * GROUP_US,
      durationUs: GROUP_US,
      frameCount: 50,
      startDts90k: (chunk * GROUPS_A_CHUNK + index) * 180_000,
    });
    offset += length;
  }
  const row = {
    ...{ id, camera, track: 'main', codec: 'h264', sealed: true, sizeBytes: offset, firstUnixUs },
    store: cameraId(999_999),
    path: `${camera}/main/2026-01-01/000000-${id}.h264`,
    lastUnixUs: firstUnixUs + GROUPS_A_CHUNK * GROUP_US,
  };
  return { row, groups };
}

function sizeOf(directory) {
  return readdirSync(directory).reduce(
    (sum, name) => sum + statSync(join(directory, name)).size,
    0,
  );
}

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

const open = (directory) => Timeline.open({ directory, clock: systemClock, log: silentLog() });
const openLevel = async (directory) => {
  const level = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await level.open();
  return level;
};

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: { rows: { type: 'string', default: '10000000' }, directory: { type: 'string' } },
  });
  const wanted = Number(values.rows);
  if (!Number.isInteger(wanted) || wanted < 2 * DAY_ROWS || wanted > 2e9) {
    throw new Error(
      `--rows: expected a whole number from ${2 * DAY_ROWS} on, found ${values.rows}`,
    );
  }
  const directory = mkdtempSync(join(values.directory ?? tmpdir(), 'nightjar-bench-index-'));
  try {
    await measure(directory, wanted);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(directory, wanted) {
  const cameras = Math.max(1, Math.min(MOST_CAMERAS, Math.floor(wanted / (2 * DAY_ROWS))));
  const chunks = Math.ceil(wanted / cameras / GROUPS_A_CHUNK);
  const rows = cameras * chunks * GROUPS_A_CHUNK;
  console.log(
    `${rows} group rows of ${cameras} cameras, ${(chunks / CHUNKS_A_DAY).toFixed(1)} days`,
  );

  let timeline = await open(directory);
  let valueBytes = 0;
  let keyBytes = 0;
  const put = await timed(async () => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      for (let camera = 0; camera < cameras; camera++) {
        const { row, groups } = chunkOf(camera, chunk);
        await timeline.commit({ groups, chunks: [row] });
        if (camera !== chunk % cameras) continue;
        for (const group of groups) {
          valueBytes += encodeGroup(group).length;
          keyBytes += groupKey(group).length;
        }
      }
      if (chunk % 32 === 0 && process.stdout.isTTY) {
        process.stdout.write(`\r${Math.round((chunk / chunks) * 100)} %  `);
      }
    }
  });
  const sampled = chunks * GROUPS_A_CHUNK;
  console.log(
    `put: ${Math.round(rows / (put.ms / 1000))} rows/s, ${((put.cpuMs * 1000) / rows).toFixed(2)} us of CPU a row`,
  );
  console.log(
    `a row before compression: ${(valueBytes / sampled).toFixed(1)} bytes of value, ${(keyBytes / sampled).toFixed(1)} of key`,
  );
  await timeline.close();
  const bytes = sizeOf(directory);
  console.log(`on disk: ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / rows).toFixed(2)} bytes a row`);

  const level = await openLevel(directory);
  const layers = level
    .getProperty('leveldb.stats')
    .split('\n')
    .flatMap((line) => /^\s*(\d)\s+(\d+)\s+(\d+)/.exec(line)?.slice(1, 4).join('/') ?? []);
  console.log(`compaction debt: levels as level/files/MB: ${layers.join(' ')}`);
  await level.close();

  const opened = await timed(() => open(directory));
  timeline = opened.value;
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

  const day = Math.min(CHUNKS_A_DAY, chunks - 1);
  const drop = await timed(async () => {
    for (let chunk = 0; chunk < day; chunk++) {
      const { row } = chunkOf(0, chunk);
      await timeline.dropChunk(row.id, {
        ...{ atUnixUs: Date.now() * 1000, camera: row.camera, track: 'main', rule: 'age' },
        ...{ chunkPath: row.path, bytes: row.sizeBytes },
        ...{ fromUnixUs: row.firstUnixUs, toUnixUs: row.lastUnixUs },
      });
    }
  });
  console.log(
    `expiry of a camera's day, ${day} chunks, each with its rows in one atomic batch: ` +
      `${drop.ms.toFixed(0)} ms, ${drop.cpuMs.toFixed(0)} ms of CPU (${(drop.ms / day).toFixed(1)} ms a chunk)`,
  );
  await timeline.close();
  if (cameras > 1) await clearDay(directory, day);
  console.log(
    `a year of 100 cameras (${YEAR_ROWS} rows), from this by proportion: ${((bytes / rows) * (YEAR_ROWS / 1e9)).toFixed(0)} GB`,
  );
}

/** What LevelDB offers for ranges: the same tombstones, made natively, but not in one batch. */
async function clearDay(directory, day) {
  const level = await openLevel(directory);
  const bound = (chunk) => groupKey({ ...chunkOf(1, chunk).groups[0], chunkId: 0 });
  const cleared = await timed(() => level.clear({ gte: bound(0), lt: bound(day) }));
  console.log(
    `the same rows by bare range (no record, no spans, not atomic): ${cleared.ms.toFixed(0)} ms, ${cleared.cpuMs.toFixed(0)} ms of CPU`,
  );
  await level.close();
}
