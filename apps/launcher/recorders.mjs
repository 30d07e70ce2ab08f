// Which recorder processes run: as many as somebody wants, and whoever has footage from before.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FIRST = 'recorder-1';

/**
 * The first keeps the layout of an installation with one recorder; each further one has its own
 * index below the data directory and its own directory on every disk. One that is no longer wanted
 * still serves the footage it has, and gets no cameras.
 *
 * @param {{dataDir: string, storeDirs: string[], recorders: number, cores: number, environment: Record<string, string>}} settings
 * @returns {{id: string, environment: Record<string, string>}[]}
 */
export function recordersOf({ dataDir, storeDirs, recorders, cores, environment }) {
  const first = environment.NIGHTJAR_RECORDER_ID ?? FIRST;
  const stem = first.replace(/-1$/, '');
  const idOf = (number) => (number === 1 ? first : `${stem}-${number}`);
  const numbers = Array.from({ length: recorders }, (_, index) => index + 1);
  for (const name of existsSync(dataDir) ? readdirSync(dataDir) : []) {
    const number = Number(new RegExp(`^${escaped(stem)}-(\\d{1,3})$`).exec(name)?.[1]);
    const isLeft = number > recorders && existsSync(join(dataDir, name, 'index'));
    if (isLeft) numbers.push(number);
  }
  const detectors = Math.max(1, Math.floor(cores / 2 / recorders));
  return numbers
    .sort((a, b) => a - b)
    .map((number) => {
      const id = idOf(number);
      const dirs = number === 1 ? storeDirs : storeDirs.map((dir) => join(dir, id));
      return {
        id,
        environment: {
          NIGHTJAR_RECORDER_ID: id,
          NIGHTJAR_STORE_DIRS: dirs.join(','),
          NIGHTJAR_RECORDERS: String(recorders),
          // One process of a machine can have the port that cameras push to.
          ...(number === 1 ? {} : { NIGHTJAR_RTMP_PORT: '0' }),
          ...(number > recorders ? { NIGHTJAR_RECORDER_WEIGHT: '0' } : {}),
          NIGHTJAR_MOTION_PROCESSES: environment.NIGHTJAR_MOTION_PROCESSES ?? String(detectors),
        },
      };
    });
}

function escaped(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
