// Plays a camera's past: seeks within a window, loads the next one, skips gaps and says so.

import type { Rendition, VideoCodec } from '#contract';
import { Signal } from '../signal.js';
import { Notice } from './notice.js';
import { isCodecTrouble, playbackFaultText, type PlaybackFault } from './past-words.js';
import { PlaybackWindow } from './playback-window.js';
import { firstRendition, SAFE_RENDITION, sourcePlays, type RenditionChoice } from './rendition.js';
import { ReverseShuttle } from './reverse-shuttle.js';
import type { MediaPlace } from './wall-clock.js';

export type PastView =
  | { readonly kind: 'loading' }
  | { readonly kind: 'playing' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'ended'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string };

interface PastSessionOptions {
  readonly video: HTMLVideoElement;
  /** Keeps the last picture while the next window loads. */
  readonly still: HTMLCanvasElement;
  readonly camera: string;
  readonly codec: VideoCodec | undefined;
  readonly choice: RenditionChoice;
  /** False only when it is known that nothing was recorded at `atMs`. */
  mayBeRecorded(atMs: number): boolean;
  /** The first recorded instant at or after `atMs`; undefined when there is none up to now. */
  findRecorded(atMs: number): Promise<number | undefined>;
  /** Playback has caught up with the present. */
  onPresent(): void;
}

const PATIENCE_MS = 15_000;
/** Closer to now than this, the past has no next window worth loading. */
const PRESENT_MS = 8000;

export class PastSession {
  readonly view = new Signal<PastView>({ kind: 'loading' });
  readonly atMs = new Signal<number>(0);
  readonly notice = new Notice();
  readonly rendition = new Signal<Rendition>('source');
  readonly speed = new Signal(1);
  readonly #options: PastSessionOptions;
  readonly #listening = new AbortController();
  readonly #shuttle: ReverseShuttle;
  #window: PlaybackWindow | undefined;
  #choice: RenditionChoice;
  #sourceFailed = false;
  #wanted: 'play' | 'pause' = 'play';
  #frameS = 0.04;
  #lastMediaS = 0;
  /** The player's time at `atMs`. */
  #shownS = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #closed = false;

  constructor(options: PastSessionOptions) {
    this.#options = options;
    this.#choice = options.choice;
    this.#sourceFailed = !sourcePlays(options.codec);
    this.#shuttle = new ReverseShuttle(options.video);
    const { video } = options;
    const { signal } = this.#listening;
    const on = (name: keyof HTMLMediaElementEventMap, run: () => void) =>
      video.addEventListener(name, run, { signal });
    on('playing', () => this.#onPicture());
    on('seeked', () => this.#onPicture());
    on('pause', () => {
      if (this.view.get().kind === 'playing' && !video.ended) this.view.set({ kind: 'paused' });
    });
    on('waiting', () => this.#await());
    on('timeupdate', () => this.#readTime(video.currentTime));
    on('ended', () => void this.#goOn(this.#window?.clock.endMs ?? this.atMs.get()));
    const count = (_: number, frame: VideoFrameCallbackMetadata) => {
      if (this.#closed) return;
      const step = frame.mediaTime - this.#lastMediaS;
      if (step > 0.005 && step < 0.5 && this.speed.get() <= 1) this.#frameS = step;
      this.#lastMediaS = frame.mediaTime;
      this.#readTime(frame.mediaTime);
      video.requestVideoFrameCallback(count);
    };
    video.requestVideoFrameCallback(count);
  }

  /** Shows `atMs`, or what was recorded next after it. */
  seek(atMs: number, wanted: 'play' | 'pause' | 'as-is' = 'as-is'): void {
    this.#turn += 1;
    this.notice.clear();
    this.#shuttle.stop();
    if (wanted !== 'as-is') this.#wanted = wanted;
    const clock = this.#window?.clock;
    const inside =
      clock?.startMs !== undefined &&
      clock.endMs !== undefined &&
      atMs >= clock.startMs &&
      atMs < clock.endMs;
    const place = inside ? clock.toMedia(atMs) : undefined;
    if (place === undefined && !this.#options.mayBeRecorded(atMs)) {
      this.atMs.set(atMs);
      void this.#goOn(atMs);
      return;
    }
    if (place === undefined || this.view.get().kind === 'error') {
      this.#load(atMs);
      return;
    }
    this.#arrive(atMs, place);
    this.#await();
    this.#options.video.currentTime = place.mediaS;
    this.#applyWanted();
  }

  toggle(): void {
    if (this.#wanted === 'play' && this.view.get().kind !== 'ended') this.pause();
    else this.play();
  }

  play(): void {
    this.#wanted = 'play';
    this.#shuttle.stop();
    if (this.view.get().kind === 'error') this.#load(this.atMs.get());
    else this.#applyWanted();
  }

  pause(): void {
    this.#wanted = 'pause';
    this.#shuttle.stop();
    this.#options.video.pause();
    if (this.view.get().kind === 'playing') this.view.set({ kind: 'paused' });
  }

  setSpeed(speed: number): void {
    this.speed.set(speed);
    this.#options.video.defaultPlaybackRate = speed;
    this.#options.video.playbackRate = speed;
  }

  /** Backwards at 1, 2 or 4 times; each call is one step faster. */
  shuttleBack(): void {
    this.pause();
    this.#shuttle.faster();
    this.notice.say(`Backwards ${this.#shuttle.speed}×`);
  }

  /** One frame on or back, paused. */
  step(direction: 1 | -1): void {
    this.pause();
    const { video } = this.#options;
    video.currentTime = Math.max(0, video.currentTime + direction * this.#frameS);
  }

  choose(choice: RenditionChoice): void {
    this.#choice = choice;
    this.#load(this.atMs.get());
  }

  close(): void {
    this.#closed = true;
    this.#listening.abort();
    this.#shuttle.stop();
    clearTimeout(this.#patience);
    this.notice.clear();
    this.#window?.close();
    this.#window = undefined;
  }

  #arrive(askedMs: number, place: MediaPlace): void {
    this.#shownS = place.mediaS;
    this.atMs.set(askedMs + place.skippedMs);
    this.notice.saySkipped(place.skippedMs);
  }

  #load(atMs: number): void {
    this.#freeze();
    this.atMs.set(atMs);
    this.view.set({ kind: 'loading' });
    this.#await();
    this.#window?.close();
    const rendition = firstRendition(this.#choice, !this.#sourceFailed);
    this.rendition.set(rendition);
    if (this.#choice === 'auto' && rendition !== 'source') {
      this.notice.say(`This browser cannot play the camera’s own stream: showing ${rendition}.`);
    }
    this.#window = new PlaybackWindow({
      video: this.#options.video,
      camera: this.#options.camera,
      atMs,
      rendition,
      onReady: (place) => {
        if (place === undefined) {
          void this.#goOn(
            Math.max(atMs, this.#window?.clock.endMs ?? this.#window?.untilMs ?? atMs),
          );
          return;
        }
        this.#arrive(atMs, place);
        this.#applyWanted();
      },
      onFault: (fault) => this.#onFault(fault),
    });
    this.setSpeed(this.speed.get());
  }

  /** After the end of a window: the next footage, or the present, or the end. */
  async #goOn(fromMs: number): Promise<void> {
    const turn = ++this.#turn;
    this.#freeze();
    this.view.set({ kind: 'loading' });
    if (Date.now() - fromMs > PRESENT_MS) {
      let nextMs: number | undefined;
      try {
        nextMs = await this.#options.findRecorded(fromMs);
      } catch {
        nextMs = fromMs;
      }
      // Somebody may have gone elsewhere meanwhile.
      if (this.#closed || turn !== this.#turn) return;
      if (nextMs !== undefined) {
        this.#load(nextMs);
        this.notice.saySkipped(nextMs - fromMs);
        return;
      }
    }
    clearTimeout(this.#patience);
    this.view.set({ kind: 'ended', text: 'Nothing was recorded after this.' });
    this.#options.onPresent();
  }

  #onPicture(): void {
    const { video } = this.#options;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    clearTimeout(this.#patience);
    this.#options.still.hidden = true;
    this.#readTime(video.currentTime);
    this.view.set({ kind: video.paused ? 'paused' : 'playing' });
  }

  #readTime(mediaS: number): void {
    const { video } = this.#options;
    if (video.seeking || this.view.get().kind === 'loading') return;
    const wallMs = this.#window?.clock.toWallMs(mediaS);
    if (wallMs === undefined) return;
    // What the wall clock did beyond what the player did was not recorded.
    const skippedMs = wallMs - this.atMs.get() - (mediaS - this.#shownS) * 1000;
    const steady = this.view.get().kind === 'playing' && !this.#shuttle.active;
    if (steady && mediaS > this.#shownS) this.notice.saySkipped(skippedMs);
    this.#shownS = mediaS;
    this.atMs.set(wallMs);
  }

  #applyWanted(): void {
    if (this.#wanted === 'pause') return;
    this.#options.video.play().catch((error: unknown) => {
      // A newer load interrupts an older play(); anything else the person must know.
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        this.view.set({ kind: 'paused' });
        this.notice.say('The browser did not allow playing by itself. Press space.');
      }
    });
  }

  #onFault(fault: PlaybackFault): void {
    if (isCodecTrouble(fault.details) && fault.rendition === 'source' && this.#choice === 'auto') {
      this.#sourceFailed = true;
      this.#load(this.atMs.get());
      return;
    }
    this.#fail(playbackFaultText(fault));
  }

  /** Never an endless spinner: waiting has an end, and it has words. */
  #await(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      const kind = this.view.get().kind;
      if (kind === 'error' || kind === 'ended' || kind === 'paused') return;
      if (kind === 'playing' && this.#options.video.readyState > 2) return;
      const other = this.rendition.get() === 'source' ? SAFE_RENDITION : 'source';
      this.#fail(`No picture after 15 s. Press play to try again, or choose ${other}.`);
    }, PATIENCE_MS);
  }

  #fail(text: string): void {
    clearTimeout(this.#patience);
    this.view.set({ kind: 'error', text });
  }

  #freeze(): void {
    const { video, still } = this.#options;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
    still.hidden = false;
  }
}
