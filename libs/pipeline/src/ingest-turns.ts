// How long the thread that reads cameras may sleep between its turns: long while nobody waits for
// it, short while somebody watches or a camera's socket would overflow.

import type { Clock } from '#base';
import { ReadTurns } from '#rtsp';

/** What a viewer's frame may wait in vain. */
const WATCHED_MS = 10;
/** A socket of datagrams holds about 100 KB, which a key frame fills in this time. */
const DATAGRAMS_MS = 4;
/** Written records are noticed at turns only: more of them on the way than disks take at once wait. */
const BEHIND_MS = 20;
/** Somebody who asks for the past asks again soon. */
const ASKED_FOR_MS = 3000;
/** Somebody who asked lately is at a console: the next answer begins within this. */
const AT_CONSOLE_MS = 100;
const AT_CONSOLE_FOR_MS = 300_000;

export class IngestTurns {
  readonly turns = new ReadTurns(() => this.#period());
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #isBehind: () => boolean;
  #watched = 0;
  #datagrams = 0;
  #askedAtMs = -Infinity;

  /** With a period of 0 the thread never sleeps; `isBehind`: records wait for a disk's lane. */
  constructor(clock: Clock, periodMs: number, isBehind: () => boolean = () => false) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#isBehind = isBehind;
  }

  /** A track got its first live viewer (1), or lost its last one (-1). */
  watched(change: 1 | -1): void {
    this.#watched += change;
  }

  /** A track comes as datagrams from now on (1), or no longer (-1). */
  datagrams(change: 1 | -1): void {
    this.#datagrams += change;
  }

  /**
   * Below this the jitter of arrivals is not the network's: what comes is read at turns, so that its
   * time is late by anything up to a turn, and two of such differ by a third of it on average.
   */
  get jitterFloorMs(): number {
    return this.#period() / 3;
  }

  /** Somebody asks this process for something and waits for the answer. */
  asked(): void {
    this.#askedAtMs = this.#clock.monotonicMs();
  }

  #period(): number {
    if (this.#datagrams > 0) return Math.min(this.#periodMs, DATAGRAMS_MS);
    const silentMs = this.#clock.monotonicMs() - this.#askedAtMs;
    if (this.#watched > 0 || silentMs < ASKED_FOR_MS) return Math.min(this.#periodMs, WATCHED_MS);
    if (this.#isBehind()) return Math.min(this.#periodMs, BEHIND_MS);
    if (silentMs < AT_CONSOLE_FOR_MS) return Math.min(this.#periodMs, AT_CONSOLE_MS);
    return this.#periodMs;
  }
}
