// What a kill left, as a copy: recovered and sealed as a start would, so that it can be checked
// while the recorder that was killed starts over the original.

import { cp, link, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { silentLog, systemClock } from '#base';
import { ChunkStore } from '#store';
import { Timeline } from '#timeline';
import { recoverFootage } from '../../libs/pipeline/src/recovery.js';

/** What was not touched for so long is sealed, and nobody changes it. */
const QUIET_MS = 120_000;

/** `data` is of a recorder that does not run; its index lies in `recorder-1`. */
export async function recoverCopy(data: string, target: string): Promise<void> {
  const beforeMs = Date.now() - QUIET_MS;
  await cp(join(data, 'recorder-1'), join(target, 'recorder-1'), { recursive: true });
  for (const entry of await readdir(join(data, 'store'), { recursive: true })) {
    const [from, to] = [join(data, 'store', entry), join(target, 'store', entry)];
    const found = await stat(from);
    if (found.isDirectory()) continue;
    await mkdir(dirname(to), { recursive: true });
    if (found.mtimeMs < beforeMs && /\.h26[45]$/.test(entry)) await link(from, to);
    else await cp(from, to);
  }
  const parts = { clock: systemClock, log: silentLog() };
  const directory = join(target, 'recorder-1', 'index');
  const timeline = await Timeline.open({ directory, ...parts });
  const store = await ChunkStore.open({ directories: [join(target, 'store')], ...parts });
  try {
    await recoverFootage({ store, timeline, ...parts });
    for await (const chunk of store.sealRecovered()) await timeline.commit({ chunks: [chunk] });
  } finally {
    await store.close();
    await timeline.close();
  }
}
