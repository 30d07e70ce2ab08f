// What is written past the page cache is what is read back, whatever the sizes of the appends.

import { constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectChunkFile } from './direct-file.js';
import { BLOCK_BYTES, SLOT_BYTES, staging } from './staging.js';

const directory = mkdtempSync(join(tmpdir(), 'nightjar-direct-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The class is the same without O_DIRECT, which not every file system of a test has. */
async function create(name: string) {
  const path = join(directory, name);
  const { O_CREAT, O_EXCL, O_RDWR, O_DIRECT, O_DSYNC } = constants;
  const flags = O_CREAT | O_EXCL | O_RDWR | O_DSYNC;
  const handle = await open(path, flags | O_DIRECT).catch(() => open(path, flags));
  return { path, file: new DirectChunkFile(path, handle) };
}

function bytes(count: number, seed: number): Buffer {
  const result = Buffer.allocUnsafe(count);
  for (let index = 0; index < count; index++) result[index] = 1 + ((index * 7 + seed) % 251);
  return result;
}

const SIZES = [1, 100, 4095, 4096, 4097, 8192, 70_000, SLOT_BYTES - 1, SLOT_BYTES, 2_500_000, 3];

test('appends of every size stand one behind the other', async () => {
  const { path, file } = await create('appends');
  let content = Buffer.alloc(0);
  for (const [index, size] of SIZES.entries()) {
    const part = bytes(size, index);
    const cut = size >> 1;
    await file.write([part.subarray(0, cut), part.subarray(cut)], content.length);
    content = Buffer.concat([content, part]);
    expect(await file.sizeBytes()).toBe(content.length);
    const onDisk = await readFile(path);
    expect(onDisk.subarray(0, content.length).equals(content)).toBe(true);
    expect(onDisk.length - content.length).toBeLessThan(BLOCK_BYTES);
    expect(onDisk.subarray(content.length).every((byte) => byte === 0)).toBe(true);
  }
  await file.sync();
  await file.close();
  expect(statSync(path).size).toBe(content.length);
});

test.each([0, 1, 4096, 5000, 9999])('is gone on with behind a cut at %i', async (at) => {
  const { path, file } = await create(`cut-${at}`);
  const before = bytes(10_000, 1);
  await file.write([before], 0);
  await file.truncate(at);
  const after = bytes(6000, 2);
  await file.write([after], at);
  await file.sync();
  await file.close();
  const expected = Buffer.concat([before.subarray(0, at), after]);
  expect((await readFile(path)).equals(expected)).toBe(true);
});

test('many files at once do not mix', async () => {
  const files = await Promise.all(
    Array.from({ length: 40 }, (_, index) => create(`many-${index}`)),
  );
  const parts = files.map((_, index) => [bytes(30_000 + index, index), bytes(200_000, index + 1)]);
  await Promise.all(
    files.map(async ({ file }, index) => {
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = parts[index] ?? [];
      await file.write([first], 0);
      await file.write([second], first.length);
      await file.close();
    }),
  );
  for (const [index, { path }] of files.entries()) {
    expect((await readFile(path)).equals(Buffer.concat(parts[index] ?? []))).toBe(true);
  }
});

test('a write that is no append is refused and changes nothing', async () => {
  const { path, file } = await create('refused');
  await file.write([bytes(10, 1)], 0);
  await expect(file.write([bytes(10, 2)], 5)).rejects.toMatchObject({ code: 'unavailable' });
  await file.close();
  expect((await readFile(path)).equals(bytes(10, 1))).toBe(true);
});

test('one that was closed is not cut, since its descriptor may be that of another file', async () => {
  const { file } = await create('closed');
  await file.write([bytes(10_000, 1)], 0);
  await file.close();
  const { path, file: other } = await create('other');
  await other.write([bytes(10_000, 1)], 0);
  await expect(file.truncate(0)).rejects.toMatchObject({ code: 'unavailable' });
  await file.close();
  await other.close();
  expect(statSync(path).size).toBe(10_000);
});

test('a write that waited for a slot while its file was left is not made', async () => {
  const { path, file } = await create('left');
  await file.write([bytes(10, 1)], 0);
  const slots: Buffer[] = [];
  let last = staging().take();
  for (; last instanceof Buffer; last = staging().take()) slots.push(last);
  const waiting = file.write([bytes(10_000, 2)], 10);
  waiting.catch(() => undefined);
  file.leave();
  for (const slot of slots) staging().give(slot);
  staging().give(await last);
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  await file.close();
  expect((await readFile(path)).equals(bytes(10, 1))).toBe(true);
  // Every slot is back.
  const again = slots.map(() => staging().take());
  expect(again.every((slot) => slot instanceof Buffer)).toBe(true);
  for (const slot of again) staging().give(await slot);
});
