import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directory, open, openAnother, reopen, timeline } from './open-timeline.test-support.js';

test('an index that somebody has open is refused', async () => {
  await expect(openAnother()).rejects.toMatchObject({ code: 'failed-precondition' });
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
    await expect(openAnother()).rejects.toMatchObject({
      code: 'data-loss',
      message: expect.stringContaining('nightjar rebuild-index'),
    });
    await rm(directory, { recursive: true });
    await open();
  },
);
