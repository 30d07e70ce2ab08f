import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { Timeline } from './timeline.js';

let directory: string;
let timeline: Timeline;

const open = () => Timeline.open({ directory, clock: new FakeClock(), log: silentLog() });

async function reopen(): Promise<void> {
  await timeline.close();
  timeline = await open();
}

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'nightjar-lsm-')), 'index');
  timeline = await open();
});

afterEach(async () => {
  await timeline.close();
  await rm(join(directory, '..'), { recursive: true, force: true });
});

test('an index that somebody has open is refused', async () => {
  await expect(open()).rejects.toMatchObject({ code: 'failed-precondition' });
});

test.each(['CURRENT is gone', 'MANIFEST is cut', 'MANIFEST is other bytes', 'a table is gone'])(
  'a corrupt index is found at open: %s',
  async (damage) => {
    for (let at = 0; at < 3; at++) {
      await timeline.putSetting('number', Buffer.of(at));
      await reopen();
    }
    await timeline.close();
    const names = await readdir(directory);
    const named = (pattern: RegExp) =>
      join(directory, names.find((name) => pattern.test(name)) ?? '');
    if (damage.startsWith('CURRENT')) await rm(named(/^CURRENT$/));
    else if (damage.endsWith('cut')) await truncate(named(/^MANIFEST/), 10);
    else if (damage.endsWith('bytes')) await writeFile(named(/^MANIFEST/), Buffer.alloc(100, 7));
    else await rm(named(/\.ldb$/));
    await expect(open()).rejects.toMatchObject({
      code: 'data-loss',
      message: expect.stringContaining('nightjar rebuild-index'),
    });
    await rm(directory, { recursive: true });
    timeline = await open();
  },
);
