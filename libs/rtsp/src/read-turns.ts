// Reads in turns: the thread sleeps between them, so that the kernel gathers packets of all cameras.

/** A read this large may have left more behind: the camera's own buffers must not fill up. */
export const MUCH_BYTES = 256 * 1024;
/** Of a turn while much waits, or a camera's answer. */
const SHORT_MS = 20;
/** Of sockets that rest, so many are read in the next turn: about what a short turn reads at once. */
const WOKEN = 32;

/**
 * Wake-ups and system calls are what ingest costs, not bytes. Pausing each socket would make it
 * worse: epoll still wakes for it, only to be told that nobody listens. So the whole thread sleeps,
 * and then reads every socket once. Shared by all connections of a process; what else runs on the
 * thread waits for the turn to end, so the period must be short while anybody waits for an answer.
 *
 * Where reading does not keep up, each turn would find more to read than the last one: libuv reads a
 * socket up to 32 times before it looks at anything else, and a write that needs several steps of the
 * disk does one of them a turn. So reading ends when it has lasted for the period, and sockets that
 * are ready behind that rest, a read each, until the turns behind it have read them in portions.
 */
export class ReadTurns {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  readonly #periodMs: () => number;
  #armed = false;
  #muchWaits = false;
  #questions = 0;
  #beganMs = 0;
  /** When this turn's reading began, and how long it may last. */
  #readingSinceMs = 0;
  #readingMs = SHORT_MS;
  /** What wakes the sockets that rest, longest first. TLS brings several pieces of one behind that. */
  readonly #resting = new Set<() => void>();

  /** `periodMs` is asked at each turn: from one turn to the next; 0 is no sleep at all. */
  constructor(periodMs: () => number) {
    this.#periodMs = periodMs;
  }

  /**
   * Bytes of a camera were read: when all sockets that are ready have been, the turn ends. False: its
   * socket is to rest until `wake` is called; one without it never does.
   */
  received(count: number, wake?: () => void): boolean {
    if (count >= MUCH_BYTES) this.#muchWaits = true;
    if (!this.#armed) {
      this.#arm();
      return true;
    }
    if (wake === undefined) return true;
    if (performance.now() - this.#readingSinceMs < this.#readingMs) return true;
    this.#resting.add(wake);
    return false;
  }

  /** A camera was asked something (1), or has answered (-1): a handshake is many of these. */
  asked(change: 1 | -1): void {
    this.#questions += change;
  }

  readonly #endTurn = (): void => {
    this.#armed = false;
    const isBehind = this.#resting.size > 0;
    const periodMs = Math.min(
      this.#periodMs(),
      this.#muchWaits || this.#questions > 0 ? SHORT_MS : Infinity,
    );
    this.#muchWaits = false;
    this.#readingMs = Math.max(SHORT_MS, periodMs);
    if (periodMs > 0 && !isBehind) {
      const restMs = this.#beganMs + periodMs - performance.now();
      // Below a millisecond there is nothing to gather.
      if (restMs > 1) Atomics.wait(this.#cell, 0, 0, Math.min(restMs, periodMs));
    }
    this.#beganMs = performance.now();
    if (!isBehind) return;
    for (const wake of [...this.#resting].slice(0, WOKEN)) {
      this.#resting.delete(wake);
      wake();
    }
    // They may have nothing to read, and the rest still waits.
    this.#arm();
  };

  #arm(): void {
    this.#armed = true;
    this.#readingSinceMs = performance.now();
    // Work that the reads bring is begun first.
    setImmediate(() => setImmediate(this.#endTurn));
  }
}
