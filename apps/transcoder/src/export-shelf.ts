// Where finished exports lie. A file under its own name is whole; anything else is swept away.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isUuid, NightjarError } from '#base';

const NAME = /^[0-9a-f-]{36}\.zip$/;

export interface OpenExport {
  readonly file: FileHandle;
  /** Safe on disk and under its name when this returns. */
  keep(): Promise<void>;
  /** Leaves nothing behind; also right after `keep`, where it does nothing. */
  discard(): Promise<void>;
}

export class ExportShelf {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(directory: string): Promise<ExportShelf> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory)) {
      if (!NAME.test(name)) await rm(join(directory, name), { force: true, recursive: true });
    }
    return new ExportShelf(directory);
  }

  /** The name of a finished export's file. Throws `not-found`. */
  async find(id: string): Promise<string> {
    const name = nameOf(id);
    const known = await stat(join(this.directory, name)).catch(() => undefined);
    if (known === undefined) {
      throw new NightjarError('not-found', 'there is no file of such an export', { id });
    }
    return name;
  }

  /** Begins to write an export; whoever begins ends it with `discard`. */
  async begin(id: string): Promise<OpenExport> {
    const path = join(this.directory, nameOf(id));
    const temporary = `${path}.${randomUUID()}.part`;
    const file = await open(temporary, 'wx', 0o600);
    let ended = false;
    return {
      file,
      keep: async () => {
        await file.sync();
        await file.close();
        await rename(temporary, path);
        ended = true;
      },
      discard: async () => {
        if (ended) return;
        ended = true;
        await file.close().catch(() => undefined);
        await rm(temporary, { force: true });
      },
    };
  }

  /** Idempotent. */
  async remove(id: string): Promise<void> {
    await rm(join(this.directory, nameOf(id)), { force: true });
  }
}

function nameOf(id: string): string {
  if (!isUuid(id)) throw new NightjarError('not-found', 'there is no such export', { id });
  return `${id}.zip`;
}
