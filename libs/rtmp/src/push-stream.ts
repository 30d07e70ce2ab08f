// A camera's stream that comes to us: whoever shows its key publishes it, for as long as it is wanted.

import { messageOf, type Clock, type Log, type Timer } from '#base';
import {
  countIn,
  newCounters,
  type StreamCounters,
  type StreamEndReason,
  type StreamListener,
  type ReadTurns,
} from '#rtsp';
import type { PublishTarget, PushDoor } from './push-door.js';
import type { Publication, Publisher } from './push-session.js';
import { PushAudio } from './push-audio.js';
import { PushVideo } from './push-video.js';

const DEFAULT_STALL_MS = 10_000;
/** So long nobody is missed: publishers that were there before us need a moment to come back. */
const PATIENCE_MS = 5000;
/** A publisher that was silent for so long gives way to the next one. */
const SILENT_MS = 5000;
const NOBODY = 'nobody publishes to this address';

export interface PushStreamOptions {
  readonly door: PushDoor;
  readonly key: string;
  readonly listener: StreamListener;
  readonly clock: Clock;
  readonly log: Log;
  /** A publication ends after so long without a whole frame; default 10 s. */
  readonly stallMs?: number;
  /** Shared by all streams of a process; without it the thread never sleeps between reads. */
  readonly turns?: ReadTurns | undefined;
}

interface Current {
  readonly publisher: Publisher;
  readonly video: PushVideo;
  readonly stall: Timer;
}

export class PushStream implements PublishTarget {
  readonly #options: PushStreamOptions;
  readonly #counters = newCounters();
  #current: Current | undefined;
  #watch: Timer | undefined;
  #told: string | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';

  /** Opens nothing. */
  constructor(options: PushStreamOptions) {
    this.#options = options;
  }

  /** Live: the same object, growing. Packets are video messages. */
  get counters(): Readonly<StreamCounters> {
    return this.#counters;
  }

  /** Idempotent; a stopped stream does not start again. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    const { door, key, clock } = this.#options;
    door.add(key, this);
    this.#watch = clock.every(PATIENCE_MS, () => this.#sayThatNobodyCame());
  }

  /** Whoever publishes is told; `onEnd` was called when it resolves, and nothing follows. */
  stop(): Promise<void> {
    if (this.#state === 'stopped') return Promise.resolve();
    const wasStarted = this.#state === 'started';
    this.#state = 'stopped';
    this.#watch?.cancel();
    if (wasStarted) {
      this.#options.door.remove(this);
      const publisher = this.#current?.publisher;
      this.#finish('stopped', 'the stream was stopped');
      publisher?.dismiss('this camera is no longer recorded, or its address was changed');
    }
    return Promise.resolve();
  }

  offer(publisher: Publisher): Publication | string {
    const { clock, log, listener, turns } = this.#options;
    const before = this.#current;
    if (before !== undefined) {
      const silentMs = clock.monotonicMs() - before.publisher.lastMessageAtMs;
      if (silentMs < SILENT_MS) return 'somebody publishes to this address already';
      this.#finish('closed-by-camera', 'another publisher took the place of a silent one');
      before.publisher.dismiss('another publisher took the place of this silent one');
    }
    const { place, software } = publisher;
    const counters = this.#counters;
    const video: PushVideo = new PushVideo({
      listener,
      counters,
      clock,
      info: () => ({
        ...(software === undefined ? {} : { server: software }),
        ...(audio.name === undefined ? {} : { audio: audio.name }),
        ...(audio.fault === undefined ? {} : { audioFault: audio.fault }),
      }),
      onBegin: () => {
        counters.connects += 1;
        this.#told = undefined;
        log.info({ from: place, software }, 'a publisher sends');
      },
    });
    const audio: PushAudio = new PushAudio({
      counters: counters.audio,
      clock,
      begin: (format) => (video.begun ? listener.onAudio?.(format) : undefined),
      videoTimeOf: (timestamp) => video.timeOf(timestamp),
    });
    const current: Current = { publisher, video, stall: this.#watchForStall(publisher) };
    this.#current = current;
    return {
      onRead: (count) => turns?.received(count),
      onVideo: (timestamp, bytes, start, end) => video.receive(timestamp, bytes, start, end),
      onVideoAborted: () => video.aborted(),
      onAudio: (timestamp, bytes, start, end) => audio.receive(timestamp, bytes, start, end),
      onEnd: (reason, message) => {
        if (this.#current === current) this.#finish(reason, message);
      },
    };
  }

  /** Looks at the count of whole frames now and then: messages themselves cost it nothing. */
  #watchForStall(publisher: Publisher): Timer {
    const { clock, stallMs = DEFAULT_STALL_MS } = this.#options;
    let { frames } = this.#counters;
    let sinceMs = clock.monotonicMs();
    return clock.every(stallMs / 10, () => {
      if (this.#counters.frames !== frames) {
        frames = this.#counters.frames;
        sinceMs = clock.monotonicMs();
      } else if (clock.monotonicMs() - sinceMs >= stallMs) {
        const message = `the publisher sent no whole picture for ${stallMs} ms`;
        this.#finish('stalled', message);
        publisher.dismiss(message);
      }
    });
  }

  #finish(reason: StreamEndReason, message: string): void {
    const { log } = this.#options;
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) {
      current.stall.cancel();
      try {
        current.video.end();
      } catch (error) {
        log.error({ err: error }, 'the sink of a publication broke');
      }
      countIn(this.#counters.disconnects, reason);
      log.info({ from: current.publisher.place, reason, message }, 'a publication ended');
    }
    const stopped = reason === 'stopped';
    this.#tell(reason, stopped ? message : `${message}; ${NOBODY}`);
  }

  #sayThatNobodyCame(): void {
    if (this.#current !== undefined) return;
    const { fault } = this.#options.door;
    const message = fault ?? NOBODY;
    // What the last publisher left as its reason stays until there is something else to say.
    const known = this.#told?.endsWith(NOBODY) === true && fault === undefined;
    if (!known && this.#told !== message) this.#tell('unreachable', message);
  }

  #tell(reason: StreamEndReason, message: string): void {
    const { listener, log } = this.#options;
    this.#told = message;
    try {
      listener.onEnd({ reason, message });
    } catch (error) {
      log.error({ err: error, reason: messageOf(error) }, 'the listener of a stream broke');
    }
  }
}
