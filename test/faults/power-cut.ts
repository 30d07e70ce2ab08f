// Records some tracks on a disk that remembers every step, then cuts the power at chosen moments:
// recovery runs over what is left of chunks and index, and what is there is held to S1 and S2.

import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog, type Log } from '#base';
import { FakeClock } from '#base/testing';
import {
  ChunkStore,
  foldGroups,
  type ChunkInfo,
  type TrackWriter,
  type WrittenRecord,
} from '#store';
import { Timeline, type GroupRow, type MotionRow } from '#timeline';
import { recoverFootage } from '../../libs/pipeline/src/recovery.js';
import { realRecord } from '../../libs/store/src/footage.test-support.js';
import { PowerCutDisk, type WriteMode } from './power-cut-disk.js';

const CAMERAS = [1, 2, 3].map((number) => `7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a1${number}`);
const ALL = { fromUnixUs: 0, toUnixUs: Number.MAX_SAFE_INTEGER };
const GROUP_US = 1_000_000;
const FRAMES = 5;
const MOST_LOST_US = 2_000_000;
/** Small, so that a short recording has many chunks, seals and directories. */
const CHUNK_BYTES = 9000;
/** Flushes between two safe points of the index. */
const FLUSHES_A_SAFE_POINT = 10;
/** Beside the rows of footage, so that what is not safe fills several blocks of LevelDB's log. */
const MOTION_A_FLUSH = 20;
const PAGE_BYTES = 4096;

/** The index's log at a moment; with `safe` everything in it survives. */
interface LogMark {
  readonly at: number;
  readonly bytes: number;
  readonly safe: boolean;
}

export interface PowerCutRecording {
  readonly disk: PowerCutDisk;
  readonly directory: string;
  readonly logs: readonly LogMark[];
  /** How far each camera's footage had come at a moment, and what of it had been confirmed. */
  readonly progress: readonly { at: number; camera: string; toUnixUs: number; safe: boolean }[];
}

/** Records `groups` groups of one second of each camera; every two seconds one flush of each. */
export async function recordForPowerCut(
  directory: string,
  mode: WriteMode,
  groups: number,
): Promise<PowerCutRecording> {
  const root = join(directory, 'store');
  const index = join(directory, 'index');
  await mkdir(directory, { recursive: true });
  const clock = new FakeClock();
  const disk = new PowerCutDisk(root, mode);
  const { store, timeline } = await openBoth({ root, index, clock, files: disk.files });
  const logs: LogMark[] = [];
  const progress: PowerCutRecording['progress'][number][] = [];
  const markLog = async (safe: boolean) => {
    const { size } = await stat(await logOf(index));
    // Asked for afterwards: what another camera commits meanwhile belongs to a later moment.
    logs.push({ at: disk.now, bytes: size, safe });
  };
  await markLog(true);
  const flush = async (camera: string, writer: TrackWriter, group: number) => {
    for (const half of [0, 1]) {
      const options = { firstFrame: (group + half) * FRAMES, frameCount: FRAMES };
      await writer.write(realRecord(options));
      const { startUnixUs: from } = realRecord(options);
      progress.push({ at: disk.now, camera, toUnixUs: from + GROUP_US, safe: false });
    }
    const { records, chunks } = await writer.sync();
    const groups = await rowsOf(timeline, camera, records);
    await timeline.commit({ groups, chunks, motion: motionOf(camera, group) });
    for (const { record } of records) {
      const toUnixUs = record.startUnixUs + (record.duration90k * 100) / 9;
      progress.push({ at: disk.now, camera, toUnixUs, safe: true });
    }
    await markLog(false);
  };
  const writers = CAMERAS.map((camera) => store.openTrack({ camera, track: 'main' }));
  for (let group = 0; group < groups; group += 2) {
    // The flushes of different cameras overlap.
    await Promise.all(
      writers.map((writer, number) => flush(CAMERAS[number] as string, writer, group)),
    );
    clock.advance(2000);
    if ((group / 2) % FLUSHES_A_SAFE_POINT !== FLUSHES_A_SAFE_POINT - 1) continue;
    await timeline.commitSafePoint();
    await markLog(true);
  }
  // What is never closed is as a running recorder's.
  await cp(index, join(directory, 'index-at-the-end'), { recursive: true });
  for (const writer of writers) await writer.close();
  await timeline.close();
  await store.close();
  await disk.assertAsOnDisk();
  return { disk, directory, logs, progress };
}

export interface CutResult {
  readonly lostUs: number;
  readonly recoveredMs: number;
  readonly faults: string[];
}

/** Cuts the power at `moment`, starts over what is left, and says what is missing or wrong. */
export async function cutPower(
  recording: PowerCutRecording,
  moment: number,
  random: () => number,
): Promise<CutResult> {
  const target = join(recording.directory, `cut-${moment}`);
  const [root, index] = [join(target, 'store'), join(target, 'index')];
  await recording.disk.rebuild(root, moment, random);
  await rebuildIndex(recording, { index, moment, random });
  const faults: string[] = [];
  const startedMs = performance.now();
  const log = damageLog(faults);
  const both = await openBoth({ root, index, clock: new FakeClock(), log });
  try {
    await recoverFootage({ ...both, clock: new FakeClock(), log });
    const recoveredMs = performance.now() - startedMs;
    for await (const chunk of both.store.sealRecovered()) {
      await both.timeline.commit({ chunks: [chunk] });
    }
    for (const { camera } of await both.timeline.usage()) {
      await both.timeline.recountUsage(camera);
    }
    const endOf = await playableEnds(both, faults);
    const lostUs = lostAt(recording, moment, { endOf, faults });
    return { lostUs, recoveredMs, faults };
  } finally {
    await both.timeline.close();
    await both.store.close();
    await rm(target, { recursive: true });
  }
}

/** S1: all indexed bytes are there. S2: all of a file can be read, and all of it has its row. */
async function playableEnds(
  { store, timeline }: Awaited<ReturnType<typeof openBoth>>,
  faults: string[],
): Promise<Map<string, number>> {
  const onDisk = new Map<string, string[]>();
  const chunksOnDisk = new Map<string, ChunkInfo[]>();
  for await (const { chunk, records, state, tornBytes } of store.scanAll()) {
    chunksOnDisk.set(chunk.camera, [...(chunksOnDisk.get(chunk.camera) ?? []), chunk]);
    if (state !== 'intact' || tornBytes > 0) faults.push(`${chunk.path} is ${state} afterwards`);
    if (!chunk.sealed) faults.push(`${chunk.path} was not sealed`);
    const rows = foldGroups(records).map((row) => `${row.chunkId} ${row.offset} ${row.length}`);
    onDisk.set(chunk.camera, [...(onDisk.get(chunk.camera) ?? []), ...rows]);
  }
  const endOf = new Map<string, number>();
  for (const camera of CAMERAS) {
    const rows = await timeline.groups(camera, 'main', ALL);
    for (const row of rows) {
      const chunk = await timeline.chunk(row.chunkId);
      if (chunk === undefined) {
        faults.push(`a group of chunk ${row.chunkId}, which has no row`);
        continue;
      }
      const read = await store
        .readRecords(chunk, row.offset, row.length)
        .catch((error: unknown) => error);
      if (read instanceof Error) faults.push(`${chunk.path} at ${row.offset}: ${read.message}`);
      endOf.set(camera, Math.max(endOf.get(camera) ?? 0, row.startUnixUs + row.durationUs));
    }
    const known = rows.map((row) => `${row.chunkId} ${row.offset} ${row.length}`);
    const found = onDisk.get(camera) ?? [];
    if (known.sort().join() !== found.sort().join()) {
      faults.push(`${camera}: ${known.length} groups in the index, ${found.length} on disk`);
    }
    await compareDerived(
      timeline,
      { camera, rows, chunks: chunksOnDisk.get(camera) ?? [] },
      faults,
    );
  }
  return endOf;
}

/** What the index derives from rows: the spans, the chunks by camera and by age, the bytes. */
async function compareDerived(
  timeline: Timeline,
  { camera, rows, chunks }: { camera: string; rows: GroupRow[]; chunks: ChunkInfo[] },
  faults: string[],
): Promise<void> {
  const ids = (list: readonly { id: number }[]) => list.map(({ id }) => id).join();
  const wanted = ids(chunks.sort((a, b) => a.id - b.id));
  const byCamera = ids(await timeline.chunksOf(camera));
  if (byCamera !== wanted) faults.push(`${camera}: chunks ${wanted} by camera are ${byCamera}`);
  const old = await timeline.chunksExpiring(ALL.toUnixUs, 100_000);
  const byAge = ids(old.filter((row) => row.camera === camera));
  if (byAge !== wanted) faults.push(`${camera}: chunks ${wanted} by age are ${byAge}`);
  const used = (await timeline.usage()).find((row) => row.camera === camera);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
  if ((used?.bytes ?? 0) !== bytes || (used?.chunks ?? 0) !== chunks.length) {
    faults.push(`${camera}: ${bytes} bytes are counted as ${used?.bytes}`);
  }
  const wantedSpans: { fromUnixUs: number; toUnixUs: number }[] = [];
  for (const { startUnixUs: fromUnixUs, durationUs } of rows) {
    const toUnixUs = fromUnixUs + durationUs;
    const last = wantedSpans.at(-1);
    if (last !== undefined && fromUnixUs - last.toUnixUs < GROUP_US) last.toUnixUs = toUnixUs;
    else wantedSpans.push({ fromUnixUs, toUnixUs });
  }
  const spans = await timeline.recordings(camera, ALL.fromUnixUs, ALL.toUnixUs);
  const text = (list: typeof wantedSpans) =>
    list.map(({ fromUnixUs, toUnixUs }) => `${fromUnixUs}-${toUnixUs}`).join();
  if (text([...spans]) !== text(wantedSpans)) {
    faults.push(`${camera}: recorded ${text(wantedSpans)}, in the index ${text([...spans])}`);
  }
}

function lostAt(
  { progress }: PowerCutRecording,
  moment: number,
  { endOf, faults }: { endOf: ReadonlyMap<string, number>; faults: string[] },
): number {
  let lostUs = 0;
  for (const camera of CAMERAS) {
    const before = progress.filter((step) => step.at <= moment && step.camera === camera);
    const written = Math.max(0, ...before.map(({ toUnixUs }) => toUnixUs));
    const safe = Math.max(0, ...before.filter((step) => step.safe).map((step) => step.toUnixUs));
    const end = endOf.get(camera) ?? 0;
    const firstUnixUs = progress.find((step) => step.camera === camera)?.toUnixUs ?? 0;
    if (end < safe) faults.push(`${camera}: what was confirmed is lost`);
    if (written === 0) continue;
    lostUs = Math.max(lostUs, written - Math.max(end, firstUnixUs - GROUP_US));
  }
  if (lostUs > MOST_LOST_US) faults.push(`${lostUs / 1e6} s are lost`);
  return lostUs;
}

/**
 * The index's log as a power cut leaves it: of each page behind what was safe, what it held at any
 * moment since, in any mixture; and the file as long as it was at any moment.
 */
async function rebuildIndex(
  { directory, logs }: PowerCutRecording,
  { index, moment, random }: { index: string; moment: number; random: () => number },
): Promise<void> {
  await cp(join(directory, 'index-at-the-end'), index, { recursive: true });
  const safe = logs.findLast(({ at, safe: isSafe }) => isSafe && at <= moment)?.bytes ?? 0;
  const most = Math.max(safe, logs.findLast(({ at }) => at <= moment)?.bytes ?? 0);
  const log = await logOf(index);
  const bytes = (await readFile(log)).subarray(0, most);
  for (let page = safe - (safe % PAGE_BYTES); page < most; page += PAGE_BYTES) {
    const [from, to] = [Math.max(page, safe), Math.min(page + PAGE_BYTES, most)];
    const chance = random();
    if (chance < 0.25) bytes.fill(0, from, to);
    else if (chance < 0.5) bytes.fill(0, from + Math.floor(random() * (to - from)), to);
  }
  const length = random() < 0.5 ? most : safe + Math.floor(random() * (most - safe + 1));
  await writeFile(log, bytes.subarray(0, length));
}

async function logOf(index: string): Promise<string> {
  const names = (await readdir(index)).filter((name) => /^\d+\.log$/.test(name)).sort();
  return join(index, names.at(-1) ?? '');
}

function motionOf(camera: string, group: number): MotionRow[] {
  const { startUnixUs } = realRecord({ firstFrame: group * FRAMES, frameCount: FRAMES });
  return Array.from({ length: MOTION_A_FLUSH }, (_, number) => ({
    camera,
    startUnixUs: startUnixUs + number * 1000,
    endUnixUs: startUnixUs + GROUP_US,
    peak: 0.5,
    cells: new Uint8Array(18).fill(number),
  }));
}

/** What recovery reports as lost or damaged is a fault: nothing that was safe may be. */
function damageLog(faults: string[]): Log {
  const log = silentLog();
  const note = (...what: unknown[]) => faults.push(`recovery says ${JSON.stringify(what)}`);
  log.error = note;
  log.warn = (what: unknown, ...rest: unknown[]) => {
    const { state } = what as { state?: string };
    if (state === 'damaged' || state === 'missing') note(what, ...rest);
  };
  return log;
}

async function rowsOf(timeline: Timeline, camera: string, records: readonly WrittenRecord[]) {
  const first = records[0]?.record;
  const open =
    first === undefined || first.startsGroup
      ? undefined
      : await timeline.groupAt(camera, 'main', first.groupStartUnixUs);
  return foldGroups(records, open);
}

async function openBoth(o: {
  root: string;
  index: string;
  clock: FakeClock;
  files?: PowerCutDisk['files'];
  log?: Log;
}) {
  const { clock, log = silentLog() } = o;
  const timeline = await Timeline.open({ directory: o.index, clock, log });
  try {
    const store = await ChunkStore.open({
      directories: [o.root],
      chunkBytes: CHUNK_BYTES,
      clock,
      log,
      ...(o.files === undefined ? {} : { files: o.files }),
    });
    return { store, timeline };
  } catch (error) {
    await timeline.close();
    throw error;
  }
}
