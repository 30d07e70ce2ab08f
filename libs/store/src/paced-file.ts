// A file whose every read waits until it is let: how work that has time leaves the disk to others.

import type { ChunkFile } from './chunk-files.js';

/** `beforeRead` is told how many bytes are about to be read. */
export function pacedFile(
  file: ChunkFile,
  beforeRead: (bytes: number) => Promise<void>,
): ChunkFile {
  return {
    write: (buffers, position) => file.write(buffers, position),
    read: async (buffer, position) => {
      await beforeRead(buffer.length);
      return file.read(buffer, position);
    },
    sync: () => file.sync(),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    sizeBytes: () => file.sizeBytes(),
    close: () => file.close(),
  };
}
