// A motion channel as the recorder holds it: picks frames, and tells how far its detector is.

import { NightjarError, type Clock } from '#base';
import type { VideoFormat } from '#media';
import type {
  MotionChannel,
  MotionChannelCounters,
  MotionChannelOptions,
  MotionSample,
  MotionSettings,
  MotionState,
} from './channel-types.js';
import type { PipedFrame } from './frame-pipe.js';
import { SamplingPolicy } from './sampling-policy.js';
import {
  bareMessage,
  CLOSE,
  FORMAT,
  IS_KEY,
  jsonMessage,
  LAST_OF_GROUP,
  LOOK,
  LOOP_FILTER,
  OPEN,
  SETTINGS,
} from './wire.js';

/** Without an answer for so long, absence of motion is not known. */
const BEHIND_AFTER_MS = 3000;
const MOST_ASKED = 256;
/** A pause in the stream of so long is the camera's, not the detector's. */
const PAUSE_MS = 1000;

/** What a channel needs of the process that serves it. */
export interface ChannelHost {
  /** Undefined while the process is not up. Frames: false when refused. */
  readonly pipe: { sendFrame(frame: PipedFrame): boolean; send(message: Buffer): void } | undefined;
  /** A frame was refused: the process has more work than it can do. */
  refused(): void;
  left(channel: ProxyChannel): void;
}

export class ProxyChannel implements MotionChannel {
  readonly id: number;
  readonly #host: ChannelHost;
  readonly #clock: Clock;
  readonly #options: MotionChannelOptions;
  readonly #onClose: () => void;
  readonly #policy = new SamplingPolicy();
  readonly #counters = { offered: 0, sent: 0, asked: 0, samples: 0, refused: 0, undecodable: 0 };
  #settings: MotionSettings;
  #format: VideoFormat | undefined;
  #state: MotionState = 'starting';
  #closed = false;
  #needsKey = true;
  /** Frames were sent that a decoder which reorders may still hold. */
  #groupOpen = false;
  #offeredAtMs = -Infinity;
  /** When the latest picture was answered, or when waiting for an answer began. */
  #answeredAtMs = -Infinity;
  /** Pictures sent and not answered, oldest first. */
  readonly #asked: { atUnixUs: number; atMs: number }[] = [];

  constructor(o: {
    id: number;
    host: ChannelHost;
    clock: Clock;
    options: MotionChannelOptions;
    onClose: () => void;
  }) {
    this.id = o.id;
    this.#host = o.host;
    this.#clock = o.clock;
    this.#options = o.options;
    this.#onClose = o.onClose;
    this.#settings = settingsOf(o.options);
  }

  get state(): MotionState {
    return this.#state;
  }

  get counters(): MotionChannelCounters {
    return { ...this.#counters };
  }

  setFormat(format: VideoFormat): void {
    if (this.#closed) return;
    const before = this.#format;
    const same =
      before !== undefined &&
      before.codec === format.codec &&
      before.width === format.width &&
      before.height === format.height;
    this.#format = format;
    this.#policy.setFormat(format);
    this.#groupOpen = false;
    this.#needsKey = true;
    this.#sendFormat();
    if (!same && this.#host.pipe !== undefined) this.#become('starting');
  }

  setSettings(settings: MotionSettings): void {
    if (this.#closed) return;
    this.#settings = settingsOf(settings);
    this.#host.pipe?.send(jsonMessage(SETTINGS, this.id, this.#settings));
  }

  offer(data: Uint8Array, key: boolean, atUnixUs: number): void {
    if (this.#closed || this.#format === undefined) return;
    this.#counters.offered += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#offeredAtMs > PAUSE_MS) {
      this.#answeredAtMs = nowMs;
      // Whatever was missed, the next frame may not follow on the last one taken.
      if (this.#offeredAtMs !== -Infinity && !key) this.#loseGroup();
    }
    this.#offeredAtMs = nowMs;
    if (nowMs - this.#answeredAtMs > BEHIND_AFTER_MS && this.#host.pipe !== undefined) {
      this.#become('behind');
    }
    this.#take(data, key, atUnixUs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.pipe?.send(bareMessage(CLOSE, this.id));
    this.#host.left(this);
    this.#onClose();
  }

  /** The process is up, with nothing known of this channel. */
  connected(): void {
    this.#host.pipe?.send(jsonMessage(OPEN, this.id, this.#settings));
    if (this.#format !== undefined) this.#sendFormat();
    this.#needsKey = true;
    this.#policy.leaveGroup();
    this.#asked.length = 0;
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#become('starting');
  }

  /** The process ended. */
  disconnected(): void {
    this.#become('failed');
  }

  setThrifty(thrifty: boolean): void {
    this.#policy.setThrifty(thrifty);
  }

  answer(sample: MotionSample): void {
    if (this.#closed) return;
    this.#counters.samples += 1;
    const nowMs = this.#clock.monotonicMs();
    this.#answeredAtMs = nowMs;
    const asked = this.#asked.findIndex(({ atUnixUs }) => atUnixUs === sample.atUnixUs);
    const [question] = asked < 0 ? [] : this.#asked.splice(0, asked + 1).slice(-1);
    // An answer after the pre-roll is over comes too late to be relied on.
    const late = question !== undefined && nowMs - question.atMs > BEHIND_AFTER_MS;
    this.#become(late ? 'behind' : 'ok');
    this.#options.onSample(sample);
  }

  undecodable(frames: number): void {
    this.#counters.undecodable += frames;
  }

  #take(data: Uint8Array, key: boolean, atUnixUs: number): void {
    if (this.#format === undefined) return;
    const wish = this.#policy.wish(key, atUnixUs);
    if (key) this.#needsKey = false;
    const pipe = this.#host.pipe;
    if (wish === 'skip' || this.#needsKey) {
      // The group ended sooner than expected: what the decoder still holds must not wait.
      if (this.#groupOpen) this.#drain(atUnixUs);
      return;
    }
    if (pipe === undefined) return this.#loseGroup();
    let flags = key ? IS_KEY : 0;
    if (wish === 'look') flags |= LOOK;
    if (key && this.#policy.takesLongRuns) flags |= LOOP_FILTER;
    if (this.#policy.endsHere(atUnixUs)) flags |= LAST_OF_GROUP;
    if (pipe.sendFrame({ channel: this.id, flags, atUnixUs, data })) {
      this.#counters.sent += 1;
      this.#groupOpen = (flags & LAST_OF_GROUP) === 0 && this.#format.reorderFrames > 0;
      if (wish !== 'look') return;
      this.#counters.asked += 1;
      this.#asked.push({ atUnixUs, atMs: this.#offeredAtMs });
      if (this.#asked.length > MOST_ASKED) this.#asked.shift();
      return;
    }
    this.#counters.refused += 1;
    this.#loseGroup();
    this.#host.refused();
  }

  #drain(atUnixUs: number): void {
    this.#groupOpen = false;
    const data = new Uint8Array(0);
    this.#host.pipe?.sendFrame({ channel: this.id, flags: LAST_OF_GROUP, atUnixUs, data });
  }

  #loseGroup(): void {
    this.#groupOpen = false;
    this.#needsKey = true;
    this.#policy.leaveGroup();
  }

  #sendFormat(): void {
    const format = this.#format;
    if (format === undefined) return;
    const startCode = Buffer.from([0, 0, 0, 1]);
    const annexB = Buffer.concat(format.parameterSets.flatMap((nal) => [startCode, nal]));
    const body = { codec: format.codec, parameterSets: annexB.toString('base64') };
    this.#host.pipe?.send(jsonMessage(FORMAT, this.id, body));
  }

  #become(state: MotionState): void {
    if (this.#state === state || this.#closed) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function settingsOf({ sensitivity, zones, masks }: MotionSettings): MotionSettings {
  if (sensitivity >= 0 && sensitivity <= 1) return { sensitivity, zones, masks };
  throw new NightjarError('invalid-argument', 'expected a sensitivity of 0 to 1', { sensitivity });
}
