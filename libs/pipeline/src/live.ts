// Live video for viewers: the group that is on now at once, then every frame; a slow viewer loses its
// own P-frames up to the next key frame, and no key frame.

import { patchNalLengths, writeFmp4Init, writeFragmentHead, type VideoFormat } from '#media';
import type { FrameSubscriber, TrackHub } from './hub.js';
import type { PublishedFrame } from './ingest.js';
import type { TrackRecord } from './track-record.js';

/** A viewer with more in its socket than this loses P-frames. */
const SLOW_BYTES = 1024 * 1024;
/** A viewer with more than this is gone, whether it knows or not. */
const DEAD_BYTES = 48 * 1024 * 1024;

export type LiveFormat = 'annexb' | 'fmp4';

/** Where the parts go. `bytes` begin with `headroomBytes` of room, and are shared: not to be kept. */
export interface LiveViewer {
  /** A new format: everything that follows needs it. For fMP4 its initialisation. */
  onInit(format: VideoFormat, init: Buffer | undefined): void;
  onPart(part: LivePart): void;
  /** What was given to it and has not left yet. */
  backlogBytes(): number;
  /** It is so slow that it is given up. */
  onGivenUp(): void;
}

export interface LivePart {
  readonly key: boolean;
  readonly utcUs: number;
  readonly bytes: Buffer;
}

export interface LiveOptions {
  readonly hub: TrackHub;
  readonly format: LiveFormat;
  readonly viewer: LiveViewer;
  /** Room in front of each part for the caller's header. */
  readonly headroomBytes?: number;
}

/** Begins at once; returns the way to leave. */
export function watchLive(options: LiveOptions): () => void {
  const session = new LiveSession(options);
  const leave = options.hub.subscribe(session);
  session.leave = leave;
  return leave;
}

class LiveSession implements FrameSubscriber {
  readonly live = true;
  leave: (() => void) | undefined;
  readonly #options: LiveOptions;
  #skipping = false;
  #givenUp = false;
  #sequence = 1;
  #baseDts90k: number | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  onFormat(format: VideoFormat): void {
    const fmp4 = this.#options.format === 'fmp4';
    // In fMP4 decoding time goes on over a change of format: the base stays.
    this.#options.viewer.onInit(format, fmp4 ? writeFmp4Init({ formats: [format] }) : undefined);
  }

  onFrame(frame: PublishedFrame): void {
    if (this.#givenUp) return;
    const { viewer, format } = this.#options;
    const backlog = viewer.backlogBytes();
    if (backlog > DEAD_BYTES) {
      this.#givenUp = true;
      this.leave?.();
      viewer.onGivenUp();
      return;
    }
    if (frame.key) this.#skipping = false;
    else if (this.#skipping || backlog > SLOW_BYTES) {
      this.#skipping = true;
      return;
    }
    const bytes = format === 'annexb' ? this.#annexB(frame) : this.#fragment(frame);
    viewer.onPart({ key: frame.key, utcUs: frame.utcUs, bytes });
  }

  /** The record's memory is used again, so a part is a copy: one for all viewers of a frame. */
  #annexB(frame: PublishedFrame): Buffer {
    const headroomBytes = this.#options.headroomBytes ?? 0;
    const { record, index, buffer, start, end } = frame;
    if (
      lastCopy?.record === record &&
      lastCopy.index === index &&
      lastCopy.headroomBytes === headroomBytes
    ) {
      return lastCopy.bytes;
    }
    const bytes = Buffer.allocUnsafe(headroomBytes + end - start);
    buffer.copy(bytes, headroomBytes, start, end);
    lastCopy = { record, index, headroomBytes, bytes };
    return bytes;
  }

  #fragment(frame: PublishedFrame): Buffer {
    const headroomBytes = this.#options.headroomBytes ?? 0;
    const { record, index, buffer, start, end, dts90k } = frame;
    this.#baseDts90k ??= dts90k;
    const { frames } = record;
    const run = {
      frames,
      first: index,
      end: index + 1,
      lastDuration90k: frame.expectedDuration90k,
    };
    const head = writeFragmentHead({
      sequence: this.#sequence++,
      baseDts90k: Math.max(0, dts90k - this.#baseDts90k),
      runs: [run],
    });
    const payloadStart = headroomBytes + head.length;
    const bytes = Buffer.allocUnsafe(payloadStart + end - start);
    head.copy(bytes, headroomBytes);
    buffer.copy(bytes, payloadStart, start, end);
    patchNalLengths(bytes, payloadStart, run);
    return bytes;
  }
}

/** Frames of a hub go to all its viewers one after the other, so remembering one is enough. */
let lastCopy:
  | {
      readonly record: TrackRecord;
      readonly index: number;
      readonly headroomBytes: number;
      readonly bytes: Buffer;
    }
  | undefined;
