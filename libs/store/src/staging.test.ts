// Slots that go through the thread that hashes come back to whoever waits for one.

import { eventually } from '#base/testing';
import { SLOT_BYTES, SLOTS, staging } from './staging.js';

/** Every slot there is. */
function takeAll(): Buffer[] {
  const slots: Buffer[] = [];
  while (slots.length < SLOTS) {
    const slot = staging().take();
    if (!(slot instanceof Buffer)) throw new Error('expected every slot to be free');
    slots.push(slot);
  }
  return slots;
}

/** How many of those who wait got a slot so far. */
function waitFor(count: number): Buffer[] {
  const got: Buffer[] = [];
  for (let waiting = 0; waiting < count; waiting++) {
    const slot = staging().take();
    if (slot instanceof Buffer) throw new Error('expected no slot to be free');
    void Promise.resolve(slot).then((free) => got.push(free));
  }
  return got;
}

/** It is busy with this for so long that all that follows here is asked of it meanwhile. */
const LONG_BYTES = 40 * SLOT_BYTES;

test('the thread keeps no process alive while nobody waits for it', async () => {
  const held = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
  const before = held();
  const { thread } = staging();
  expect(held()).toBe(before);
  const sha256 = thread.digest(thread.newId());
  expect(held()).toBeGreaterThan(before);
  await sha256;
  expect(held()).toBe(before);
});

test('a slot that is hashed goes to who waits, though those before got theirs and keep them', async () => {
  const { thread } = staging();
  const slots = takeAll();
  const id = thread.newId();
  // Their disks hang: what they got is not given back.
  const got = waitFor(3);
  for (const slot of slots.slice(0, 3)) {
    staging().giveWhenHashed(slot, thread, thread.submit(id, 0, LONG_BYTES));
  }
  await eventually('each got one', () => got.length === 3);
  thread.forget(id);
  for (const slot of [...got, ...slots.slice(3)]) staging().give(slot);
});

test('what the thread does besides hashing costs nobody a slot', async () => {
  const { thread } = staging();
  const slots = takeAll();
  const id = thread.newId();
  const got = waitFor(1);
  // Somebody else's hash is forgotten and another one told between the pieces.
  thread.submit(id, 0, LONG_BYTES);
  thread.forget(id);
  const sha256 = thread.digest(thread.newId());
  const [slot = Buffer.alloc(0), ...others] = slots;
  staging().giveWhenHashed(slot, thread, thread.submit(id, 0, LONG_BYTES));
  await eventually('it has a slot', () => got.length === 1);
  expect(await sha256).toHaveLength(64);
  thread.forget(id);
  for (const free of [...got, ...others]) staging().give(free);
});
