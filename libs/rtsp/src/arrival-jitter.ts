// How unevenly media arrives: interarrival jitter (RFC 3550, 6.4.1 and A.8).

/** A step this large is a clock that was set, not a delay. */
const JUMP_MS = 10_000;
const STEP_BACK_MS = 2000;

/**
 * What was sent in another order than it is shown (B-frames) is not looked at: its timestamps go back
 * though nothing was late. Keeps numbers alone, nothing per packet.
 */
export class ArrivalJitter {
  /** Milliseconds, smoothed over about sixteen arrivals. */
  ms = 0;
  #byPacket = false;
  #begun = false;
  #time = 0;
  #atMs = 0;

  /** Another run begins; the last value stays until there is a new one. */
  restart(): void {
    this.#begun = false;
    this.#byPacket = false;
  }

  /** A frame is whole: for packets whose own arrivals nobody knows, as within a TCP connection. */
  frame(time90k: number, atMs: number): void {
    if (!this.#byPacket) this.#observe(time90k, (time90k - this.#time) / 90, atMs);
  }

  /** A datagram arrived; frames are not looked at from then on. */
  packet(timestamp: number, clockRate: number, atMs: number): void {
    if (!this.#byPacket) this.restart();
    this.#byPacket = true;
    const ahead = (timestamp - this.#time) | 0;
    this.#observe(timestamp, (ahead * 1000) / clockRate, atMs);
  }

  #observe(time: number, aheadMs: number, atMs: number): void {
    if (!this.#begun || aheadMs > JUMP_MS || aheadMs < -STEP_BACK_MS) {
      if (!this.#begun) this.ms = 0;
      this.#begun = true;
    } else if (aheadMs < 0) {
      return;
    } else {
      this.ms += (Math.abs(atMs - this.#atMs - aheadMs) - this.ms) / 16;
    }
    this.#time = time;
    this.#atMs = atMs;
  }
}
