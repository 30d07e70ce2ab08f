// Puts UDP packets back into the order in which they were sent, as far as waiting helps.

/** A gap is taken for a loss when so many later packets are there. */
const WINDOW_PACKETS = 32;
/** As in the receiver: further ahead, or further behind, is another beginning. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/**
 * Hands packets out in order. A packet that is missing holds the later ones back until it comes,
 * or the window is full, or `flush` says that waiting took long enough.
 */
export class ReorderWindow {
  readonly #deliver: (packet: Uint8Array) => void;
  readonly #waiting: (Uint8Array | undefined)[] = new Array<undefined>(WINDOW_PACKETS);
  #waitingCount = 0;
  #next = -1;

  constructor(deliver: (packet: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  /** Packets that are held back. */
  get length(): number {
    return this.#waitingCount;
  }

  /** A whole RTP packet; it is kept, so its bytes must not change. */
  push(packet: Uint8Array): void {
    const sequence = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
    if (this.#next < 0) this.#next = sequence;
    const ahead = (sequence - this.#next) & 0xffff;
    if (ahead === 0) {
      this.#next = (sequence + 1) & 0xffff;
      this.#deliver(packet);
      this.#deliverReady();
    } else if (ahead < WINDOW_PACKETS) {
      const slot = sequence % WINDOW_PACKETS;
      if (this.#waiting[slot] === undefined) this.#waitingCount += 1;
      this.#waiting[slot] = packet;
    } else if (ahead < MAX_DROPOUT) {
      // The window moves up to this packet: what is missing at its beginning is given up.
      while (((sequence - this.#next) & 0xffff) >= WINDOW_PACKETS) this.#step();
      this.push(packet);
    } else {
      // Too late, or another beginning: the receiver judges that by the number.
      if (ahead <= 0x10000 - MAX_MISORDER) {
        this.flush();
        this.#next = (sequence + 1) & 0xffff;
      }
      this.#deliver(packet);
    }
  }

  /** Gives up on what is missing. */
  flush(): void {
    while (this.#waitingCount > 0) this.#step();
  }

  #step(): void {
    this.#next = (this.#next + 1) & 0xffff;
    this.#deliverReady();
  }

  #deliverReady(): void {
    for (;;) {
      const slot = this.#next % WINDOW_PACKETS;
      const packet = this.#waiting[slot];
      if (packet === undefined) return;
      this.#waiting[slot] = undefined;
      this.#waitingCount -= 1;
      this.#next = (this.#next + 1) & 0xffff;
      this.#deliver(packet);
    }
  }
}
