// What a detector process does with files that came with its birth.

import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeInheritedFiles } from './inherited-files.js';

test('files of a LevelDB are closed, others are not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-inherited-'));
  const open = (name: string) => openSync(join(directory, name), 'w');
  const theirs = ['LOCK', 'LOG', 'MANIFEST-000002', '000003.log', '000005.ldb'].map(open);
  const ours = ['clip.h264', 'LOCKED', 'server.log'].map(open);
  rmSync(join(directory, '000003.log'));
  expect(closeInheritedFiles()).toBe(theirs.length);
  for (const file of theirs) expect(() => fstatSync(file)).toThrow('EBADF');
  for (const file of ours) {
    expect(fstatSync(file).isFile()).toBe(true);
    closeSync(file);
  }
  rmSync(directory, { recursive: true });
});
