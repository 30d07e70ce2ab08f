// Keeps the sound of what is kept of the picture: the same seconds, the same pre-roll, nothing else.

import type { AudioRecord } from './audio-ingest.js';

/** A group is what one read of the past gives: some seconds. Any record could begin one. */
const GROUP_US = 10_000_000;
/** Where the picture has not said what it keeps, sound waits no longer and no larger than this. */
const LONGEST_US = 120_000_000;
const LARGEST_BYTES = 8 * 1024 * 1024;
/** Records closer than this go on with each other. */
const SEAM_US = 100_000;

export interface AudioGateOptions {
  /** UTC before which the picture keeps nothing any more that it does not keep already. */
  pictureReachesBackToUs(): number;
  /** A record to be written; the callee retains what it keeps. In order. */
  onKeep(record: AudioRecord): void;
}

export class AudioGate {
  readonly #options: AudioGateOptions;
  readonly #ring: AudioRecord[] = [];
  #ringBytes = 0;
  /** The stretch of picture that was kept last. */
  #fromUs = 0;
  #untilUs = 0;
  #group: { readonly run: number; readonly startUs: number } | undefined;
  #lastEndUs = 0;

  constructor(options: AudioGateOptions) {
    this.#options = options;
  }

  get ringBytes(): number {
    return this.#ringBytes;
  }

  offer(record: AudioRecord): void {
    this.#ring.push(record.retain());
    this.#ringBytes += record.sizeBytes;
    this.#flush();
    this.#trim(record.endUnixUs);
  }

  /** A record of the picture from `startUs` to `endUs` is kept. In order. */
  keptPicture(startUs: number, endUs: number): void {
    if (startUs - this.#untilUs > SEAM_US) this.#fromUs = startUs;
    this.#untilUs = endUs;
    this.#flush();
  }

  /** Writing failed: what comes next begins a group. */
  breakGroup(): void {
    this.#group = undefined;
  }

  /** Gives up what it holds. */
  close(): void {
    for (const record of this.#ring.splice(0)) record.release();
    this.#ringBytes = 0;
  }

  /** Keeps what overlaps the kept picture; what lies in front of it is passed over. */
  #flush(): void {
    let done = 0;
    for (const record of this.#ring) {
      if (record.startUnixUs >= this.#untilUs) break;
      done += 1;
      if (record.endUnixUs <= this.#fromUs) continue;
      const group = this.#group;
      const goesOn =
        group?.run === record.run &&
        record.startUnixUs - this.#lastEndUs < SEAM_US &&
        record.endUnixUs - group.startUs <= GROUP_US;
      record.startsGroup = !goesOn;
      if (!goesOn) this.#group = { run: record.run, startUs: record.startUnixUs };
      record.groupStartUnixUs = this.#group?.startUs ?? record.startUnixUs;
      this.#lastEndUs = record.endUnixUs;
      this.#options.onKeep(record);
    }
    this.#drop(done);
  }

  #trim(newestUs: number): void {
    const reachUs = Math.max(this.#options.pictureReachesBackToUs(), newestUs - LONGEST_US);
    let bytes = this.#ringBytes;
    let first = 0;
    for (const record of this.#ring) {
      if (record.endUnixUs > reachUs && bytes <= LARGEST_BYTES) break;
      bytes -= record.sizeBytes;
      first += 1;
    }
    this.#drop(first);
  }

  #drop(count: number): void {
    for (const record of this.#ring.splice(0, count)) {
      this.#ringBytes -= record.sizeBytes;
      record.release();
    }
  }
}
