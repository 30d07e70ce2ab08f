// What the system said of a file that a command reads or writes, as a sentence.

import { NightjarError } from '#base';

type Sentence = readonly [code: NightjarError['code'], what: string];

/** Anything that is no such error is given back as it is. */
export function asFileError(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown }).code;
  const sentences: Readonly<Record<string, Sentence>> = {
    ENOENT: ['not-found', `there is no file or directory for ${path}`],
    ENOTDIR: ['not-found', `expected a directory above ${path}, found a file`],
    EACCES: ['permission-denied', `this user may not use ${path}`],
    EPERM: ['permission-denied', `this user may not use ${path}`],
    EROFS: ['permission-denied', `the file system of ${path} is read-only`],
    EISDIR: ['invalid-argument', `expected a file, found a directory at ${path}`],
    ENOSPC: ['resource-exhausted', `there is no space left for ${path}`],
    EDQUOT: ['resource-exhausted', `there is no space left for ${path}`],
    EEXIST: ['conflict', `${path}.part is there already: another run writes it, or was killed`],
  };
  const known = typeof code === 'string' ? sentences[code] : undefined;
  return known === undefined ? error : new NightjarError(known[0], known[1], { path }, error);
}
