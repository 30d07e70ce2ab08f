// Which frames of a stream are decoded, and which pictures are looked at.
// Why these and not others: decisions/0001-sampling.md.

import type { VideoFormat } from '#media';

/** `decode`: only so that a later frame can be decoded. */
export type Wish = 'skip' | 'decode' | 'look';

const SMALL_PIXELS = 640 * 480;
const SMALL_FPS = 15.5;
/** In the beginning of a group. */
const LOOK_EVERY_US = 95_000;
/** Where every frame is decoded: more looks would cost, and find nothing sooner that matters. */
const LOOK_EVERY_ALL_US = 190_000;
/** The last picture before a longer time without any may follow sooner. */
const LOOK_LAST_US = 60_000;
/** In a long group, between key frame and key frame. */
const LOOK_EVERY_LONG_US = 450_000;
/** Groups up to this length need nothing but their beginning. */
const SHORT_GROUP_US = 2_500_000;
/** Groups so short that the next key frame confirms the last soon enough. */
const BRIEF_GROUP_US = 1_050_000;
/** Key frames closer than this are not all taken. */
const LEAST_KEY_DISTANCE_US = 450_000;
/** The beginning of a group: two looks that confirm each other. */
const BEGINNING_US = 140_000;
/** In a long group the time without a look is at most this. */
const MOST_BLIND_US = 1_800_000;
const GROUPS_REMEMBERED = 3;

export type StreamFacts = Pick<VideoFormat, 'width' | 'height' | 'nominalFps' | 'reorderFrames'>;

export class SamplingPolicy {
  #pixels = 0;
  #nominalFps: number | undefined;
  #reorderFrames = 0;
  readonly #groupUs: number[] = [];
  #keyAtUs: number | undefined;
  #framesInGroup = 0;
  #fps: number | undefined;
  #takenKeyAtUs = -Infinity;
  #lookedAtUs = -Infinity;
  #inGroup = false;
  #thrifty = false;

  /** Frames of a stream of this size follow, from a key frame on. */
  setFormat({ width, height, nominalFps, reorderFrames }: StreamFacts): void {
    this.#pixels = width * height;
    this.#nominalFps = nominalFps;
    this.#reorderFrames = reorderFrames;
    this.#groupUs.length = 0;
    this.#fps = undefined;
    this.#keyAtUs = undefined;
    this.#takenKeyAtUs = -Infinity;
    this.#lookedAtUs = -Infinity;
    this.#inGroup = false;
  }

  /** With too little CPU for all, only what is needed is taken. */
  setThrifty(thrifty: boolean): void {
    this.#thrifty = thrifty;
  }

  /** A wanted frame was not taken: the rest of its group cannot be decoded. */
  leaveGroup(): void {
    this.#inGroup = false;
  }

  /** True while so much of each group is decoded that the loop filter cannot be left out. */
  get takesLongRuns(): boolean {
    return this.#takesAll || this.#expectedGroupUs > SHORT_GROUP_US;
  }

  /** Called for every frame, in decoding order. */
  wish(key: boolean, atUnixUs: number): Wish {
    if (key) {
      this.#noteKey(atUnixUs);
      if (atUnixUs - this.#takenKeyAtUs < LEAST_KEY_DISTANCE_US && !this.#takesAll) {
        this.#inGroup = false;
        return 'skip';
      }
      this.#takenKeyAtUs = atUnixUs;
      this.#inGroup = true;
      return this.#look(atUnixUs);
    }
    this.#framesInGroup += 1;
    if (!this.#inGroup) return 'skip';
    const intoGroupUs = this.#intoGroupUs(atUnixUs);
    if (intoGroupUs > this.#takenUs) {
      this.#inGroup = false;
      return 'skip';
    }
    // The last of a group is looked at if it can be: it is the last for a long time.
    const last = intoGroupUs + this.#frameUs > this.#takenUs;
    const everyUs = last ? LOOK_LAST_US : this.#lookEveryUs(intoGroupUs);
    return atUnixUs - this.#lookedAtUs >= everyUs ? this.#look(atUnixUs, everyUs) : 'decode';
  }

  /**
   * Whether the frame just wished for is the last of its group, as far as is known. If so, the rest
   * of the group is skipped, even if more of it would have been wanted.
   */
  endsHere(atUnixUs: number): boolean {
    if (this.#intoGroupUs(atUnixUs) + this.#frameUs <= this.#takenUs) return false;
    this.#inGroup = false;
    return true;
  }

  #lookEveryUs(intoGroupUs: number): number {
    if (this.#takesAll) return LOOK_EVERY_ALL_US;
    return intoGroupUs <= BEGINNING_US ? LOOK_EVERY_US : LOOK_EVERY_LONG_US;
  }

  /** Where frames are reordered, their times jump, so that their number must do. */
  #intoGroupUs(atUnixUs: number): number {
    if (this.#reorderFrames > 0) return this.#framesInGroup * this.#frameUs;
    return atUnixUs - (this.#keyAtUs ?? atUnixUs);
  }

  get #frameUs(): number {
    return 1e6 / (this.#fps ?? this.#nominalFps ?? 25);
  }

  get #takesAll(): boolean {
    const fps = this.#fps ?? this.#nominalFps ?? Infinity;
    return !this.#thrifty && this.#pixels <= SMALL_PIXELS && fps <= SMALL_FPS;
  }

  /** The longest of the latest groups: cameras with elastic groups must not leave us blind. */
  get #expectedGroupUs(): number {
    return this.#groupUs.length === 0 ? Infinity : Math.max(...this.#groupUs);
  }

  /** How far into a group frames are taken. */
  get #takenUs(): number {
    const groupUs = this.#expectedGroupUs;
    if (this.#takesAll || groupUs === Infinity) return Infinity;
    if (groupUs > SHORT_GROUP_US) return Math.max(BEGINNING_US, groupUs - MOST_BLIND_US);
    return groupUs <= BRIEF_GROUP_US || this.#thrifty ? 0 : BEGINNING_US;
  }

  #look(atUnixUs: number, everyUs = LOOK_EVERY_US): Wish {
    if (atUnixUs - this.#lookedAtUs < everyUs) return 'decode';
    this.#lookedAtUs = atUnixUs;
    return 'look';
  }

  #noteKey(atUnixUs: number): void {
    const groupUs = atUnixUs - (this.#keyAtUs ?? atUnixUs);
    if (groupUs > 0) {
      this.#groupUs.push(groupUs);
      if (this.#groupUs.length > GROUPS_REMEMBERED) this.#groupUs.shift();
      this.#fps = ((this.#framesInGroup + 1) * 1e6) / groupUs;
    } else if (groupUs < 0) {
      // The clock went back: what was looked at later than now says nothing.
      this.#lookedAtUs = -Infinity;
      this.#takenKeyAtUs = -Infinity;
    }
    this.#keyAtUs = atUnixUs;
    this.#framesInGroup = 0;
  }
}
