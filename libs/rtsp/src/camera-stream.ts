// A camera's stream for as long as somebody wants it: attempt after attempt, with pauses between,
// which end early when a camera that was away opens its door.

import { Backoff, withoutCredentials, type Timer } from '#base';
import { DoorKnocker } from './door-knocker.js';
import { parseRtspUrl } from './rtsp-url.js';
import { DEFAULT_DEADLINE_MS, DEFAULT_STALL_MS, runAttempt } from './stream-attempt.js';
import type { AttemptEnd } from './stream-attempt.js';
import { countIn, newCounters, type StreamCounters, type StreamOptions } from './stream-face.js';

const DEFAULT_BACKOFF = { firstMs: 1000, capMs: 30_000 };
/** A run that lasted so long was healthy: the next pause is short again. */
const HEALTHY_MS = 10_000;
/** A camera that opens its door first and has pictures later is asked often for so long. */
const EAGER_MS = 60_000;
const EAGER_PAUSE_MS = 3000;

export class CameraStream {
  readonly #options: StreamOptions;
  readonly #counters = newCounters();
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #retry: Timer | undefined;
  #knocker: DoorKnocker | undefined;
  /** On the monotonic clock. */
  #eagerUntilMs = -Infinity;
  /** The camera asked to be asked there once. */
  #redirectTo: string | undefined;
  #running: Promise<void> | undefined;
  #started = false;
  /** Attempts in a row that ended without a picture behind the question for the sound. */
  #soundFailures = 0;
  #skipSound = false;

  /** Opens nothing. A URL that is none of a camera ends each attempt as `protocol`. */
  constructor(options: StreamOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF);
  }

  /** Live: the same object, growing. */
  get counters(): Readonly<StreamCounters> {
    return this.#counters;
  }

  /** Idempotent; a stopped stream does not start again. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (!this.#stop.signal.aborted) this.#attempt();
  }

  /** Says goodbye to the camera; resolves when `onEnd` was called and nothing follows. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#retry?.cancel();
    this.#knocker?.stop();
    await this.#running;
  }

  #attempt(): void {
    this.#retry?.cancel();
    this.#knocker?.stop();
    this.#running = this.#runOnce();
  }

  async #runOnce(): Promise<void> {
    const { listener, clock, log } = this.#options;
    const url = this.#redirectTo ?? this.#options.url;
    this.#redirectTo = undefined;
    const end = await runAttempt(
      {
        ...this.#options,
        url,
        counters: this.#counters,
        deadlineMs: this.#options.deadlineMs ?? DEFAULT_DEADLINE_MS,
        stallMs: this.#options.stallMs ?? DEFAULT_STALL_MS,
        turns: this.#options.turns,
        ...(this.#skipSound ? { sound: 'skip' } : {}),
      },
      this.#stop.signal,
    );
    countIn(this.#counters.disconnects, end.reason);
    this.#judgeSound(end);
    const stopped = this.#stop.signal.aborted;
    const retryInMs = stopped ? undefined : this.#pauseAfter(end);
    log.info(
      { url: withoutCredentials(url), reason: end.reason, message: end.message, retryInMs },
      'the stream ended',
    );
    if (retryInMs !== undefined) {
      this.#retry = clock.after(retryInMs, () => this.#attempt());
      this.#redirectTo = end.redirectTo;
      if (end.away) this.#knock();
    }
    const { reason, message } = end;
    try {
      listener.onEnd({ reason, message, ...(retryInMs === undefined ? {} : { retryInMs }) });
    } catch (error) {
      log.error({ err: error, url: withoutCredentials(url) }, 'the listener of a stream broke');
    }
  }

  /** A camera that cannot give sound beside the picture gives the picture: the next attempt is silent. */
  #judgeSound(end: AttemptEnd): void {
    if (this.#skipSound) {
      this.#skipSound = false;
      return;
    }
    if (end.frames > 0) this.#soundFailures = 0;
    if (!end.soundAsked || end.reason === 'stopped') return;
    this.#soundFailures += 1;
    // One that stalls may stall for other reasons.
    this.#skipSound = end.reason !== 'stalled' || this.#soundFailures > 1;
  }

  #pauseAfter(end: AttemptEnd): number {
    if (end.frames > 0 && (end.ranMs ?? 0) >= HEALTHY_MS) this.#backoff.reset();
    const { clock } = this.#options;
    const eager = clock.monotonicMs() < this.#eagerUntilMs;
    const pauseMs = Math.min(this.#backoff.nextMs(), eager ? EAGER_PAUSE_MS : Infinity);
    // Cameras lock an account after a few wrong passwords: ask seldom.
    if (end.reason !== 'authentication') return pauseMs;
    return Math.max(pauseMs, (this.#options.backoff ?? DEFAULT_BACKOFF).capMs);
  }
  #knock(): void {
    const { clock, url, transport, backoff } = this.#options;
    this.#knocker = new DoorKnocker({
      url: parseRtspUrl(url, transport),
      clock,
      random: backoff?.random ?? Math.random,
      onOpen: () => {
        this.#eagerUntilMs = clock.monotonicMs() + EAGER_MS;
        this.#attempt();
      },
    });
  }
}
