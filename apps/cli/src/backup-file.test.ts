// The file of a backup: what comes out is what went in, or a sentence that says why not.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKUP_VERSION, openBackup, writeBackup } from './backup-file.js';

const PASSPHRASE = 'correct horse battery staple';
const createdAt = '2026-01-01T00:00:00.000Z';
let root: string;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nightjar-backup-'));
  path = join(root, 'one.backup');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function* rows(count: number) {
  for (let at = 0; at < count; at++) yield await Promise.resolve({ at, text: 'é'.repeat(at % 50) });
}

const write = (count: number) =>
  writeBackup(path, { passphrase: PASSPHRASE, createdAt, lines: rows(count) });

async function read(passphrase = PASSPHRASE): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const row of (await openBackup(path, passphrase)).lines()) found.push(row);
  return found;
}

test.each([0, 1, 20_000])('%i lines come back as they were', async (count) => {
  const { sizeBytes } = await write(count);
  const wanted: unknown[] = [];
  for await (const row of rows(count)) wanted.push(row);
  expect(await read()).toEqual(wanted);
  expect(await openBackup(path, PASSPHRASE)).toMatchObject({ createdAt, sizeBytes });
  expect((await readFile(path)).length).toBe(sizeBytes);
});

test('the passphrase decides, however its characters are composed', async () => {
  await writeBackup(path, { passphrase: 'Schlüssel von früher', createdAt, lines: rows(3) });
  expect(await read('Schlüssel von früher'.normalize('NFD'))).toHaveLength(3);
  await expect(read('Schlussel von fruher')).rejects.toMatchObject({ code: 'permission-denied' });
});

test('a file that ends anywhere else, or with any bit changed, is refused before it gives a row', async () => {
  await write(2);
  const whole = await readFile(path);
  const refused = async (bytes: Buffer) => {
    await writeFile(path, bytes);
    await expect(openBackup(path, PASSPHRASE)).rejects.toMatchObject({
      code: expect.stringMatching(/^(data-loss|invalid-argument|unsupported)$/),
    });
  };
  for (let length = 0; length < whole.length; length += 1) await refused(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at += 7) {
    const changed = Buffer.from(whole);
    changed.writeUInt8((whole[at] ?? 0) ^ 1, at);
    await refused(changed);
  }
});

test('a file of a newer version says so, and one with a price beyond reason is not paid', async () => {
  await write(1);
  const text = (await readFile(path)).toString('latin1');
  await writeFile(path, text.replace('"version":1', `"version":${BACKUP_VERSION + 1}`), 'latin1');
  await expect(read()).rejects.toMatchObject({ code: 'unsupported' });
  await writeFile(path, text.replace('"N":65536', '"N":1073741824'), 'latin1');
  await expect(read()).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('a source that fails leaves no file', async () => {
  const lines = (async function* () {
    yield* rows(3);
    await Promise.resolve();
    throw new Error('the database is gone');
  })();
  const writing = writeBackup(path, { passphrase: PASSPHRASE, createdAt, lines });
  await expect(writing).rejects.toThrow('the database is gone');
  expect(await readdir(root)).toEqual([]);
});
