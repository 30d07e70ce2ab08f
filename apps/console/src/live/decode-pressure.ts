// When a live view must skip to the next key frame because the decoder cannot keep up.

/** The hot group arrives as one burst, which is decoded through without being called pressure. */
const BURST_QUEUE = 900;
const STEADY_QUEUE = 30;
const CALM_QUEUE = 3;

export class DecodePressure {
  #caughtUp = false;
  #needKey = true;

  /** Whether to decode this frame; `queue` is how many frames the decoder still holds. */
  admit(frame: { key: boolean }, queue: number): boolean {
    if (queue <= CALM_QUEUE && !this.#needKey) this.#caughtUp = true;
    if (queue > (this.#caughtUp ? STEADY_QUEUE : BURST_QUEUE)) this.#needKey = true;
    if (this.#needKey) {
      // A key frame behind a full queue would only make the picture older.
      if (!frame.key || queue > STEADY_QUEUE) return false;
      this.#needKey = false;
    }
    return true;
  }

  /** After a new configuration or a decoder error: nothing is decoded before a key frame. */
  reset(): void {
    this.#needKey = true;
    this.#caughtUp = false;
  }
}
