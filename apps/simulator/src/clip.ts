// A clip: encoded footage that loops without end, in groups that each start with a key frame.

import { NightjarError } from '#base';
import type { VideoCodec } from '#media';
import { splitAnnexB } from './annex-b.js';

/** One access unit, Annex-B, parameter sets in band in front of key frames. */
export interface ClipFrame {
  readonly data: Uint8Array;
  readonly key: boolean;
  readonly duration90k: number;
  /** Presentation time minus decoding time. */
  readonly ctsOffset90k: number;
}

export interface ClipGroup {
  readonly frames: readonly ClipFrame[];
  readonly duration90k: number;
}

export interface ClipDescription {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** Where a moment lies in a clip. */
export interface ClipPosition {
  readonly group: number;
  /** Ticks from the group's start. */
  readonly offset90k: number;
}

/** May grow while it plays: what is there loops, so that a camera shows something at once. */
export class Clip {
  readonly description: ClipDescription;
  readonly #groups: ClipGroup[] = [];
  /** Where each group starts; one longer than the groups. */
  readonly #starts90k: number[] = [0];
  #parameterSets: readonly Uint8Array[] = [];

  constructor(description: ClipDescription, groups: Iterable<ClipGroup> = []) {
    this.description = description;
    for (const group of groups) this.add(group);
  }

  get groups(): readonly ClipGroup[] {
    return this.#groups;
  }

  /** All access units in decoding order. */
  get frames(): readonly ClipFrame[] {
    return this.#groups.flatMap((group) => group.frames);
  }

  get duration90k(): number {
    return this.#starts90k.at(-1) ?? 0;
  }

  /** NAL units without start codes: [vps,] sps, pps of the first key frame. */
  get parameterSets(): readonly Uint8Array[] {
    return this.#parameterSets;
  }

  add(group: ClipGroup): void {
    const first = group.frames[0];
    if (first?.key !== true) {
      throw new NightjarError('invalid-argument', 'a group starts with a key frame', {});
    }
    if (this.#groups.length === 0) {
      this.#parameterSets = splitAnnexB(first.data).filter((nal) =>
        isParameterSet(this.description.codec, nal),
      );
    }
    this.#groups.push(group);
    this.#starts90k.push(this.duration90k + group.duration90k);
  }

  /** The position at `ticks90k` of an endless loop that began at tick 0. */
  positionAt(ticks90k: number): ClipPosition {
    const inLoop = ((ticks90k % this.duration90k) + this.duration90k) % this.duration90k;
    let low = 0;
    let high = this.#groups.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts90k[middle] ?? 0) <= inLoop) low = middle;
      else high = middle - 1;
    }
    return { group: low, offset90k: inLoop - (this.#starts90k[low] ?? 0) };
  }
}

/** Cuts frames in decoding order into groups; frames in front of the first key frame are left out. */
export function groupFrames(frames: readonly ClipFrame[]): ClipGroup[] {
  const groups: ClipFrame[][] = [];
  for (const frame of frames) {
    if (frame.key) groups.push([frame]);
    else groups.at(-1)?.push(frame);
  }
  return groups.map((members) => ({
    frames: members,
    duration90k: members.reduce((sum, frame) => sum + frame.duration90k, 0),
  }));
}

export function isParameterSet(codec: VideoCodec, nal: Uint8Array): boolean {
  const header = nal[0] ?? 0;
  const type = codec === 'h264' ? header & 0x1f : (header >> 1) & 0x3f;
  return codec === 'h264' ? type === 7 || type === 8 : type >= 32 && type <= 34;
}

/** True when the access unit holds an IDR (H.264) or IRAP (H.265) picture. */
export function isKeyFrame(codec: VideoCodec, data: Uint8Array): boolean {
  return splitAnnexB(data).some((nal) => {
    const header = nal[0] ?? 0;
    if (codec === 'h264') return (header & 0x1f) === 5;
    const type = (header >> 1) & 0x3f;
    return type >= 16 && type <= 23;
  });
}
