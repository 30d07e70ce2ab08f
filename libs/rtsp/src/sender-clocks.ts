// Sound and picture of a camera on one clock, by the sender reports of both (RFC 3550, 6.4.1).

/** A moment on the camera's wall clock and on the clock of a media. */
interface Moment {
  readonly unixMs: number;
  readonly pts90k: number;
}

export class SenderClocks {
  readonly #onOffset: (videoMinusAudio90k: number) => void;
  #video: Moment | undefined;
  #audio: Moment | undefined;

  /** `onOffset` is told what to add to a time of the sound to have it on the picture's clock. */
  constructor(onOffset: (videoMinusAudio90k: number) => void) {
    this.#onOffset = onOffset;
  }

  video(unixMs: number, pts90k: number): void {
    this.#video = { unixMs, pts90k };
    this.#tell();
  }

  audio(unixMs: number, pts90k: number): void {
    this.#audio = { unixMs, pts90k };
    this.#tell();
  }

  #tell(): void {
    if (this.#video === undefined || this.#audio === undefined) return;
    const passed90k = (this.#video.unixMs - this.#audio.unixMs) * 90;
    this.#onOffset(this.#video.pts90k - this.#audio.pts90k - passed90k);
  }
}
