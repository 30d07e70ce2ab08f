// Reads in turns: the thread sleeps between them, so that the kernel gathers packets of all cameras.

/** A read this large may have left more behind: the camera's own buffers must not fill up. */
export const MUCH_BYTES = 256 * 1024;
/** Of a turn while much waits, or a camera's answer. */
const SHORT_MS = 20;

/**
 * Wake-ups and system calls are what ingest costs, not bytes. Pausing each socket would make it
 * worse: epoll still wakes for it, only to be told that nobody listens. So the whole thread sleeps,
 * and then reads every socket once. Shared by all connections of a process; what else runs on the
 * thread waits for the turn to end, so the period must be short while anybody waits for an answer.
 */
export class ReadTurns {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  readonly #periodMs: () => number;
  #armed = false;
  #muchWaits = false;
  #questions = 0;
  #beganMs = 0;

  /** `periodMs` is asked at each turn: from one turn to the next; 0 is no sleep at all. */
  constructor(periodMs: () => number) {
    this.#periodMs = periodMs;
  }

  /** Bytes of a camera were read: when all sockets that are ready have been, the turn ends. */
  received(count: number): void {
    if (count >= MUCH_BYTES) this.#muchWaits = true;
    if (this.#armed) return;
    this.#armed = true;
    // Work that the reads bring is begun first.
    setImmediate(() => setImmediate(this.#endTurn));
  }

  /** A camera was asked something (1), or has answered (-1): a handshake is many of these. */
  asked(change: 1 | -1): void {
    this.#questions += change;
  }

  readonly #endTurn = (): void => {
    this.#armed = false;
    const periodMs = Math.min(
      this.#periodMs(),
      this.#muchWaits || this.#questions > 0 ? SHORT_MS : Infinity,
    );
    this.#muchWaits = false;
    if (periodMs > 0) {
      const restMs = this.#beganMs + periodMs - performance.now();
      // Below a millisecond there is nothing to gather.
      if (restMs > 1) Atomics.wait(this.#cell, 0, 0, Math.min(restMs, periodMs));
    }
    this.#beganMs = performance.now();
  };
}
