// Measures a stream frame by frame, by the camera's own clock, and keeps nothing of it but numbers.

import { nalHeaderBytes, nalKind, nalType, type FrameSink, type VideoCodec } from '#media';

export interface GroupLengths {
  /** Seconds from one key frame to the next. */
  readonly minSeconds: number;
  readonly medianSeconds: number;
  readonly maxSeconds: number;
  readonly count: number;
}

export interface StreamMeasures {
  /** How long frames came, by the camera's clock. */
  readonly durationMs: number;
  readonly frames: number;
  readonly keyFrames: number;
  /** By the camera's clock; 0 when fewer than two frames came. */
  readonly fps: number;
  /** Bits of video per second; 0 when fewer than two frames came. */
  readonly bitrate: number;
  /** The most bits within one second of the camera's clock. */
  readonly peakBitrate: number;
  /** The longest distance of two key frames; absent when fewer than two came. */
  readonly groupSeconds?: number;
  readonly groups?: GroupLengths;
  /** Frames came in another order than they are shown in. */
  readonly hasBFrames: boolean;
  /** No key frames, but points from which the picture is whole after a while (recovery point SEI). */
  readonly gradualRefresh: boolean;
  /** Of the frames that are no key frames, how many say next to nothing. */
  readonly emptyFrameShare: number;
}

/** An access unit that is next to nothing has at most this share of a key frame's bytes. */
const EMPTY_SHARE = 1 / 200;
const EMPTY_BYTES = 400;
/** A probe is bounded in time; a hostile camera may send what it wants in that time. */
const MOST_NOTED = 20_000;
const TICKS = 90_000;
const RECOVERY_POINT = 6;

export class ProbeSink implements FrameSink {
  frames = 0;
  keyFrames = 0;
  readonly #codec: VideoCodec;
  #bytes = 0;
  #keyBytes = 0;
  readonly #groups90k: number[] = [];
  readonly #otherBytes: number[] = [];
  readonly #secondBytes = new Map<number, number>();
  #earliest90k = Infinity;
  #latest90k = -Infinity;
  #lastKey90k: number | undefined;
  #disorder = false;
  #recoveryPoints = 0;
  #unitBytes = 0;
  #unitIsKey = false;
  /** Bytes of a SEI unit's header that are still to come before its payload type. */
  #seiSkips = -1;
  #unitRecovers = false;

  constructor(codec: VideoCodec) {
    this.#codec = codec;
  }

  beginNal(firstByte: number): void {
    this.#unitBytes += 5;
    if (nalKind(this.#codec, firstByte) === 'key-slice') this.#unitIsKey = true;
    const isSei = nalType(this.#codec, firstByte) === (this.#codec === 'h264' ? 6 : 39);
    this.#seiSkips = isSei ? nalHeaderBytes(this.#codec) - 1 : -1;
  }

  appendNal(source: Uint8Array, start: number, end: number): void {
    this.#unitBytes += end - start;
    if (this.#seiSkips < 0) return;
    if (end - start <= this.#seiSkips) {
      this.#seiSkips -= end - start;
      return;
    }
    if (source[start + this.#seiSkips] === RECOVERY_POINT) this.#unitRecovers = true;
    this.#seiSkips = -1;
  }

  endFrame(pts90k: number): void {
    this.frames += 1;
    this.#bytes += this.#unitBytes;
    if (pts90k < this.#latest90k) this.#disorder = true;
    this.#earliest90k = Math.min(this.#earliest90k, pts90k);
    this.#latest90k = Math.max(this.#latest90k, pts90k);
    const second = Math.floor((pts90k - this.#earliest90k) / TICKS);
    if (this.#secondBytes.size < MOST_NOTED) {
      this.#secondBytes.set(second, (this.#secondBytes.get(second) ?? 0) + this.#unitBytes);
    }
    if (this.#unitIsKey) this.#noteKey(pts90k);
    else if (this.#otherBytes.length < MOST_NOTED) this.#otherBytes.push(this.#unitBytes);
    if (this.#unitRecovers && !this.#unitIsKey) this.#recoveryPoints += 1;
    this.#forget();
  }

  dropFrame(): void {
    this.#forget();
  }

  measures(): StreamMeasures {
    const span90k = this.#latest90k - this.#earliest90k;
    // The last frame lasts as long as the others, so that n frames span n durations.
    const seconds = this.frames < 2 ? 0 : (span90k * this.frames) / (this.frames - 1) / TICKS;
    const groups = lengthsOf(this.#groups90k);
    const meanKey = this.keyFrames === 0 ? 0 : this.#keyBytes / this.keyFrames;
    const empty = Math.max(EMPTY_BYTES, meanKey * EMPTY_SHARE);
    const emptyFrames = this.#otherBytes.filter((bytes) => bytes <= empty).length;
    const bitrate = seconds > 0 ? Math.round((this.#bytes * 8) / seconds) : 0;
    return {
      durationMs: Math.round(seconds * 1000),
      frames: this.frames,
      keyFrames: this.keyFrames,
      fps: seconds > 0 ? Math.round((this.frames / seconds) * 100) / 100 : 0,
      bitrate,
      peakBitrate: Math.max(bitrate, seconds >= 1 ? this.#peakBytes() * 8 : 0),
      ...(groups === undefined ? {} : { groupSeconds: groups.maxSeconds, groups }),
      hasBFrames: this.#disorder,
      gradualRefresh: this.keyFrames === 0 && this.#recoveryPoints > 0,
      emptyFrameShare:
        this.#otherBytes.length === 0
          ? 0
          : Math.round((emptyFrames / this.#otherBytes.length) * 100) / 100,
    };
  }

  #noteKey(pts90k: number): void {
    this.keyFrames += 1;
    this.#keyBytes += this.#unitBytes;
    const group90k = pts90k - (this.#lastKey90k ?? pts90k);
    if (group90k > 0 && this.#groups90k.length < MOST_NOTED) this.#groups90k.push(group90k);
    this.#lastKey90k = pts90k;
  }

  #peakBytes(): number {
    let peak = 0;
    for (const bytes of this.#secondBytes.values()) peak = Math.max(peak, bytes);
    return peak;
  }

  #forget(): void {
    this.#unitBytes = 0;
    this.#unitIsKey = false;
    this.#unitRecovers = false;
    this.#seiSkips = -1;
  }
}

function lengthsOf(groups90k: readonly number[]): GroupLengths | undefined {
  if (groups90k.length === 0) return undefined;
  const sorted = groups90k.map((ticks) => ticks / TICKS).sort((a, b) => a - b);
  return {
    minSeconds: sorted[0] ?? 0,
    medianSeconds: sorted[sorted.length >> 1] ?? 0,
    maxSeconds: sorted.at(-1) ?? 0,
    count: sorted.length,
  };
}
