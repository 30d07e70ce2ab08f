// How long to wait before a socket is opened again.

/** 0.5 s doubling to 10 s, less up to a fifth, so that many tiles do not come back at once. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(full * (1 - random() * 0.2));
}
