// What processes need of their environment that only their parent can give: it is read before any
// JavaScript runs.

import { availableParallelism } from 'node:os';

/** Arguments of Node for every process. */
export const NODE_ARGS = ['--enable-source-maps'];

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
