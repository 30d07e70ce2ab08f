// Lays encoded pictures into fMP4 fragments on the source's own time line.

import { FrameTable, writeFragmentHead } from '#media';
import type { EncodedPicture } from './h264-encoder.js';

/** A fragment is closed when it holds so much; short, so that the first bytes leave early. */
const FRAGMENT_90K = 45_000;
/** The first one is closed sooner. */
const FIRST_FRAGMENT_90K = 9_000;

export interface RenditionWriterOptions {
  /** Where the first picture's decoding time must lie. */
  readonly startDts90k: number;
  /** Presentation minus decoding time of every picture: that of the source's first one. */
  readonly ctsOffset90k: number;
  /** Which sample entry of the initialisation the pictures need, from 1. */
  readonly sampleEntry: number;
  /** Laid in front of every key frame, so that a slice decodes by itself. */
  readonly parameterSets: readonly Uint8Array[];
  /** Counts fragments, from this one. */
  readonly firstSequence: number;
  readonly onPart: (part: Buffer) => void;
}

export class RenditionWriter {
  readonly #options: RenditionWriterOptions;
  readonly #frames = new FrameTable();
  #payload: Uint8Array[] = [];
  #sequence: number;
  #fragmentDts90k: number;
  #lastDts90k: number | undefined;
  #pictures = 0;

  constructor(options: RenditionWriterOptions) {
    this.#options = options;
    this.#sequence = options.firstSequence;
    this.#fragmentDts90k = options.startDts90k;
  }

  get pictures(): number {
    return this.#pictures;
  }

  /** The sequence number that the next fragment will have. */
  get sequence(): number {
    return this.#sequence;
  }

  /** What has been delivered ends here. */
  get deliveredDts90k(): number {
    return this.#fragmentDts90k;
  }

  /** A picture's duration is known when the next one comes, so one is always held back. */
  add(picture: EncodedPicture): void {
    const { startDts90k, ctsOffset90k, parameterSets, sampleEntry } = this.#options;
    // The first picture takes the place of any in front of it that could not be decoded: no hole.
    const dts90k =
      this.#lastDts90k === undefined
        ? startDts90k
        : Math.max(this.#lastDts90k + 1, picture.pts - ctsOffset90k);
    if (this.#lastDts90k !== undefined) this.#frames.setLastDuration(dts90k - this.#lastDts90k);
    if (this.#frames.count > 0 && dts90k - this.#fragmentDts90k >= this.#fragment90k()) {
      this.#emit(sampleEntry);
      this.#fragmentDts90k = dts90k;
    }
    for (const nal of picture.key ? [...parameterSets, ...picture.nals] : picture.nals) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      this.#payload.push(length, nal);
      this.#frames.addNal(nal.length);
    }
    this.#frames.endFrame(picture.key, 0, ctsOffset90k);
    this.#lastDts90k = dts90k;
    this.#pictures += 1;
  }

  /** The last picture lasts until the source ends. */
  finish(endDts90k: number): void {
    if (this.#lastDts90k === undefined || this.#frames.count === 0) return;
    this.#frames.setLastDuration(Math.max(1, endDts90k - this.#lastDts90k));
    this.#emit(this.#options.sampleEntry);
    this.#fragmentDts90k = Math.max(endDts90k, this.#lastDts90k + 1);
  }

  #fragment90k(): number {
    return this.#sequence === 1 ? FIRST_FRAGMENT_90K : FRAGMENT_90K;
  }

  #emit(sampleEntry: number): void {
    const head = writeFragmentHead({
      sequence: this.#sequence,
      baseDts90k: this.#fragmentDts90k,
      sampleEntry,
      runs: [{ frames: this.#frames }],
      styp: this.#sequence === 1,
    });
    this.#options.onPart(Buffer.concat([head, ...this.#payload]));
    this.#sequence += 1;
    this.#payload = [];
    this.#frames.clear();
  }
}
