// Knocks at a camera that was away: a bare TCP connect, much cheaper than an attempt, tells soon
// that somebody is there again, however long the pauses between attempts have grown.

import type { Clock, Timer } from '#base';
import { openSocket } from './open-socket.js';
import type { RtspUrl } from './rtsp-url.js';

/** Jitter spreads a herd; with the deadline below, a door that opens is seen within 5 s. */
const MIN_PAUSE_MS = 1500;
const MAX_PAUSE_MS = 2500;
/** The kernel has asked twice by then: at once and after one second. */
const DEADLINE_MS = 2000;

export interface DoorKnockerOptions {
  readonly url: Pick<RtspUrl, 'host' | 'port'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Once. */
  onOpen(): void;
}

export class DoorKnocker {
  readonly #options: DoorKnockerOptions;
  readonly #stop = new AbortController();
  #timer: Timer | undefined;

  /** Begins to knock after a first pause. */
  constructor(options: DoorKnockerOptions) {
    this.#options = options;
    this.#rest();
  }

  /** Idempotent; `onOpen` is not called after it. */
  stop(): void {
    this.#stop.abort();
    this.#timer?.cancel();
  }

  #rest(): void {
    const { clock, random } = this.#options;
    const pauseMs = MIN_PAUSE_MS + random() * (MAX_PAUSE_MS - MIN_PAUSE_MS);
    this.#timer = clock.after(pauseMs, () => void this.#knock());
  }

  async #knock(): Promise<void> {
    const { url, clock, onOpen } = this.#options;
    try {
      const socket = await openSocket(
        {
          url: { ...url, secure: false },
          clock,
          deadlineMs: DEADLINE_MS,
          onRead: () => true,
          onOver: () => undefined,
        },
        this.#stop.signal,
      );
      socket.destroy();
    } catch {
      if (!this.#stop.signal.aborted) this.#rest();
      return;
    }
    if (this.#stop.signal.aborted) return;
    this.stop();
    onOpen();
  }
}
