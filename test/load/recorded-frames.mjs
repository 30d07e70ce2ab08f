// Reads back from chunk files what was recorded of a camera, and finds frames that are missing.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { scanChunk } from '../../dist/libs/store/src/chunk-scan.js';
import { nodeFiles } from '../../dist/libs/store/src/node-files.js';

/**
 * All frames of the track on disk. A camera that sends a frame every `frame90k` ticks shows a frame
 * that is missing as a longer duration, as a hole between records, or as another run.
 */
export async function recordedFrames(store, camera, frame90k) {
  const directory = join(store, camera, 'main');
  const records = [];
  let damaged = 0;
  for (const name of readdirSync(directory, { recursive: true })) {
    if (!/\.(h264|h265)$/.test(name)) continue;
    const file = await nodeFiles.open(join(directory, name), 'read');
    try {
      const scan = await scanChunk(file, { camera, track: 'main' }, 0);
      damaged += scan.damaged.length;
      for (const unit of scan.units) if (unit.kind === 'record') records.push(unit.header);
    } finally {
      await file.close();
    }
  }
  records.sort((a, b) => a.record.startUnixUs - b.record.startUnixUs);
  let frames = 0;
  let missing = 0;
  let next;
  for (const { record, frames: table } of records) {
    if (next !== undefined && next.run === record.run) {
      missing += Math.round((record.startDts90k - next.dts90k) / frame90k);
    }
    for (let frame = 0; frame < record.frameCount; frame++) {
      missing += Math.round(table.durationOf(frame) / frame90k) - 1;
    }
    frames += record.frameCount;
    next = { run: record.run, dts90k: record.startDts90k + record.duration90k };
  }
  return { frames, missing, damaged, runs: new Set(records.map(({ record }) => record.run)).size };
}
