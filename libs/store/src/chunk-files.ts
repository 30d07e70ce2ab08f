// The narrow view of a file system that the store needs, so that a test can stand between.

/** What takes the bytes of a write that succeeded, from the memory they were written from. */
export interface WrittenBytes {
  /** The slot goes back to the staging memory when its bytes were looked at. */
  takeSlot(slot: Buffer, start: number, end: number): void;
}

/** An open chunk file. Errors come as NightjarErrors. */
export interface ChunkFile {
  /**
   * Writes all bytes at `position`, or throws; what was written before the error is undefined.
   * `written` may be given all of the bytes once they are written, or none of them.
   */
  write(buffers: readonly Uint8Array[], position: number, written?: WrittenBytes): Promise<void>;
  /** Fills `buffer` from `position`; fewer bytes only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** fdatasync. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
  /** Nobody waits for its writes any more: those that have not begun never do, and reject. */
  leave?(): void;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Paths are absolute. Errors come as NightjarErrors. */
export interface ChunkFiles {
  /** O_CREAT | O_EXCL: never opens what is there. */
  create(path: string): Promise<ChunkFile>;
  open(path: string, mode: 'read' | 'append'): Promise<ChunkFile>;
  /** Undefined when there is no such directory. */
  list(path: string): Promise<DirectoryEntry[] | undefined>;
  /** With its parents; gives the topmost directory that it made, if any. */
  makeDirectory(path: string): Promise<string | undefined>;
  syncDirectory(path: string): Promise<void>;
  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  /** A new small file, whole and safe when it is there at all. */
  writeNewText(path: string, text: string): Promise<void>;
  /** The bytes freed; undefined when there was no such file. */
  remove(path: string): Promise<number | undefined>;
  /** False when it is not empty or not there. */
  removeEmptyDirectory(path: string): Promise<boolean>;
  /** `device` is the same for paths on one file system of one machine. */
  space(path: string): Promise<{ sizeBytes: number; freeBytes: number; device?: string }>;
  /** Throws failed-precondition when nothing can be written below `path`. */
  assertWritable(path: string): Promise<void>;
  /** Mount points that this machine declares and that are not mounted now. */
  missingMounts(): Promise<string[]>;
}
