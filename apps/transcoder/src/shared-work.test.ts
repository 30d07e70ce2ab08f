// Sharing work: who joins, who leaves, what fails.

import { NightjarError } from '#base';
import { SharedWork } from './shared-work.js';

const open = () => new AbortController().signal;

/** Work that does what the test says, when it says so. */
function told() {
  const state = {
    runs: 0,
    signal: undefined as AbortSignal | undefined,
    emit: (_part: string) => undefined as void,
    end: () => undefined as void,
    fail: (_error: Error) => undefined as void,
  };
  const work = (signal: AbortSignal, emit: (part: string) => void) => {
    state.runs += 1;
    state.signal = signal;
    state.emit = emit;
    return new Promise<void>((resolve, reject) => {
      state.end = resolve;
      state.fail = reject;
    });
  };
  return { state, work };
}

async function all(parts: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const part of parts) list.push(part);
  return list;
}

test('those who come together share one run, and who comes late gets all of it', async () => {
  const shared = new SharedWork<string>();
  const { state, work } = told();
  const first = all(shared.join('k', open(), work));
  state.emit('a');
  const second = all(shared.join('k', open(), work));
  state.emit('b');
  state.end();
  expect(await first).toEqual(['a', 'b']);
  expect(await second).toEqual(['a', 'b']);
  expect(state.runs).toBe(1);
  expect(shared.running).toBe(0);
});

test('another key, and the same key afterwards, are other work', async () => {
  const shared = new SharedWork<string>();
  for (const key of ['a', 'b', 'a']) {
    const { state, work } = told();
    const parts = all(shared.join(key, open(), work));
    state.end();
    await parts;
    expect(state.runs).toBe(1);
  }
});

test('work goes on while anybody waits, and is aborted when the last one leaves', async () => {
  const shared = new SharedWork<string>();
  const { state, work } = told();
  const one = new AbortController();
  const two = new AbortController();
  const first = all(shared.join('k', one.signal, work));
  const second = all(shared.join('k', two.signal, work));
  one.abort();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  expect(state.signal?.aborted).toBe(false);
  two.abort();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  expect(state.signal?.aborted).toBe(true);
  const { state: next, work: nextWork } = told();
  const third = all(shared.join('k', open(), nextWork));
  next.end();
  expect(await third).toEqual([]);
  expect(next.runs).toBe(1);
});

test('a failure reaches everybody, and is not kept', async () => {
  const shared = new SharedWork<string>();
  const { state, work } = told();
  const first = all(shared.join('k', open(), work));
  const second = all(shared.join('k', open(), work));
  state.fail(new NightjarError('data-loss', 'broken'));
  await expect(first).rejects.toMatchObject({ code: 'data-loss' });
  await expect(second).rejects.toMatchObject({ code: 'data-loss' });
  expect(shared.running).toBe(0);
});
