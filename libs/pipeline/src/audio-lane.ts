// The way of a camera's sound to disk: kept with the picture, written as a track of its own.

import type { Clock, Log } from '#base';
import type { ChunkStore } from '#store';
import type { TimelineBatch } from '#timeline';
import { AudioGate } from './audio-gate.js';
import type { AudioRecord } from './audio-ingest.js';
import { TrackFlush, type WaitingBytes } from './track-flush.js';
import type { KeptRecord } from './track-record.js';

export interface AudioLaneOptions {
  readonly camera: string;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly waiting: WaitingBytes;
  pictureReachesBackToUs(): number;
}

/** What the disk does to the sound is told by the picture, which lies on the same disks. */
export class AudioLane {
  readonly flush: TrackFlush;
  readonly #gate: AudioGate;

  constructor(options: AudioLaneOptions) {
    this.flush = new TrackFlush({
      ...options,
      track: 'audio',
      onRecorded: () => undefined,
      onDisk: () => this.#gate.breakGroup(),
    });
    this.#gate = new AudioGate({
      pictureReachesBackToUs: () => options.pictureReachesBackToUs(),
      onKeep: (record) => this.flush.push(record),
    });
  }

  get ringBytes(): number {
    return this.#gate.ringBytes;
  }

  /** What the feed is told of it. */
  source(lastEndUnixUs = 0) {
    const onRecord = (record: AudioRecord) => this.#gate.offer(record);
    return { sound: { lastEndUnixUs, onRecord } };
  }

  keptPicture({ startUnixUs, endUnixUs }: KeptRecord): void {
    this.#gate.keptPicture(startUnixUs, endUnixUs);
  }

  /** Gives up what is not kept, writes and syncs the rest; the last rows to commit. */
  close(): Promise<TimelineBatch | undefined> {
    this.#gate.close();
    return this.flush.close();
  }
}
