// Clocks: wall time for what is stored, monotonic time for deadlines, timers that a test can move.

/** A timer that does not keep the process alive by itself. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, Unix milliseconds, UTC. */
  nowUnixMs(): number;
  /** Wall clock, Unix microseconds, UTC; an integer below 2^53 until the year 2255. */
  nowUnixUs(): number;
  /** Never goes back; its zero means nothing. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` every `intervalMs` until cancelled. */
  every(intervalMs: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  nowUnixMs: () => Date.now(),
  // Date.now() follows the system clock when it is stepped; performance.timeOrigin would not.
  nowUnixUs: () => Date.now() * 1000,
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(intervalMs, run) {
    const handle = setInterval(run, intervalMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `delayMs`; rejects with `cancelled` as soon as `signal` aborts. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      timer.cancel();
      const error = new Error('the wait was cancelled');
      error.name = 'AbortError';
      reject(error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * What `work` comes to, or `late` once it takes longer than `deadlineMs`: it goes on then, and nobody
 * hears of its end.
 */
export async function inTime<T>(
  clock: Clock,
  deadlineMs: number,
  work: Promise<T>,
): Promise<T | 'late'> {
  let timer: Timer | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = clock.after(deadlineMs, () => resolve('late'));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}
