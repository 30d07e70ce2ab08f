// What recorders that share a disk tell each other: how old the footage is that each would delete next.

import { basename, dirname, join } from 'node:path';
import type { ChunkFiles } from './chunk-files.js';

const NOTE_FILE = 'nightjar-oldest.json';
const IDENTITY_FILE = 'nightjar-store.json';
/** Who says nothing for so long is not there, or has nothing to delete. */
const FORGOTTEN_MS = 600_000;
/** The directory of a further recorder, below that of the first one. */
const NEIGHBOUR = /^[A-Za-z0-9][A-Za-z0-9._-]*-\d{1,3}$/;

/** Whether a directory of this name may be another recorder's. */
export function isNeighbourName(name: string): boolean {
  return NEIGHBOUR.test(name);
}

export async function writeOldest(
  files: ChunkFiles,
  directory: string,
  note: { readonly oldestUnixUs: number; readonly atUnixMs: number },
): Promise<void> {
  await files.writeNewText(join(directory, NOTE_FILE), `${JSON.stringify(note)}\n`);
}

/** The oldest that a neighbour on the same disk would delete; undefined when none says so. */
export async function readNeighboursOldest(
  files: ChunkFiles,
  directory: string,
  nowUnixMs: number,
): Promise<number | undefined> {
  const root = await rootOf(files, directory);
  const entries = (await files.list(root)) ?? [];
  const neighbours = entries
    .filter(({ name, isDirectory }) => isDirectory && isNeighbourName(name))
    .map(({ name }) => join(root, name));
  let oldest: number | undefined;
  for (const neighbour of [root, ...neighbours]) {
    if (neighbour === directory) continue;
    const text = await files.readText(join(neighbour, NOTE_FILE));
    const note = text === undefined ? undefined : parse(text);
    if (note === undefined || nowUnixMs - note.atUnixMs > FORGOTTEN_MS) continue;
    oldest = Math.min(oldest ?? Infinity, note.oldestUnixUs);
  }
  return oldest;
}

/** The directory of the first recorder, which holds those of the others. */
async function rootOf(files: ChunkFiles, directory: string): Promise<string> {
  const parent = dirname(directory);
  if (!isNeighbourName(basename(directory))) return directory;
  const identity = await files.readText(join(parent, IDENTITY_FILE));
  return identity === undefined ? directory : parent;
}

function parse(text: string): { oldestUnixUs: number; atUnixMs: number } | undefined {
  try {
    const { oldestUnixUs, atUnixMs } = JSON.parse(text) as Record<string, unknown>;
    if (typeof oldestUnixUs === 'number' && typeof atUnixMs === 'number') {
      return { oldestUnixUs, atUnixMs };
    }
  } catch {
    // Somebody else's file, or a torn one: as good as none.
  }
  return undefined;
}
