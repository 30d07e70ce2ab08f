// An index in a directory of its own, open while a test runs, for the test file that imports it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { Timeline } from './timeline.js';

export let directory: string;
export let timeline: Timeline;

export const openAnother = () =>
  Timeline.open({ directory, clock: new FakeClock(), log: silentLog() });

/** Where it was closed. */
export async function open(): Promise<void> {
  timeline = await openAnother();
}

export async function reopen(): Promise<void> {
  await timeline.close();
  await open();
}

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'nightjar-timeline-')), 'index');
  await open();
});

afterEach(async () => {
  await timeline.close();
  await rm(join(directory, '..'), { recursive: true, force: true });
});
