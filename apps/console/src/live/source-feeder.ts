// Feeds live fMP4 to a video element through MSE and keeps it close to the newest picture.

import type { LiveInit } from '#contract';

const MAX_BEHIND_S = 1.5;
const KEEP_S = 10;
/** A bound on what waits for the buffer; beyond it the oldest fragments are lost. */
const MAX_QUEUE = 120;

export class SourceFeeder {
  readonly #video: HTMLVideoElement;
  readonly #source = new MediaSource();
  readonly #url: string;
  #buffer: SourceBuffer | undefined;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #closed = false;

  constructor(o: { video: HTMLVideoElement; init: LiveInit; onPicture(): void }) {
    this.#video = o.video;
    this.#url = URL.createObjectURL(this.#source);
    this.#video.src = this.#url;
    this.#source.addEventListener('sourceopen', () => {
      if (this.#closed) return;
      this.#buffer = this.#source.addSourceBuffer(SourceFeeder.mimeType(o.init));
      this.#buffer.mode = 'segments';
      this.#buffer.addEventListener('updateend', () => this.#onAppended());
      this.#feed();
    });
    const count = () => {
      if (this.#closed) return;
      this.#video.dataset['frames'] = String(Number(this.#video.dataset['frames'] ?? 0) + 1);
      o.onPicture();
      this.#video.requestVideoFrameCallback(count);
    };
    this.#video.requestVideoFrameCallback(count);
  }

  static mimeType(init: LiveInit): string {
    return `video/mp4; codecs="${init.codecString}"`;
  }

  static supports(init: LiveInit): boolean {
    return 'MediaSource' in globalThis && MediaSource.isTypeSupported(SourceFeeder.mimeType(init));
  }

  /** Takes an initialisation or a fragment; copies it, because the caller's buffer is reused. */
  push(bytes: Uint8Array): void {
    if (this.#queue.length >= MAX_QUEUE) this.#queue.splice(1, 1);
    this.#queue.push(new Uint8Array(bytes));
    this.#feed();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  #feed(): void {
    const buffer = this.#buffer;
    if (this.#closed || buffer === undefined || buffer.updating) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    try {
      buffer.appendBuffer(next);
    } catch {
      // The buffer is full: make room by forgetting everything that was shown.
      this.#queue.unshift(next);
      this.#forget(0.5);
    }
  }

  #onAppended(): void {
    const { buffered } = this.#video;
    if (buffered.length > 0) {
      const end = buffered.end(buffered.length - 1);
      const start = buffered.start(buffered.length - 1);
      const at = this.#video.currentTime;
      if (at < start || end - at > MAX_BEHIND_S)
        this.#video.currentTime = Math.max(start, end - 0.2);
      // Autoplay of a muted element may still be refused while the page is hidden.
      if (this.#video.paused) this.#video.play().catch(() => undefined);
    }
    if (!this.#forget(KEEP_S)) this.#feed();
  }

  #forget(keepSeconds: number): boolean {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.updating || buffer.buffered.length === 0) return false;
    const until = this.#video.currentTime - keepSeconds;
    if (until - buffer.buffered.start(0) < keepSeconds) return false;
    buffer.remove(0, until);
    return true;
  }
}
