// What looking for movement costs per camera: feeds Annex-B files through the real service, with the
// sampling that each stream gets, and reads the processor time of the detector process.
//
// npm run bench -- motion <file.h264>:<width>x<height>@<fps> ...

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog, systemClock } from '../../dist/libs/base/src/index.js';
import { MotionService } from '../../dist/libs/motion/src/index.js';

const ROUNDS = 3;
const START_UNIX_US = 1_767_225_600_000_000;

export async function run(args) {
  if (args.length === 0) throw new Error('expected <file.h264>:<width>x<height>@<fps>');
  for (const arg of args) {
    const [, file, width, height, fps] = /^(.+):(\d+)x(\d+)@([\d.]+)$/.exec(arg) ?? [];
    if (file === undefined) throw new Error(`expected <file>:<width>x<height>@<fps>, found ${arg}`);
    const units = accessUnits(await readFile(file));
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await measure(units, { width: +width, height: +height, fps: +fps }));
    }
    rounds.sort((a, b) => a.msPerCameraSecond - b.msPerCameraSecond);
    const { msPerCameraSecond, counters } = rounds[ROUNDS >> 1];
    console.log(
      `${arg}: ${msPerCameraSecond.toFixed(2)} ms per camera-second (median of ${ROUNDS}); ` +
        `${counters.sent} of ${counters.offered} frames decoded, ${counters.samples} looked at`,
    );
  }
}

async function measure(units, { width, height, fps }) {
  const log = createLog('bench', 'warn');
  const service = await MotionService.start({ processes: 1, log, clock: systemClock });
  try {
    const channel = service.open({ sensitivity: 0.5, onSample() {}, onState() {} });
    while (service.status()[0].pid === undefined) await pause(20);
    const parameterSets = [];
    channel.setFormat({
      codec: 'h264',
      width,
      height,
      parameterSets,
      codecString: '',
      reorderFrames: 0,
    });
    const feed = async (from, to) => {
      for (let index = from; index < to; index++) {
        const { data, key } = units[index];
        channel.offer(data, key, START_UNIX_US + Math.round((index * 1e6) / fps));
        while (channel.counters.samples < channel.counters.asked) await pause(1);
      }
      // The next heartbeat brings the processor time.
      const { cpuMs } = service.status()[0];
      while (service.status()[0].cpuMs === cpuMs) await pause(50);
    };
    // The first seconds warm the compiler up and find the length of groups.
    const warm = Math.floor(units.length / 5);
    await feed(0, warm);
    const before = service.status()[0].cpuMs;
    await feed(warm, units.length);
    const cpuMs = service.status()[0].cpuMs - before;
    return { msPerCameraSecond: (cpuMs * fps) / (units.length - warm), counters: channel.counters };
  } finally {
    await service.close();
  }
}

/** H.264, one slice or more a picture. */
function accessUnits(stream) {
  const starts = [];
  for (let at = 0; at + 4 < stream.length; at++) {
    if (stream[at] !== 0 || stream[at + 1] !== 0 || stream[at + 2] !== 1) continue;
    starts.push({ at: stream[at - 1] === 0 ? at - 1 : at, nal: at + 3 });
    at += 3;
  }
  const units = [];
  let from = 0;
  let key = false;
  let hasSlice = false;
  for (const { at, nal } of starts) {
    const type = stream[nal] & 31;
    const slice = type === 1 || type === 5;
    const firstOfPicture = slice && (stream[nal + 1] & 0x80) !== 0;
    if (hasSlice && (firstOfPicture || (type >= 6 && type <= 9))) {
      units.push({ data: stream.subarray(from, at), key });
      from = at;
      key = false;
      hasSlice = false;
    }
    if (type === 5) key = true;
    if (slice) hasSlice = true;
  }
  units.push({ data: stream.subarray(from), key });
  return units;
}
