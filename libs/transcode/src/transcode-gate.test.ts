// The gate: how many run, who goes first, who is refused, who may leave.

import { NightjarError } from '#base';
import { TranscodeGate, type TranscodePriority } from './transcode-gate.js';

const open = new AbortController().signal;

/** Starts work that ends when told. */
function started(gate: TranscodeGate, priority: TranscodePriority, signal = open) {
  const state = { running: false, end: () => undefined as void, done: Promise.resolve() };
  const finished = new Promise<void>((resolve) => (state.end = resolve));
  state.done = gate.run(priority, signal, async () => {
    state.running = true;
    await finished;
    state.running = false;
  });
  return state;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('so many run at once, the others in order, viewers before batch', async () => {
  const gate = new TranscodeGate(2, 10);
  const first = started(gate, 'viewer');
  const second = started(gate, 'viewer');
  const batch = started(gate, 'batch');
  const third = started(gate, 'viewer');
  await settle();
  expect([first.running, second.running, batch.running, third.running]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  first.end();
  await first.done;
  await settle();
  expect([batch.running, third.running]).toEqual([false, true]);
  second.end();
  await second.done;
  await settle();
  expect(batch.running).toBe(true);
  batch.end();
  third.end();
  await Promise.all([batch.done, third.done]);
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
});

test('batch work leaves a slot to viewers, unless there is but one', async () => {
  const gate = new TranscodeGate(2, 10);
  const first = started(gate, 'batch');
  const second = started(gate, 'batch');
  const viewer = started(gate, 'viewer');
  await settle();
  expect([first.running, second.running, viewer.running]).toEqual([true, false, true]);
  for (const work of [first, second, viewer]) work.end();
  await Promise.all([first.done, second.done, viewer.done]);

  const narrow = new TranscodeGate(1, 10);
  const only = started(narrow, 'batch');
  await settle();
  expect(only.running).toBe(true);
  only.end();
  await only.done;
});

test('a full queue refuses, and whoever leaves makes room', async () => {
  const gate = new TranscodeGate(1, 1);
  const running = started(gate, 'viewer');
  const leaving = new AbortController();
  const waiting = started(gate, 'viewer', leaving.signal);
  await expect(gate.run('viewer', open, async () => undefined)).rejects.toMatchObject({
    code: 'resource-exhausted',
  });
  leaving.abort(new NightjarError('cancelled', 'gone'));
  await expect(waiting.done).rejects.toMatchObject({ code: 'cancelled' });
  expect(gate.waiting).toBe(0);
  running.end();
  await running.done;
  expect(gate.running).toBe(0);
});

test('work that throws frees its slot', async () => {
  const gate = new TranscodeGate(1, 1);
  await expect(
    gate.run('viewer', open, async () => {
      throw new Error('broken');
    }),
  ).rejects.toThrow('broken');
  expect(gate.running).toBe(0);
});
