// Plays backwards by seeking: one seek at a time, each as far as the time that the last one took.

const MAX_SPEED = 4;
const LEAST_STEP_MS = 80;

export class ReverseShuttle {
  readonly #video: HTMLVideoElement;
  #speed = 0;
  #lastMs = 0;
  #stopListening: AbortController | undefined;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  get active(): boolean {
    return this.#speed > 0;
  }

  get speed(): number {
    return this.#speed;
  }

  faster(): void {
    const wasActive = this.active;
    this.#speed = Math.min(MAX_SPEED, this.#speed === 0 ? 1 : this.#speed * 2);
    if (wasActive) return;
    const listening = new AbortController();
    this.#stopListening = listening;
    this.#video.addEventListener('seeked', () => this.#wait(), { signal: listening.signal });
    this.#lastMs = performance.now() - LEAST_STEP_MS;
    this.#seek();
  }

  stop(): void {
    this.#speed = 0;
    this.#stopListening?.abort();
    this.#stopListening = undefined;
  }

  #wait(): void {
    const spent = performance.now() - this.#lastMs;
    setTimeout(() => this.#seek(), Math.max(0, LEAST_STEP_MS - spent));
  }

  #seek(): void {
    if (!this.active) return;
    const now = performance.now();
    const back = ((now - this.#lastMs) / 1000) * this.#speed;
    this.#lastMs = now;
    const target = this.#video.currentTime - back;
    if (target <= 0) this.stop();
    this.#video.currentTime = Math.max(0, target);
  }
}
