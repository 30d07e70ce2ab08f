// What processes need of their environment and of Node that only their parent can give: it is read
// before any JavaScript runs.

import { availableParallelism } from 'node:os';

const NODE_ARGS = ['--enable-source-maps'];

/** Arguments of Node for a process of this role. */
export function nodeArgsOf(role) {
  // What a recorder makes and drops is little, and most of it lives for a turn: with Node's default
  // of 16 MB it holds 32 MB for that. With less than 4 MB collecting it costs more processor time.
  return role === 'recorder' ? [...NODE_ARGS, '--max-semi-space-size=4'] : NODE_ARGS;
}

export const RECORDER_ENVIRONMENT = {
  // Disks and the index wait on libuv's threads, which are four whatever the machine has.
  UV_THREADPOOL_SIZE: '64',
  // Buffers of records go back to the system when they are freed, instead of staying in glibc's heap.
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_ARENA_MAX: '2',
};

export const TRANSCODER_ENVIRONMENT = {
  // Codecs wait on these threads too.
  UV_THREADPOOL_SIZE: String(2 * availableParallelism() + 4),
};

/** What of these the administrator has set: it counts. */
export function given(environment) {
  const names = Object.keys(environment).filter((name) => process.env[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
