// Lets reads rest, and wakes all resting sockets of the process together: one wake-up, many reads.

import type { Clock, Timer } from '#base';

interface Resting {
  resume(): unknown;
  readonly destroyed: boolean;
}

export class ReadPacer {
  static readonly #pacers = new WeakMap<Clock, Map<number, ReadPacer>>();

  readonly #clock: Clock;
  readonly #pauseMs: number;
  #resting: Resting[] = [];
  #spare: Resting[] = [];
  #timer: Timer | undefined;

  private constructor(clock: Clock, pauseMs: number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  /** The pacer that all who rest equally long share. */
  static of(clock: Clock, pauseMs: number): ReadPacer {
    let pacers = ReadPacer.#pacers.get(clock);
    if (pacers === undefined) ReadPacer.#pacers.set(clock, (pacers = new Map()));
    let pacer = pacers.get(pauseMs);
    if (pacer === undefined) pacers.set(pauseMs, (pacer = new ReadPacer(clock, pauseMs)));
    return pacer;
  }

  /** The socket has paused; it is resumed with the next turn, at most the pause from now. */
  rest(socket: Resting): void {
    this.#resting.push(socket);
    this.#timer ??= this.#clock.after(this.#pauseMs, () => this.#wake());
  }

  #wake(): void {
    this.#timer = undefined;
    const woken = this.#resting;
    this.#resting = this.#spare;
    for (const socket of woken) if (!socket.destroyed) socket.resume();
    woken.length = 0;
    this.#spare = woken;
  }
}
