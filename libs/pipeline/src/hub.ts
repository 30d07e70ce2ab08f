// Frames of one track to whoever is subscribed, beginning with the group that is on now.

import type { VideoFormat } from '#media';
import type { PublishedFrame } from './ingest.js';
import type { TrackRecord } from './track-record.js';
import { ticksToUs } from './units.js';

/** A group that outgrows this is not kept for newcomers; they wait for the next key frame. */
const HOT_GROUP_BYTES = 16 * 1024 * 1024;

/** Called synchronously; what it needs of a frame it copies before it returns. */
export interface FrameSubscriber {
  /** Somebody looks at it now. */
  readonly live?: boolean;
  /** Before the first frame and at each change, at a key frame. */
  onFormat(format: VideoFormat): void;
  onFrame(frame: PublishedFrame): void;
}

interface HotRecord {
  readonly record: TrackRecord;
  /** UTC of the decoding time of its first frame, as published. */
  readonly startUtcUs: number;
}

export class TrackHub {
  readonly #subscribers = new Set<FrameSubscriber>();
  readonly #hot: HotRecord[] = [];
  #hotBytes = 0;
  #format: VideoFormat | undefined;
  /** Told when the first live viewer comes and when the last one has gone. */
  onWatched: ((watched: boolean) => void) | undefined;

  /** The format of what is published now; undefined while nothing is. */
  get format(): VideoFormat | undefined {
    return this.#format;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(frame: PublishedFrame): void {
    const { record } = frame;
    if (frame.key) {
      this.#forgetHot();
      if (this.#format !== record.format) {
        this.#format = record.format;
        for (const subscriber of this.#subscribers) subscriber.onFormat(record.format);
      }
    }
    const last = this.#hot.at(-1);
    if (last?.record !== record && (frame.key || last !== undefined)) {
      this.#hotBytes += last?.record.payloadBytes ?? 0;
      if (this.#hotBytes > HOT_GROUP_BYTES) this.#forgetHot();
      else {
        const startUtcUs = frame.utcUs - ticksToUs(frame.ctsOffset90k);
        this.#hot.push({ record: record.retain(), startUtcUs });
      }
    }
    for (const subscriber of this.#subscribers) subscriber.onFrame(frame);
  }

  /** Gives `subscriber` the current group at once, then every frame. Returns the way to end it. */
  subscribe(subscriber: FrameSubscriber): () => void {
    if (this.#format !== undefined) {
      subscriber.onFormat(this.#format);
      for (const hot of this.#hot) replay(hot, subscriber);
    }
    this.#subscribers.add(subscriber);
    if (subscriber.live === true && this.#watched() === 1) this.onWatched?.(true);
    return () => {
      const left = this.#subscribers.delete(subscriber) && subscriber.live === true;
      if (left && this.#watched() === 0) this.onWatched?.(false);
    };
  }

  #watched(): number {
    let count = 0;
    for (const subscriber of this.#subscribers) if (subscriber.live === true) count += 1;
    return count;
  }

  /** The run is over: its last group is nothing to begin with. */
  endRun(): void {
    this.#forgetHot();
    this.#format = undefined;
  }

  #forgetHot(): void {
    for (const { record } of this.#hot) record.release();
    this.#hot.length = 0;
    this.#hotBytes = 0;
  }
}

function replay({ record, startUtcUs }: HotRecord, subscriber: FrameSubscriber): void {
  const { frames, pieces } = record;
  let at = 0;
  let { buffer, start } = record.pieces[0] ?? record.piece;
  let elapsed90k = 0;
  for (let index = 0; index < frames.count; index++) {
    for (let next = pieces[at + 1]; start === pieces[at]?.end && next !== undefined;) {
      ({ buffer, start } = next);
      next = pieces[++at + 1];
    }
    const end = start + frames.sizeOf(index);
    const ctsOffset90k = frames.ctsOffsetOf(index);
    subscriber.onFrame({
      record,
      index,
      key: frames.isKey(index),
      utcUs: startUtcUs + ticksToUs(elapsed90k + ctsOffset90k),
      dts90k: record.startDts90k + elapsed90k,
      ctsOffset90k,
      expectedDuration90k: frames.durationOf(index),
      buffer,
      start,
      end,
    });
    elapsed90k += frames.durationOf(index);
    start = end;
  }
}
