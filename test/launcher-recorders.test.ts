// Which recorders the launcher starts, and where each keeps what: an installation of one stays as it is.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../apps/launcher/recorders.mjs', import.meta.url));
let dataDir: string;

beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'nightjar-launcher-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

interface Started {
  readonly id: string;
  readonly environment: Record<string, string>;
}

function recordersOf(recorders: number, environment: Record<string, string> = {}): Started[] {
  const settings = { dataDir, storeDirs: ['/a', '/b'], recorders, cores: 8, environment };
  const script = `import(${JSON.stringify(MODULE)}).then(({ recordersOf }) =>
    console.log(JSON.stringify(recordersOf(${JSON.stringify(settings)}))))`;
  return JSON.parse(
    execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }),
  ) as Started[];
}

test('one has the directories themselves; further ones have their own on each disk', () => {
  const [only, ...none] = recordersOf(1);
  expect(none).toEqual([]);
  expect(only).toEqual({
    id: 'recorder-1',
    environment: {
      NIGHTJAR_RECORDER_ID: 'recorder-1',
      NIGHTJAR_STORE_DIRS: '/a,/b',
      NIGHTJAR_RECORDERS: '1',
      NIGHTJAR_MOTION_PROCESSES: '4',
    },
  });
  const [first, second] = recordersOf(2);
  expect(first?.environment).toMatchObject({ NIGHTJAR_STORE_DIRS: '/a,/b' });
  expect(second?.environment).toEqual({
    NIGHTJAR_RECORDER_ID: 'recorder-2',
    NIGHTJAR_STORE_DIRS: '/a/recorder-2,/b/recorder-2',
    NIGHTJAR_RECORDERS: '2',
    NIGHTJAR_RTMP_PORT: '0',
    NIGHTJAR_MOTION_PROCESSES: '2',
  });
});

test('one that is no longer wanted keeps its footage readable and gets no cameras', () => {
  mkdirSync(join(dataDir, 'recorder-3', 'index'), { recursive: true });
  mkdirSync(join(dataDir, 'recorder-9'));
  mkdirSync(join(dataDir, 'west-4', 'index'), { recursive: true });
  const started = recordersOf(2);
  expect(started.map(({ id }) => id)).toEqual(['recorder-1', 'recorder-2', 'recorder-3']);
  const weights = started.map(({ environment }) => environment['NIGHTJAR_RECORDER_WEIGHT']);
  expect(weights).toEqual([undefined, undefined, '0']);
});

test('the name of the first is the stem of the others', () => {
  const ids = recordersOf(3, { NIGHTJAR_RECORDER_ID: 'west' }).map(({ id }) => id);
  expect(ids).toEqual(['west', 'west-2', 'west-3']);
});
