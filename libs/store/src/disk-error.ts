// What the file system said, as a NightjarError that tells which kind of trouble it is.

import { NightjarError, type ErrorCode } from '#base';

const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['resource-exhausted', 'the disk is full'],
  EDQUOT: ['resource-exhausted', 'the disk quota is used up'],
  EFBIG: ['resource-exhausted', 'the file system allows no larger file'],
  EMFILE: ['resource-exhausted', 'too many files are open'],
  ENFILE: ['resource-exhausted', 'too many files are open'],
  EROFS: ['failed-precondition', 'the file system is read-only'],
  EACCES: ['failed-precondition', 'this process may not write here'],
  EPERM: ['failed-precondition', 'this process may not write here'],
  ENOENT: ['not-found', 'there is no such file'],
  ENOTDIR: ['failed-precondition', 'expected a directory, found a file'],
  EEXIST: ['conflict', 'the file exists'],
};

export function asDiskError(thrown: unknown, path: string): NightjarError {
  if (thrown instanceof NightjarError) return thrown;
  const errno = (thrown as NodeJS.ErrnoException | undefined)?.code ?? '';
  const [code, message] = CODES[errno] ?? ['unavailable', 'the disk did not do what it was told'];
  return new NightjarError(code, `${message}: ${path}`, { path, errno }, thrown);
}
