// One HLS playlist in a video element: fetched, mapped to wall time, and started at an instant.

import Hls, { type ErrorData, type HlsConfig } from 'hls.js';
import type { Rendition } from '#contract';
import { fillPath } from '../api/paths.js';
import { WallClock, type MediaPlace } from './wall-clock.js';
import type { PlaybackFault } from './past-words.js';

/** How much is asked for at once; the next window follows when this one ends. */
const WINDOW_MS = 30 * 60_000;
/** A little of the past, so that stepping back needs no new window. */
const LEAD_MS = 20_000;

interface PlaybackWindowOptions {
  readonly video: HTMLVideoElement;
  readonly camera: string;
  readonly atMs: number;
  readonly rendition: Rendition;
  /** The place of `atMs`, or undefined when this window holds nothing at or after it. */
  onReady(place: MediaPlace | undefined): void;
  onFault(fault: PlaybackFault): void;
}

/** Fast start: no level probing, a small buffer, and nothing before the place asked for. */
const CONFIG: Partial<HlsConfig> = {
  autoStartLoad: false,
  enableWorker: false,
  lowLatencyMode: false,
  testBandwidth: false,
  startFragPrefetch: true,
  maxBufferLength: 16,
  maxMaxBufferLength: 40,
  backBufferLength: 40,
  maxBufferHole: 0.6,
  manifestLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 8000,
      maxLoadTimeMs: 12_000,
      timeoutRetry: { maxNumRetry: 0, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 1, retryDelayMs: 300, maxRetryDelayMs: 300 },
    },
  },
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: 30_000,
      timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 2, retryDelayMs: 400, maxRetryDelayMs: 1500 },
    },
  },
};

export class PlaybackWindow {
  readonly #hls = new Hls(CONFIG);
  readonly #options: PlaybackWindowOptions;
  readonly #untilMs: number;
  #clock = new WallClock([]);
  #recovered = false;
  #started = false;

  constructor(options: PlaybackWindowOptions) {
    this.#options = options;
    const fromMs = Math.max(0, Math.floor(options.atMs) - LEAD_MS);
    this.#untilMs = Math.max(fromMs + 1000, Math.min(options.atMs + WINDOW_MS, Date.now()));
    const hls = this.#hls;
    hls.on(Hls.Events.LEVEL_LOADED, () => this.#onPlaylist());
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.#readClock());
    hls.on(Hls.Events.ERROR, (_, data) => this.#onError(data));
    hls.loadSource(
      fillPath(
        '/api/cameras/:id/playback.m3u8',
        { id: options.camera },
        {
          from: new Date(fromMs).toISOString(),
          to: new Date(this.#untilMs).toISOString(),
          rendition: options.rendition,
        },
      ),
    );
    hls.attachMedia(options.video);
  }

  get clock(): WallClock {
    return this.#clock;
  }

  /** The end of the period asked for, whether or not there was footage. */
  get untilMs(): number {
    return this.#untilMs;
  }

  close(): void {
    this.#hls.destroy();
  }

  #onPlaylist(): void {
    this.#readClock();
    if (this.#started) return;
    this.#started = true;
    const place = this.#clock.toMedia(this.#options.atMs);
    if (place !== undefined) this.#hls.startLoad(place.mediaS);
    this.#options.onReady(place);
  }

  /** Fragments move a little in the player once their real timestamps are known. */
  #readClock(): void {
    const fragments = this.#hls.levels[0]?.details?.fragments ?? [];
    this.#clock = new WallClock(
      fragments.flatMap((fragment) =>
        fragment.programDateTime === null
          ? []
          : [
              {
                startS: fragment.start,
                durationS: fragment.duration,
                wallMs: fragment.programDateTime,
              },
            ],
      ),
    );
  }

  #onError(data: ErrorData): void {
    const status = data.response?.code;
    const parsed = data.details === 'levelEmptyError' || data.details === 'manifestParsingError';
    const absent = data.details === 'manifestLoadError' && status === 404;
    if (absent || (parsed && (status === undefined || status < 400))) {
      // A playlist without slices is an answer: there is no footage in this period.
      if (!this.#started) {
        this.#started = true;
        this.#options.onReady(undefined);
      }
      return;
    }
    if (!data.fatal) return;
    if (data.details === 'bufferStalledError') return;
    if (data.type === 'mediaError' && data.details === 'bufferAppendError' && !this.#recovered) {
      this.#recovered = true;
      this.#hls.recoverMediaError();
      return;
    }
    const details: unknown = data.networkDetails;
    const body = details instanceof XMLHttpRequest ? details.responseText : undefined;
    this.#options.onFault({
      details: data.details,
      status: status === 0 ? undefined : status,
      body,
      rendition: this.#options.rendition,
    });
  }
}
